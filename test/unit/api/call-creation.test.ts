import type { Express } from 'express';
import request from 'supertest';
import { beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import type { CallOrder, OrderReply } from '../../../src/call/orders.ts';
import { StoreAway } from '../../../src/core/outage.ts';
import { ACCOUNT, CREATED, RegionWorld, sid } from './support/region.ts';

const CALLS = `/2010-04-01/Accounts/${ACCOUNT}/Calls`;
const OURS = '+35315550100';
const NUMBER = { To: '+12025550143', From: OURS, Url: 'http://app.test/voice' };
const SIP = {
  To: 'sip:alice@phone.test:5090;transport=tcp?X-Team=a%20b',
  From: 'desk-1',
  Url: 'http://app.test/v',
};
const never = new AbortController().signal;

let region: RegionWorld;
let app: Express;

beforeEach(async () => {
  region = new RegionWorld('ie1');
  app = regionApp(region.options());
  const number = { sid: sid('PN', 1), accountSid: ACCOUNT, phoneNumber: OURS, createdAt: CREATED };
  await region.world.ownership.claim(number);
});

type Form = Readonly<Record<string, string | readonly string[]>>;

async function post(path: string, form: Form) {
  const pairs = Object.entries(form).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one): [string, string] => [name, one]),
  );
  const call = request(app).post(path).auth(ACCOUNT, region.token).type('form');
  return await call.send(new URLSearchParams(pairs).toString());
}

/** The answer to a request that waits in virtual time while it travels in real time. */
async function throughTime<T>(request: Promise<T>): Promise<T> {
  let done = false;
  const mark = () => {
    done = true;
  };
  request.then(mark, mark);
  while (!done) await region.world.clock.advance(10);
  return await request;
}

const create = (form: Form) => post(`${CALLS}.json`, form);

