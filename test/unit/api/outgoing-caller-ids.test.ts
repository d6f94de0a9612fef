import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { parseOutboundOrder } from '../../../src/call/outbound-order.ts';
import { isoMs } from '../../../src/core/dates.ts';
import type { RegionId } from '../../../src/region/region.ts';
import { parseDocument } from '../../../src/twiml/document/parse.ts';
import { readVerbs } from '../../../src/twiml/verbs/registry.ts';
import { ACCOUNT, CREATED, RegionWorld, sid, World } from './support/region.ts';

const BASE = `/2010-04-01/Accounts/${ACCOUNT}`;
const OURS = '+15105550100';
const THEIRS = '+12025550143';

let world: World;
let region: RegionWorld;

beforeEach(async () => {
  world = new World();
  region = new RegionWorld('us1', world);
  await world.ownership.claim({ sid: sid('PN', 1), accountSid: ACCOUNT, phoneNumber: OURS, createdAt: 1 });
});

const app = () => regionApp(region.options());
const ask = (method: 'get' | 'delete', path: string) =>
  request(app())[method](`${BASE}${path}`).auth(ACCOUNT, region.token);
const post = (path: string, form: Record<string, string>) =>
  request(app()).post(`${BASE}${path}`).auth(ACCOUNT, region.token).type('form').send(form);
const listed = async (query = ''): Promise<{ sid: string; phone_number: string }[]> =>
  (await ask('get', `/OutgoingCallerIds.json${query}`)).body.outgoing_caller_ids;

async function asked(form: Record<string, string> = {}) {
  const { status, body } = await post('/OutgoingCallerIds.json', { PhoneNumber: THEIRS, ...form });
  expect(status).toBe(200);
  return body;
}

const type = (callSid: string, keys: string) =>
  region.store.appendTimeline(
    callSid,
    [...keys].map((digit) => ({ at: isoMs(CREATED), type: 'dtmf' as const, digit })),
  );

async function over(callSid: string): Promise<void> {
  const call = await region.store.fetch(callSid);
  if (call) await region.store.save({ ...call, status: 'completed' });
}

describe('a validation request', () => {
  it('calls the number and waits there for the code that it answers', async () => {
    const body = await asked({ FriendlyName: 'Branch', Extension: '12', CallDelay: '10' });
    expect(body).toEqual({
      account_sid: ACCOUNT,
      call_sid: expect.stringMatching(/^CA[0-9a-f]{32}$/),
      friendly_name: 'Branch',
      phone_number: THEIRS,
      validation_code: expect.stringMatching(/^\d{6}$/),
    });
    expect(await region.store.fetch(body.call_sid)).toMatchObject({
      to: THEIRS,
      from: OURS,
      direction: 'outbound-api',
      status: 'queued',
    });
    const order = parseOutboundOrder((await region.store.journal(body.call_sid)) ?? '');
    expect(order.sendDigits).toBe('12');
    expect(order.validationCode).toBe(body.validation_code);
    if (order.document.kind !== 'twiml') throw new Error('the call fetches a document');
    const parsed = parseDocument(order.document.twiml, '');
    if (!parsed.ok) throw new Error(parsed.diagnostic.message);
    const { diagnostics } = readVerbs(parsed.root, '');
    expect(diagnostics).toEqual([]);
    expect(order.document.twiml.match(/(?<=finishOnKey=").(?=")/g)?.join('')).toBe(body.validation_code);
  });

  it('makes a caller id once the code was typed, and shows none before', async () => {
    const { call_sid, validation_code } = await asked();
    expect(await listed()).toEqual([]);
    await type(call_sid, validation_code.slice(0, 5));
    expect(await listed()).toEqual([]);
    await type(call_sid, validation_code.slice(5));
    const [callerId] = await listed();
    expect(callerId).toEqual({
      sid: expect.stringMatching(/^PN[0-9a-f]{32}$/),
      date_created: 'Thu, 15 Jan 2026 12:00:00 +0000',
      date_updated: 'Thu, 15 Jan 2026 12:00:00 +0000',
      friendly_name: '(202) 555-0143',
      account_sid: ACCOUNT,
      phone_number: THEIRS,
      uri: `${BASE}/OutgoingCallerIds/${callerId?.sid}.json`,
    });
    expect((await post('/OutgoingCallerIds.json', { PhoneNumber: THEIRS })).body.code).toBe(21450);
  });

  it('comes to nothing when its call ends without the code', async () => {
    const { call_sid } = await asked();
    await type(call_sid, '12');
    await over(call_sid);
    expect(await listed()).toEqual([]);
    expect(await region.config.records.callerIds.count(ACCOUNT)).toBe(0);
  });

  it('may be repeated: the newest code counts', async () => {
    const first = await asked();
    const second = await asked();
    await type(first.call_sid, first.validation_code);
    expect(await listed()).toEqual([]);
    await type(second.call_sid, second.validation_code);
    expect(await listed()).toHaveLength(1);
  });

  it.each([
    [{}, 21401],
    [{ PhoneNumber: 'alice' }, 21401],
    [{ PhoneNumber: OURS }, 21449],
    [{ PhoneNumber: THEIRS, CallDelay: '61' }, 21454],
    [{ PhoneNumber: THEIRS, Extension: 'abc' }, 21206],
    [{ PhoneNumber: THEIRS, StatusCallback: 'nonsense' }, 21456],
    [{ PhoneNumber: THEIRS, StatusCallbackMethod: 'PUT' }, 21403],
    [{ PhoneNumber: THEIRS, FriendlyName: 'x'.repeat(65) }, 20002],
  ])('%o is %i, and nobody is called', async (form, code) => {
    const response = await post('/OutgoingCallerIds.json', form);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(code);
    expect(await region.calls.waiting()).toBe(0);
  });

  it('needs a number of the account to call from', async () => {
    await world.ownership.release(sid('PN', 1));
    expect((await post('/OutgoingCallerIds.json', { PhoneNumber: THEIRS })).body.code).toBe(21210);
  });
});

