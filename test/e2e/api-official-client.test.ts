import request from 'supertest';
import twilio from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { frontApp } from '../../src/api/front/front-app.ts';
import { regionApp } from '../../src/api/region-app.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { REGION_IDS, type RegionId } from '../../src/region/region.ts';
import { type Listening, listen } from '../support/listen.ts';
import { twilioClient } from '../support/twilio-client.ts';
import { ACCOUNT, RegionWorld, sid, World } from '../unit/api/support/region.ts';

const NUMBER = '+15105550100';
const EDGES = { us1: 'ashburn', ie1: 'dublin', au1: 'sydney' } as const;

let worlds: Map<RegionId, RegionWorld>;
let services: Map<RegionId, Listening>;
let front: Listening;
let closeFront: () => void;

beforeEach(async () => {
  const world = new World();
  worlds = new Map(REGION_IDS.map((id) => [id, new RegionWorld(id, world)]));
  services = new Map();
  for (const [id, region] of worlds) services.set(id, await listen(regionApp(region.options())));
  const app = frontApp({
    regions: [...services].map(([id, { url }]) => ({ id, baseUrl: url })),
    domain: 'trunkline.localhost',
    ready: async () => true,
    metrics: { contentType: 'text/plain', metrics: async () => '' },
    logger: silentLogger,
  });
  closeFront = app.close;
  front = await listen(app.listener);
});

afterEach(async () => {
  closeFront();
  await front.close();
  for (const service of services.values()) await service.close();
});

function regionWorld(id: RegionId): RegionWorld {
  const found = worlds.get(id);
  if (!found) throw new Error(`no ${id}`);
  return found;
}

/** Through the front, as an application configured for this Region. */
const client = (region: RegionId, token = `token-of-${region}`) =>
  twilioClient(front.port, ACCOUNT, token, region === 'us1' ? {} : { edge: EDGES[region], region });

const restException = z.object({ status: z.number(), code: z.number(), message: z.string() });

async function failure(work: Promise<unknown>): Promise<z.infer<typeof restException>> {
  const error: unknown = await work.then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(twilio.RestException);
  return restException.parse(error);
}

describe('numbers and routes', () => {
  it('one number, two Regions, two configurations, one route', async () => {
    const created = await client('us1').incomingPhoneNumbers.create({
      phoneNumber: NUMBER,
      voiceUrl: 'https://us1.example.com/voice',
    });
    expect(created.phoneNumber).toBe(NUMBER);
    expect(created.capabilities.voice).toBe(true);
    expect(created.dateCreated.toISOString()).toBe('2026-01-15T12:00:00.000Z');

    const fromDublin = await client('ie1').incomingPhoneNumbers(created.sid).fetch();
    expect(fromDublin.voiceUrl).toBeFalsy();
    await fromDublin.update({ voiceUrl: 'https://ie1.example.com/voice', voiceMethod: 'GET' });
    expect((await client('ie1').incomingPhoneNumbers(created.sid).fetch()).voiceMethod).toBe('GET');
    const [listed] = await client('us1').incomingPhoneNumbers.list({ phoneNumber: NUMBER, limit: 20 });
    expect(listed).toMatchObject({ voiceUrl: 'https://us1.example.com/voice', voiceMethod: 'POST' });

    expect(await failure(client('us1').routes.v2.phoneNumbers(NUMBER).fetch())).toMatchObject({
      code: 20404,
    });
    const routed = await client('us1')
      .routes.v2.phoneNumbers(NUMBER)
      .update({ voiceRegion: 'ie1', friendlyName: 'Cork' });
    expect(routed).toMatchObject({ voiceRegion: 'ie1', phoneNumber: NUMBER, friendlyName: 'Cork' });
    const read = await client('au1').routes.v2.phoneNumbers(NUMBER).fetch();
    expect(read).toMatchObject({ sid: routed.sid, voiceRegion: 'ie1' });
    expect(read.dateUpdated?.toISOString()).toBe('2026-01-15T12:00:00.000Z');

    expect(await client('au1').incomingPhoneNumbers(created.sid).remove()).toBe(true);
    expect(await failure(client('us1').incomingPhoneNumbers(created.sid).fetch())).toMatchObject({
      status: 404,
    });
    expect(await client('ie1').incomingPhoneNumbers.list()).toEqual([]);
  });

  it('a number created in a Region is routed there', async () => {
    await client('au1').incomingPhoneNumbers.create({ phoneNumber: NUMBER });
    expect((await client('us1').routes.v2.phoneNumbers(NUMBER).fetch()).voiceRegion).toBe('au1');
  });

  it('follows the pages by itself', async () => {
    for (let n = 0; n < 7; n++)
      await client('us1').incomingPhoneNumbers.create({ phoneNumber: `+1510555010${n}` });
    const all = await client('us1').incomingPhoneNumbers.list({ pageSize: 3 });
    expect(new Set(all.map((number) => number.phoneNumber)).size).toBe(7);
  });
});