describe('creating a call', () => {
  it('answers with the queued call and gives it to a worker', async () => {
    const { status, body } = await create({ ...NUMBER, Timeout: '20' });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      sid: expect.stringMatching(/^CA[0-9a-f]{32}$/),
      status: 'queued',
      direction: 'outbound-api',
      to: NUMBER.To,
      from: OURS,
      parent_call_sid: null,
      region: 'ie1',
      worker: null,
      start_time: null,
    });
    expect(await region.store.fetch(body.sid)).toEqual(body);
    const taken = await region.calls.take(never);
    expect(taken?.job).toMatchObject({
      callSid: body.sid,
      epoch: 1,
      direction: 'outbound-api',
      region: 'ie1',
    });
    expect(JSON.parse((await region.store.journal(body.sid)) ?? '')).toEqual({
      callSid: body.sid,
      accountSid: ACCOUNT,
      to: NUMBER.To,
      from: OURS,
      credentials: null,
      document: { kind: 'url', url: NUMBER.Url, method: 'POST', fallbackUrl: '', fallbackMethod: 'POST' },
      statusCallback: null,
      timeoutMs: 20_000,
      timeLimitMs: 14_400_000,
      sendDigits: '',
      recording: null,
      machineDetection: false,
    });
  });

  it('keeps TwiML, login and TwiML out of the job: it holds ids and addresses', async () => {
    const secret = { SipAuthUsername: 'alice', SipAuthPassword: 'opensesame', Twiml: '<Response/>' };
    const { To, From } = SIP;
    const { body } = await create({ To, From, ...secret });
    const taken = await region.calls.take(never);
    expect(JSON.stringify(taken?.job)).not.toMatch(/opensesame|Response/);
    expect(JSON.stringify(body)).not.toMatch(/opensesame/);
    expect(JSON.parse((await region.store.journal(body.sid)) ?? '')).toMatchObject({
      to: SIP.To,
      from: 'desk-1',
      credentials: { username: 'alice', password: 'opensesame' },
      document: { kind: 'twiml', twiml: '<Response/>' },
    });
  });

  it('reads everything else that a call may be told', async () => {
    const { body } = await create({
      ...NUMBER,
      Method: 'GET',
      FallbackUrl: 'http://app.test/sorry',
      FallbackMethod: 'get',
      StatusCallback: 'http://app.test/status',
      StatusCallbackEvent: ['completed', 'initiated ringing'],
      StatusCallbackMethod: 'GET',
      SendDigits: 'w1W2#',
      TimeLimit: '60',
      Record: 'true',
      RecordingChannels: 'dual',
      RecordingStatusCallback: 'http://app.test/recorded',
      RecordingStatusCallbackEvent: ['in-progress', 'completed'],
      Trim: 'do-not-trim',
      MachineDetection: 'Enable',
    });
    expect(JSON.parse((await region.store.journal(body.sid)) ?? '')).toMatchObject({
      document: { method: 'GET', fallbackUrl: 'http://app.test/sorry', fallbackMethod: 'GET' },
      statusCallback: {
        url: 'http://app.test/status',
        method: 'GET',
        events: ['initiated', 'ringing', 'completed'],
      },
      sendDigits: 'w1W2#',
      timeLimitMs: 60_000,
      recording: {
        channels: 2,
        track: 'both',
        trim: false,
        callback: { url: 'http://app.test/recorded', method: 'POST', events: ['in-progress', 'completed'] },
      },
      machineDetection: true,
    });
  });

  it('lets one call a second leave; the others stay queued until their moment', async () => {
    const sids = [];
    for (let call = 0; call < 3; call++) sids.push((await create(NUMBER)).body.sid);
    const taken = [];
    for (let second = 0; second < 3; second++) {
      expect(await region.calls.waiting()).toBe(1);
      taken.push((await region.calls.take(never))?.job.callSid);
      expect(await region.calls.waiting()).toBe(0);
      await region.world.clock.advance(1_000);
    }
    expect(taken).toEqual(sids);
  });

  it('uses Url when Twiml is given too, and says so', async () => {
    const { body } = await create({ ...NUMBER, Twiml: '<Response/>' });
    expect(body.diagnostics).toMatchObject([{ code: 32019, level: 'warning' }]);
    expect(JSON.parse((await region.store.journal(body.sid)) ?? '').document.kind).toBe('url');
  });

  it('accepts North American numbers as they are written there', async () => {
    expect((await create({ ...NUMBER, To: '(202) 555-0143' })).body.to).toBe('+12025550143');
  });

  it.each<[string, Form, number]>([
    ['no To', { From: OURS, Url: 'http://a.test/' }, 21201],
    ['no From', { To: '+12025550143', Url: 'http://a.test/' }, 21213],
    ['To that is nothing', { ...NUMBER, To: 'alice' }, 21211],
    ['a To of a client', { ...NUMBER, To: 'client:alice' }, 21211],
    ['a SIP URI that is none', { ...SIP, To: 'sip:alice@' }, 21211],
    [
      'a SIP URI with headers that are too long',
      { ...SIP, To: `sip:a@b.test?X-A=${'a'.repeat(1024)}` },
      21227,
    ],
    ['a header name', { ...SIP, To: 'sip:a@b.test?X%20A=1' }, 21228],
    ['a header value', { ...SIP, To: 'sip:a@b.test?X-A=%0D%0AVia:' }, 21229],
    ['From that is no number', { ...NUMBER, From: 'desk' }, 21212],
    ['From with spaces', { ...SIP, From: 'desk one' }, 21212],
    ['From that is not ours', { ...NUMBER, From: '+35315550199' }, 21210],
    ['no document', { To: NUMBER.To, From: OURS }, 21205],
    ['a Url that is none', { ...NUMBER, Url: 'app.test/voice' }, 21205],
    ['a Twiml that is too long', { To: NUMBER.To, From: OURS, Twiml: 'x'.repeat(4001) }, 32018],
    ['an application', { ...NUMBER, ApplicationSid: sid('AP', 1) }, 21218],
    ['a Method', { ...NUMBER, Method: 'PUT' }, 21209],
    ['SendDigits', { ...NUMBER, SendDigits: '12x' }, 21206],
    ['too many SendDigits', { ...NUMBER, SendDigits: '1'.repeat(33) }, 21206],
    ['a Timeout that is none', { ...NUMBER, Timeout: 'soon' }, 21208],
    ['a Timeout that is too long', { ...NUMBER, Timeout: '601' }, 21208],
    ['a StatusCallback', { ...NUMBER, StatusCallback: 'ftp://x' }, 21609],
    ['an underscore in its host', { ...NUMBER, StatusCallback: 'http://my_app.test/' }, 21609],
    ['two lines in a header value', { ...SIP, To: 'sip:a@b.test?X-A=%0d%0aX-I=1' }, 21229],
    ['a StatusCallbackEvent', { ...NUMBER, StatusCallbackEvent: 'answered,completed' }, 21626],
    ['a login without password', { ...SIP, SipAuthUsername: 'a' }, 21225],
    ['a user that is too long', { ...SIP, SipAuthUsername: 'a'.repeat(256), SipAuthPassword: 'b' }, 21221],
    ['a user with a quote', { ...SIP, SipAuthUsername: 'a"', SipAuthPassword: 'b' }, 21222],
    [
      'a password that is too long',
      { ...SIP, SipAuthUsername: 'a', SipAuthPassword: 'b'.repeat(256) },
      21223,
    ],
    ['a password with a quote', { ...SIP, SipAuthUsername: 'a', SipAuthPassword: 'b"' }, 21224],
  ])('refuses %s', async (_what, form, code) => {
    const { status, body } = await create(form);
    expect([status, body.code]).toEqual([400, code]);
    expect(await region.calls.waiting()).toBe(0);
    expect((await region.store.list(ACCOUNT, {}, 0, 10)).items).toEqual([]);
  });

  it('says 503 when the queue cannot be reached, and ends the call', async () => {
    const calls = { ...region.calls, add: () => Promise.reject(new Error('Redis is away')) };
    app = regionApp(region.options({ calls }));
    const { status, body } = await create(NUMBER);
    expect([status, body.code]).toEqual([503, 20503]);
    expect(region.storage.added).toMatchObject([{ kind: 'finish-call', status: 'failed' }]);
  });
});