describe('a caller id', () => {
  let callerId: { sid: string };

  beforeEach(async () => {
    const { call_sid, validation_code } = await asked();
    await type(call_sid, validation_code);
    const [found] = await listed();
    if (!found) throw new Error('the caller id is not there');
    callerId = found;
  });

  it('is listed by number and name, renamed and deleted', async () => {
    const path = `/OutgoingCallerIds/${callerId.sid}.json`;
    expect((await post(path, { FriendlyName: 'Mine' })).body.friendly_name).toBe('Mine');
    expect((await ask('get', path)).body.friendly_name).toBe('Mine');
    expect(await listed('?FriendlyName=Mine')).toHaveLength(1);
    expect(await listed('?FriendlyName=Yours')).toEqual([]);
    expect(await listed(`?PhoneNumber=${encodeURIComponent(THEIRS)}`)).toHaveLength(1);
    expect(await listed('?PhoneNumber=%2B1')).toEqual([]);
    expect((await ask('delete', path)).status).toBe(204);
    expect((await ask('get', path)).status).toBe(404);
  });

  it('may be the From of a call; a number that is not verified may not', async () => {
    const call = { To: '+12025550199', Url: 'http://app.test/voice' };
    const made = await post('/Calls.json', { ...call, From: THEIRS });
    expect(made.status).toBe(201);
    expect(made.body.from).toBe(THEIRS);
    expect((await post('/Calls.json', { ...call, From: '+12025550144' })).body.code).toBe(21210);
  });
});

describe('Regions other than us1', () => {
  it.each<RegionId>(['ie1', 'au1'])('%s has no caller ids, and says so', async (id) => {
    region = new RegionWorld(id, world);
    for (const response of [
      await ask('get', '/OutgoingCallerIds.json'),
      await ask('get', `/OutgoingCallerIds/${sid('PN', 1)}.json`),
      await post('/OutgoingCallerIds.json', { PhoneNumber: THEIRS }),
    ]) {
      expect(response.status).toBe(404);
      expect(response.body).toMatchObject({ code: 20404, message: expect.stringContaining('us1 only') });
    }
  });
});
