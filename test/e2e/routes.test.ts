import { Redis } from 'ioredis';
import type { Twilio } from 'twilio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { storedCalls } from '../support/bucket-files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { twilioClient } from '../support/twilio-client.ts';
import { until } from '../support/until.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { Callers } from './support/caller.ts';
import {
  eventsOf,
  objectNames,
  type StoredCall,
  storedCall,
  storedCallFrom,
  timelineOf,
} from './support/numbers.ts';

type TestRegion = 'us1' | 'ie1';

const NUMBER = '+12025550170';
const UNCALLED = '+12025550171';
const PLACE = { us1: {}, ie1: { edge: 'dublin', region: 'ie1' } } as const;
const TABLE = 'trunkline:global:routes';

/** Each Region on a Redis of its own, and what is global on another one. */
let redis: Record<TestRegion | 'global', TestRedis>;
let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;
let numberSid: string;

/** The official client as an application has it: through the front, by host name. */
function client(region: TestRegion): Twilio {
  const { httpPort, accountSid, tokens } = trunkline;
  return twilioClient(httpPort, accountSid, tokens[region] ?? '', PLACE[region]);
}

const route = (region: TestRegion, number = NUMBER) => client(region).routes.v2.phoneNumbers(number);

/** Our own resources, at a Region's own port. */
async function ask(region: TestRegion, path: string): Promise<Response> {
  const { httpPort, accountSid, tokens } = trunkline;
  const login = Buffer.from(`${accountSid}:${tokens[region]}`).toString('base64');
  const port = httpPort + (region === 'us1' ? 1 : 2);
  return fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Basic ${login}` } });
}

const change = z.object({
  by: z.object({ credential_sid: z.string(), region: z.string() }).nullable(),
  before: z.object({ voice_region: z.string() }).nullable(),
  after: z.object({ voice_region: z.string() }).nullable(),
});

/** The audit trail of the number as a Region shows it, oldest first: host asked, Region before and after. */
async function trail(region: TestRegion): Promise<string[]> {
  const response = await ask(region, `/trunkline/v1/Routes/PhoneNumbers/${NUMBER}/Changes`);
  const { changes } = z.object({ changes: z.array(change) }).parse(await response.json());
  return changes
    .toReversed()
    .map(({ by, before, after }) =>
      [by?.region, before?.voice_region ?? 'none', after?.voice_region ?? 'none'].join(' '),
    );
}

/** Look-ups of numbers that all edge processes together count, by how they ended. */
async function lookups(outcome: 'cached' | 'read' | 'failed'): Promise<number> {
  const page = await fetch(`http://127.0.0.1:${trunkline.httpPort}/metrics`).then((answer) => answer.text());
  const lines = page.split('\n').filter((line) => line.startsWith('trunkline_route_lookups_total'));
  const meant = lines.filter(
    (line) => line.includes(`outcome="${outcome}"`) && line.includes('"phone-number"'),
  );
  return meant.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** A call that is answered and hung up, and its record, wherever it is. */
async function completedCall(callee: string, from: string, edge: string): Promise<StoredCall> {
  const call = callers.call(callee, '--from', from, '--edge', edge);
  await call.says(/200 OK/);
  call.hangUp();
  expect(await call.code).toBe(0);
  const found = await until(`the record of the call from ${from}`, () =>
    (['us1', 'ie1'] as const)
      .flatMap((region) => storedCalls(trunkline.home, region).map((stored) => ({ region, stored })))
      .find(({ stored }) => stored.from.includes(from)),
  );
  return storedCall(trunkline, found.region, found.stored.sid); // its timeline, too
}

/** The first call that goes by a re-route: one that overtakes its announcement still goes where it went. */
async function callIn(region: TestRegion, callee: string, caller: number, edge: string): Promise<StoredCall> {
  let next = caller;
  return until(`a call to ${callee} in ${region}`, async () => {
    const call = await completedCall(callee, `+${next++}`, edge);
    return call.region === region && call;
  });
}

beforeAll(async () => {
  const [us1, ie1, global] = await Promise.all([startRedis(), startRedis(), startRedis()]);
  redis = { us1, ie1, global };
  app = await WebhookApp.start();
  trunkline = await startTrunkline({
    env: {
      TRUNKLINE_DEMO: 'false',
      TRUNKLINE_REGIONS: 'us1,ie1',
      REDIS_URL_US1: us1.url,
      REDIS_URL_IE1: ie1.url,
      GLOBAL_REDIS_URL: global.url,
    },
  });
  callers = new Callers(trunkline.sip);
  for (const region of ['us1', 'ie1']) {
    app.on(`/${region}/voice`, { body: '<Response><Say>Hello.</Say><Pause length="60"/></Response>' });
  }
  const us1Url = app.url('/us1/voice');
  const created = await client('us1').incomingPhoneNumbers.create({ phoneNumber: NUMBER, voiceUrl: us1Url });
  numberSid = created.sid;
  await client('us1').incomingPhoneNumbers.create({ phoneNumber: UNCALLED, voiceUrl: us1Url });
});

afterAll(async () => {
  callers?.close();
  await trunkline?.stop();
  await app?.stop();
  await Promise.all(Object.values(redis ?? {}).map((one) => one.stop()));
});

describe('the Region of a number', () => {
  it('[P13] is read and set by the official client from every Region’s host, and is one record', async () => {
    await expect(route('us1').fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
    const set = await route('us1').update({ voiceRegion: 'ie1', friendlyName: 'Main' });
    expect(set).toMatchObject({ phoneNumber: NUMBER, voiceRegion: 'ie1', friendlyName: 'Main' });
    expect(set.sid).toMatch(/^QQ[0-9a-f]{32}$/);
    expect(set.accountSid).toBe(trunkline.accountSid);
    expect(set.dateCreated.getTime()).toBeGreaterThan(0);
    const read = await route('ie1').fetch();
    expect(read).toMatchObject({ sid: set.sid, voiceRegion: 'ie1', dateCreated: set.dateCreated });
    const back = await route('ie1').update({ voiceRegion: 'us1' });
    expect(back).toMatchObject({ sid: set.sid, voiceRegion: 'us1', friendlyName: 'Main' });
    expect(await trail('us1')).toEqual(['us1 none ie1', 'ie1 ie1 us1']);
    expect(await trail('ie1')).toEqual(await trail('us1'));
  });

  it('is refused in another Region’s credentials, an edge’s name, and under a key of nobody', async () => {
    const { httpPort, accountSid, tokens } = trunkline;
    const wrong = twilioClient(httpPort, accountSid, tokens['us1'] ?? '', PLACE.ie1);
    const { v2 } = client('us1').routes;
    await expect(wrong.routes.v2.phoneNumbers(NUMBER).fetch()).rejects.toMatchObject({ code: 20003 });
    await expect(route('us1').update({ voiceRegion: 'dublin' })).rejects.toMatchObject({ code: 21252 });
    await expect(route('us1').update({ voiceRegion: 'au1' })).rejects.toMatchObject({ code: 21252 });
    for (const key of ['+12025550199', 'nonsense']) {
      await expect(v2.phoneNumbers(key).fetch()).rejects.toMatchObject({ code: 20404 });
    }
    const trunk = v2.trunks('east.pstn.twilio.com');
    await expect(trunk.fetch()).rejects.toMatchObject({ code: 20404 });
    await expect(trunk.update({ voiceRegion: 'ie1' })).rejects.toMatchObject({ code: 20404 });
    const domain = v2.sipDomains('nobody.sip.twilio.com');
    await expect(domain.update({ voiceRegion: 'ie1' })).rejects.toMatchObject({ code: 20404 });
    expect((await route('us1').fetch()).voiceRegion).toBe('us1');
  });

  it('is written by two Regions at once in one order', async () => {
    const before = (await trail('us1')).length;
    const writers = (['us1', 'ie1', 'us1', 'ie1'] as const).map((region) =>
      route(region).update({ voiceRegion: region }),
    );
    const answers = await Promise.all(writers);
    expect(new Set(answers.map(({ sid }) => sid)).size).toBe(1);
    const added = (await trail('ie1')).slice(before).map((text) => text.split(' '));
    expect(added).toHaveLength(4);
    for (const [n, [host, was, is]] of added.entries()) {
      expect(is).toBe(host);
      if (n > 0) expect(was).toBe(added[n - 1]?.[2]);
    }
    expect((await route('us1').fetch()).voiceRegion).toBe(added.at(-1)?.[2]);
  });
});

describe('a call', () => {
  it('[P2] is passed by its edge to the Region of the record, and its timeline says so', async () => {
    const record = await route('us1').update({ voiceRegion: 'us1' });
    const call = await completedCall(NUMBER, '+15550100011', 'sydney');
    expect(call).toMatchObject({ region: 'us1', ingress_edge: 'sydney' });
    const [routed, ...more] = eventsOf(timelineOf(trunkline, 'us1', call.sid), 'routed');
    expect(routed).toMatchObject({
      edge: 'sydney',
      key: NUMBER,
      record: 'explicit',
      sid: record.sid,
      region: 'us1',
    });
    expect(routed?.age_ms).toBeGreaterThanOrEqual(0);
    expect(more).toEqual([]);
  });

  it('[P1] stays where it is when its number is re-routed, and the next one goes to the new Region', async () => {
    await client('ie1')
      .incomingPhoneNumbers(numberSid)
      .update({ voiceUrl: app.url('/ie1/voice') });
    const first = callers.call(NUMBER, '--from', '+15550100021');
    await first.says(/200 OK/);
    const running = async () =>
      (await client('us1').calls.list({ from: '+15550100021', status: 'in-progress' })).length === 1;
    await until('the first call in us1', running); // a live record is written a little late

    await route('ie1').update({ voiceRegion: 'ie1' });
    const second = await callIn('ie1', NUMBER, 15550100060, 'ashburn');
    expect(second.status).toBe('completed');

    expect(await running()).toBe(true);
    expect(first.printed()).not.toContain('BYE');
    first.hangUp();
    expect(await first.code).toBe(0);
    const kept = await storedCallFrom(trunkline, 'us1', '+15550100021');
    expect(kept).toMatchObject({ region: 'us1', status: 'completed' });
    for (const [region, other] of [
      ['us1', second.sid],
      ['ie1', kept.sid],
    ] as const) {
      expect(objectNames(trunkline, region).filter((name) => name.includes(other))).toEqual([]);
    }
  });

  it('is refused with 503 when the entry of its number is damaged, and gets through once that is mended', async () => {
    const field = `phone-number:${NUMBER}`;
    const table = new Redis(redis.global.url);
    const announced = async (value: string) => {
      await table.hset(TABLE, field, value);
      await table.publish(`${TABLE}:changed`, field);
    };
    try {
      const whole = (await table.hget(TABLE, field)) ?? '';
      await announced(whole.replace(/"voiceRegion":"\w+"/, '"voiceRegion":"ie9"'));
      await until('the damage to be noticed', async () => {
        const call = callers.call(NUMBER, '--from', '+15550100031');
        await call.says(/200 OK|503 /);
        call.hangUp();
        return (await call.code) === 1 && /503 /.test(call.printed());
      });
      expect((await ask('us1', `/v2/PhoneNumbers/${NUMBER}`)).status).toBe(503);
      await announced(whole);
      await until('a call that gets through', async () => {
        const call = callers.call(NUMBER, '--from', '+15550100032');
        await call.says(/200 OK|503 /);
        call.hangUp();
        return (await call.code) === 0;
      });
    } finally {
      table.disconnect();
    }
    expect((await route('ie1').fetch()).voiceRegion).toBe('ie1');
  });

  it('[P3] is refused with 503, in no Region, while the route table is away', async () => {
    expect(await lookups('read')).toBeGreaterThan(0);
    const failed = await lookups('failed');
    await redis.global.kill();
    try {
      // Its route was never asked for, and "there is no record" would mean us1.
      const call = callers.call(UNCALLED, '--from', '+15550100041');
      expect(await call.code).toBe(1);
      expect(call.printed()).toMatch(/503 /);
      expect(await lookups('failed')).toBeGreaterThan(failed);
      for (const region of ['us1', 'ie1'] as const) {
        const answer = await ask(region, `/v2/PhoneNumbers/${NUMBER}`);
        expect(answer.status).toBe(503);
        expect(await answer.json()).toMatchObject({ code: 20503 });
      }
    } finally {
      await redis.global.start();
    }
    await until('routes again', async () => {
      const answer = await ask('us1', `/v2/PhoneNumbers/${NUMBER}`);
      return answer.status === 200;
    });
    await until('calls again', async () => {
      const call = callers.call(UNCALLED, '--from', '+15550100042');
      await call.says(/200 OK|503 /);
      call.hangUp();
      return (await call.code) === 0;
    });
    await storedCallFrom(trunkline, 'us1', '+15550100042');
    for (const region of ['us1', 'ie1'] as const) {
      const callers = storedCalls(trunkline.home, region).map(({ from }) => from);
      expect(callers, region).not.toContain('+15550100041');
    }
  });
});

describe('the Region of a SIP domain', () => {
  const DOMAIN = 'acme.sip.twilio.com';

  /** The domain in a Region, open to callers of this machine. */
  async function createDomain(region: TestRegion): Promise<void> {
    const { sip } = client(region);
    const domain = await sip.domains.create({ domainName: DOMAIN, voiceUrl: app.url(`/${region}/voice`) });
    const list = await sip.ipAccessControlLists.create({ friendlyName: 'here' });
    await sip
      .ipAccessControlLists(list.sid)
      .ipAddresses.create({ friendlyName: 'this machine', ipAddress: '127.0.0.1' });
    const { ipAccessControlListMappings } = sip.domains(domain.sid).auth.calls;
    await ipAccessControlListMappings.create({ ipAccessControlListSid: list.sid });
  }

  it('[D5] [D6] can be read, and its re-route moves the calls', async () => {
    await createDomain('us1');
    await createDomain('ie1');
    const inUs1 = client('us1').routes.v2.sipDomains(DOMAIN);
    const inIe1 = client('ie1').routes.v2.sipDomains(DOMAIN);
    await expect(inIe1.fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
    const before = await completedCall(`sip:ann@${DOMAIN}`, '+15550100071', 'dublin');
    expect(eventsOf(timelineOf(trunkline, 'us1', before.sid), 'routed')).toMatchObject([
      { edge: 'dublin', key: 'acme', record: 'default', sid: null, region: 'us1' },
    ]);

    const record = await inUs1.update({ voiceRegion: 'ie1' });
    expect(record).toMatchObject({ sipDomain: DOMAIN, voiceRegion: 'ie1' });
    expect(await inIe1.fetch()).toMatchObject({ sid: record.sid, voiceRegion: 'ie1' });
    const localized = client('us1').routes.v2.sipDomains('acme.sip.dublin.twilio.com');
    await expect(localized.update({ voiceRegion: 'us1' })).rejects.toMatchObject({
      code: 20404,
      message: expect.stringContaining(DOMAIN),
    });
    const after = await callIn('ie1', `sip:bob@${DOMAIN}`, 15550100080, 'ashburn');
    expect(eventsOf(timelineOf(trunkline, 'ie1', after.sid), 'routed')).toMatchObject([
      { edge: 'ashburn', key: 'acme', record: 'explicit', sid: record.sid, region: 'ie1' },
    ]);
    expect(objectNames(trunkline, 'us1').filter((name) => name.includes(after.sid))).toEqual([]);
  });
});

describe('a re-route that takes its time', () => {
  let slow: RunningTrunkline;
  let slowCallers: Callers;

  beforeAll(async () => {
    slow = await startTrunkline({
      env: { TRUNKLINE_DEMO: 'false', TRUNKLINE_REGIONS: 'us1,ie1', TRUNKLINE_ROUTE_DELAY_MS: '300000' },
    });
    slowCallers = new Callers(slow.sip);
  });
  afterAll(async () => {
    slowCallers?.close();
    await slow?.stop();
  });

  it('[P14] is shown as pending, with its end within five minutes; until then calls go where they went', async () => {
    const { httpPort, accountSid, tokens } = slow;
    const us1 = twilioClient(httpPort, accountSid, tokens['us1'] ?? '');
    await us1.incomingPhoneNumbers.create({ phoneNumber: NUMBER, voiceUrl: app.url('/us1/voice') });
    const record = await us1.routes.v2.phoneNumbers(NUMBER).update({ voiceRegion: 'ie1' });
    expect(record.voiceRegion).toBe('ie1');
    const path = `/trunkline/v1/Routes/PhoneNumbers/${NUMBER}`;
    const read = async (what: string): Promise<unknown> => {
      const { body } = await us1.request({ method: 'get', uri: `https://routes.twilio.com${path}${what}` });
      return body;
    };
    const state = z
      .object({
        active_region: z.string(),
        pending: z.object({ voice_region: z.string(), date_effective: z.iso.datetime() }),
        warnings: z.array(z.string()),
      })
      .parse(await read(''));
    expect(state).toMatchObject({ active_region: 'us1', pending: { voice_region: 'ie1' } });
    const changed = z.object({ date: z.iso.datetime(), date_effective: z.iso.datetime() });
    const { changes } = z.object({ changes: z.tuple([changed]) }).parse(await read('/Changes'));
    expect(changes[0].date_effective).toBe(state.pending.date_effective);
    expect(Date.parse(changes[0].date_effective) - Date.parse(changes[0].date)).toBe(300_000);
    expect(state.warnings).toEqual([expect.stringContaining('no voice configuration in ie1')]);
    const call = slowCallers.call(NUMBER, '--from', '+15550100051');
    await call.says(/200 OK/);
    call.hangUp();
    expect(await call.code).toBe(0);
    expect((await storedCallFrom(slow, 'us1', '+15550100051')).region).toBe('us1');
  });
});