describe('a Region whose Redis is away', () => {
  it.each([
    ['for a while', new StoreAway('the Redis of ie1', 3_000)],
    ['since a moment ago', new Error('Command timed out')],
  ])('%s: nothing is created or listed, 503 says so', async (_when, error) => {
    const away = () => Promise.reject(error);
    app = regionApp(region.options({ store: { ...region.store, update: away, list: away } }));
    const created = await create(NUMBER);
    expect([created.status, created.body.code]).toEqual([503, 20503]);
    expect(await region.calls.waiting()).toBe(0);
    const path = `/2010-04-01/Accounts/${ACCOUNT}/Calls.json`;
    const listed = await request(app).get(path).auth(ACCOUNT, region.token);
    expect(listed.status).toBe(503);
    expect(listed.headers['retry-after']).toBe('1');
    expect(listed.body).toEqual({
      code: 20503,
      message: expect.stringContaining('try again'),
      more_info: 'https://www.twilio.com/docs/errors/20503',
      status: 503,
    });
  });
});

describe('changing a call', () => {
  let seen: CallOrder[];
  let reply: OrderReply;
  beforeEach(() => {
    seen = [];
    reply = { ok: true };
    region.orders.receiver.receive('worker-1', async (order) => {
      seen.push(order);
      return reply;
    });
  });
  const change = (call: string, form: Form) => post(`${CALLS}/${call}.json`, form);

  it('gives a running call another document', async () => {
    const call = await region.addCall(1, { status: 'in-progress', end_time: null });
    const { status, body } = await change(call.sid, { Url: 'http://app.test/next', Method: 'GET' });
    expect([status, body.sid]).toEqual([200, call.sid]);
    const document = {
      kind: 'url',
      url: 'http://app.test/next',
      method: 'GET',
      fallbackUrl: '',
      fallbackMethod: 'POST',
    };
    expect(seen).toEqual([{ kind: 'redirect', callSid: call.sid, document }]);
    await change(call.sid, { Url: 'http://app.test/next', Method: 'GET', Twiml: '<Response/>' });
    expect(seen[1]).toMatchObject({ kind: 'redirect', document, warnings: [{ code: 32019 }] });
  });

  it('ends a running call and answers once it is over', async () => {
    const call = await region.addCall(1, { status: 'in-progress', end_time: null });
    region.orders.receiver.receive('worker-1', async (order) => {
      seen.push(order);
      region.world.clock.after(120, () => void region.store.save({ ...call, status: 'completed' }));
      return { ok: true };
    });
    const { status, body } = await throughTime(change(call.sid, { Status: 'completed' }));
    expect([status, body.status]).toEqual([200, 'completed']);
    expect(seen).toEqual([{ kind: 'end', callSid: call.sid, status: 'completed' }]);
  });

  it('cancels a queued call before anybody has it', async () => {
    await create(NUMBER);
    const { body: queued } = await create(NUMBER);
    const { status } = await throughTime(change(queued.sid, { Status: 'canceled' }));
    expect(status).toBe(200);
    expect(seen).toEqual([]);
    expect(region.storage.added).toMatchObject([
      { kind: 'finish-call', status: 'canceled', job: { callSid: queued.sid, direction: 'outbound-api' } },
    ]);
    await region.world.clock.advance(5_000);
    expect((await region.calls.take(never))?.job.callSid).not.toBe(queued.sid);
    expect(await region.calls.waiting()).toBe(0);
  });

  it.each<[string, string, Form, number]>([
    ['a call that is over', 'completed', { Status: 'completed' }, 21220],
    ['a document for one that is over', 'busy', { Twiml: '<Response/>' }, 21220],
    ['cancelling one that is answered', 'in-progress', { Status: 'canceled' }, 21220],
    ['a document for a queued one', 'queued', { Url: 'http://a.test/' }, 21220],
    ['nothing to do', 'in-progress', {}, 20001],
    ['both an end and a document', 'in-progress', { Status: 'completed', Url: 'http://a.test/' }, 20001],
    ['a status of its own', 'in-progress', { Status: 'busy' }, 20001],
    ['a Url that is none', 'in-progress', { Url: 'x' }, 21205],
    ['a new time limit', 'in-progress', { TimeLimit: '5' }, 20001],
  ])('refuses %s', async (_what, state, form, code) => {
    const call = await region.addCall(1, { status: state === 'queued' ? 'queued' : 'in-progress' });
    if (state !== 'queued' && state !== 'in-progress') {
      await region.store.save({ ...call, status: state === 'busy' ? 'busy' : 'completed' });
    }
    const { status, body } = await change(call.sid, form);
    expect([status, body.code]).toEqual([400, code]);
    expect(seen).toEqual([]);
  });

  it('passes on why a worker did not', async () => {
    const call = await region.addCall(1, { status: 'in-progress' });
    reply = { ok: false, reason: 'gone', message: 'the call has just ended' };
    const { status, body } = await change(call.sid, { Url: 'http://a.test/' });
    expect([status, body.code, body.message]).toEqual([400, 21220, 'the call has just ended']);
  });

  it('says 503 when the worker does not answer', async () => {
    const call = await region.addCall(1, { status: 'in-progress', worker: 'worker-gone' });
    const { status, body } = await change(call.sid, { Url: 'http://a.test/' });
    expect([status, body.code]).toEqual([503, 20503]);
  });
});