describe('calls and recordings', () => {
  beforeEach(async () => {
    const ireland = regionWorld('ie1');
    for (let n = 1; n <= 5; n++) await ireland.addCall(n, n === 5 ? { status: 'busy' } : {});
    await ireland.addRecording(1, Buffer.from('RIFF....WAVE'));
  });

  it('are listed and fetched in their Region, and in no other', async () => {
    const dublin = client('ie1');
    expect(await dublin.calls.list({ limit: 20 })).toHaveLength(5);
    expect(await dublin.calls.list({ pageSize: 2 })).toHaveLength(5);
    expect(await dublin.calls.list({ status: 'busy' })).toHaveLength(1);
    const after = new Date('2026-01-15T12:03:00Z');
    expect(await dublin.calls.list({ startTimeAfter: after })).toHaveLength(3);
    expect(await dublin.calls.list({ startTimeBefore: after })).toHaveLength(3);
    const call = await dublin.calls(sid('CA', 1)).fetch();
    expect(call).toMatchObject({ status: 'completed', duration: '10', direction: 'inbound', price: null });
    expect(call.startTime.toISOString()).toBe('2026-01-15T12:01:00.000Z');

    expect(await client('us1').calls.list()).toEqual([]);
    expect(await failure(client('us1').calls(sid('CA', 1)).fetch())).toMatchObject({
      status: 404,
      code: 20404,
    });
  });

  it('are downloaded and deleted', async () => {
    const dublin = client('ie1');
    const [recording] = await dublin.recordings.list({ callSid: sid('CA', 1) });
    expect(recording).toMatchObject({
      sid: sid('RE', 1),
      status: 'completed',
      channels: 1,
      source: 'RecordVerb',
    });
    const [ofCall] = await dublin.calls(sid('CA', 1)).recordings.list();
    expect(ofCall?.track).toBe('inbound');

    const media = await request(front.server)
      .get(new URL(recording?.mediaUrl ?? '').pathname)
      .set('Host', 'api.dublin.ie1.trunkline.localhost')
      .auth(ACCOUNT, 'token-of-ie1')
      .buffer(true)
      .responseType('blob');
    expect(media.headers['content-type']).toBe('audio/wav');
    expect(media.body.toString()).toBe('RIFF....WAVE');

    expect(await dublin.recordings(sid('RE', 1)).remove()).toBe(true);
    expect(await failure(dublin.recordings(sid('RE', 1)).fetch())).toMatchObject({ code: 20404 });
    const left = await regionWorld('ie1').objects();
    expect(left.filter((name) => !name.includes('/deleted/'))).toEqual([]);
  });
});

describe('errors reach the application as RestException', () => {
  it.each(REGION_IDS)("%s takes its own token and no other Region's", async (region) => {
    for (const other of REGION_IDS) {
      const asked = client(region, `token-of-${other}`).calls.list();
      if (other === region) expect(await asked).toEqual([]);
      else expect(await failure(asked)).toMatchObject({ status: 401, code: 20003 });
    }
  });

  it('20007 for a page that is too large', async () => {
    // The client never asks for more than 1000 by itself.
    const asked = client('us1').calls.page({ pageSize: 1001 });
    expect(await failure(asked)).toMatchObject({ status: 400, code: 20007 });
  });

  it('21252 for an edge given as a Region', async () => {
    await client('us1').incomingPhoneNumbers.create({ phoneNumber: NUMBER });
    const asked = client('us1').routes.v2.phoneNumbers(NUMBER).update({ voiceRegion: 'de1' });
    expect(await failure(asked)).toMatchObject({ status: 400, code: 21252 });
  });

  it('20404 for a host name that stopped working, with the one to use', async () => {
    const retired = twilioClient(front.port, ACCOUNT, 'token-of-us1', { region: 'ie1' });
    const error = await failure(retired.calls.list());
    expect(error).toMatchObject({ status: 404, code: 20404 });
    expect(error).toHaveProperty('message', expect.stringContaining('api.dublin.ie1.twilio.com'));
  });

  it('20503 for a Region that is down', async () => {
    await services.get('ie1')?.close();
    expect(await failure(client('ie1').calls.list())).toMatchObject({ status: 503, code: 20503 });
    expect(await client('us1').calls.list()).toEqual([]);
  });
});

it("talks to a Region's own port whatever the host says", async () => {
  const port = services.get('ie1')?.port ?? 0;
  await regionWorld('ie1').addCall(1);
  expect(await twilioClient(port, ACCOUNT, 'token-of-ie1').calls.list()).toHaveLength(1);
});