describe('recording a call that runs', () => {
  const seen: CallOrder[] = [];
  beforeEach(() => {
    seen.length = 0;
    region.orders.receiver.receive('worker-1', async (order) => {
      seen.push(order);
      return { ok: true, recordingSid: sid('RE', 5) };
    });
  });

  it('begins, pauses and stops', async () => {
    const call = await region.addCall(1, { status: 'in-progress' });
    const recording = { call_sid: call.sid, source: 'StartCallRecordingAPI', status: 'in-progress' } as const;
    const path = `${CALLS}/${call.sid}/Recordings`;
    region.orders.receiver.receive('worker-1', async (order) => {
      seen.push(order);
      if (order.kind === 'start-recording') await region.addRecording(5, null, recording);
      return { ok: true, recordingSid: sid('RE', 5) };
    });
    const begun = await post(`${path}.json`, { RecordingChannels: 'dual' });
    expect([begun.status, begun.body.sid]).toEqual([201, sid('RE', 5)]);
    expect((await post(`${path}.json`, {})).body.code).toBe(16108); // one at a time
    const paused = await post(`${path}/Twilio.CURRENT.json`, { Status: 'paused', PauseBehavior: 'skip' });
    expect([paused.status, paused.body.sid]).toEqual([200, sid('RE', 5)]);
    const stopped = await post(`${path}/${sid('RE', 5)}.json`, { Status: 'stopped' });
    expect(stopped.status).toBe(200);
    const change = { kind: 'change-recording', callSid: call.sid, recordingSid: sid('RE', 5) };
    expect(seen).toEqual([
      {
        kind: 'start-recording',
        callSid: call.sid,
        recording: { channels: 2, track: 'both', trim: false, callback: null },
      },
      { ...change, status: 'paused', pauseBehavior: 'skip' },
      { ...change, status: 'stopped', pauseBehavior: 'silence' },
    ]);
  });

  it.each([
    ['a call that rings', 'ringing', 21220],
    ['a call that is over', 'completed', 21220],
  ] as const)('refuses %s', async (_what, state, code) => {
    const call = await region.addCall(1, { status: state });
    const { status, body } = await post(`${CALLS}/${call.sid}/Recordings.json`, {});
    expect([status, body.code]).toEqual([400, code]);
  });

  it('refuses to change one that is over, of another call, or none', async () => {
    const call = await region.addCall(1, { status: 'in-progress' });
    await region.addRecording(1, null, { status: 'completed' });
    await region.addRecording(2, null, { status: 'in-progress' });
    const path = (name: string) => `${CALLS}/${call.sid}/Recordings/${name}.json`;
    const stop = { Status: 'stopped' };
    expect((await post(path(sid('RE', 1)), stop)).body.code).toBe(16114);
    expect((await post(path(sid('RE', 2)), stop)).status).toBe(404);
    expect((await post(path('Twilio.CURRENT'), stop)).status).toBe(404);
    expect((await post(path(sid('RE', 1)), {})).body.code).toBe(20001);
    expect(seen).toEqual([]);
  });
});

describe('Interconnect connections', () => {
  const PATH = '/trunkline/v1/Connections';
  const get = (path: string) => request(app).get(path).auth(ACCOUNT, region.token);

  it('are there for every exchange, active, and can be changed and added to', async () => {
    const { body } = await get(PATH);
    expect(body.connections).toHaveLength(8);
    const london = body.connections.find(({ exchange }: { exchange: string }) => exchange === 'london-ix');
    expect(london).toMatchObject({ sid: expect.stringMatching(/^TX[0-9a-f]{32}$/), status: 'active' });
    const changed = await post(`${PATH}/${london.sid}`, { Status: 'inactive' });
    expect([changed.status, changed.body]).toEqual([200, { ...london, status: 'inactive' }]);
    const added = await post(PATH, { Exchange: 'london-ix' });
    expect([added.status, added.body.exchange, added.body.status]).toEqual([201, 'london-ix', 'active']);
    expect((await get(`${PATH}/${added.body.sid}.json`)).body).toEqual(added.body);
    expect((await get(PATH)).body.connections).toHaveLength(9);
  });

  it('refuse what is no exchange and no status, and know no other SID', async () => {
    expect((await post(PATH, { Exchange: 'london' })).body.code).toBe(20001);
    expect((await post(PATH, {})).body.code).toBe(20001);
    expect((await get(`${PATH}/${sid('TX', 1)}`)).status).toBe(404);
  });
});
