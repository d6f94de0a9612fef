import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { edgePort } from '../../src/region/edge.ts';
import { Device } from '../peers/support/device.ts';
import { DomainCaller } from '../peers/support/domain-caller.ts';
import { noise } from '../support/alignment.ts';
import { bucketFiles, storedCalls } from '../support/bucket-files.ts';
import { notRun } from '../support/peers.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { writePcm } from '../support/wav-compare.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { Callers } from './support/caller.ts';
import { clientOf, type RegionName, storedCallFrom } from './support/numbers.ts';
import { environmentOf, hasProc, pidOf } from './support/processes.ts';

/*
 * Given one account with a number, a SIP domain and a device in each of two Regions, every Region with stores of its
 * own; when calls of all kinds have been made; then nothing of the one is found in the other, and the loss of the one is
 * not noticed in the other.
 */

type Own = Extract<RegionName, 'us1' | 'ie1'>;

const REGIONS = ['us1', 'ie1'] as const;
const OTHER = { us1: 'ie1', ie1: 'us1' } as const;
const NUMBERS = { us1: '+12025550170', ie1: '+35315550170' } as const;
const PASSWORDS = { us1: 'Secret-of-us1-99', ie1: 'Secret-of-ie1-99' } as const;
const DOMAINS = { us1: 'west', ie1: 'east' } as const;

let redis: Readonly<Record<Own | 'global', TestRedis>>;
let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;
let folder: string;
let speech: string;
const devices: Device[] = [];

const host = (region: Own) => `${DOMAINS[region]}.sip.twilio.com`;
const aor = (region: Own) => `sip:desk@${host(region)}`;
const user = (region: Own) => ({ username: 'desk', password: PASSWORDS[region] });

/** A number, a domain with its credential list and their webhooks, all on the Region's own host. */
async function equip(region: Own): Promise<void> {
  const client = clientOf(trunkline, region);
  const voiceUrl = app.on(`/${region}/voice`, {
    body: '<Response><Record maxLength="1" playBeep="false" timeout="5" action="/done"/></Response>',
  });
  await client.incomingPhoneNumbers.create({ phoneNumber: NUMBERS[region], voiceUrl });
  const domain = await client.sip.domains.create({
    domainName: host(region),
    sipRegistration: true,
    voiceUrl,
  });
  const list = await client.sip.credentialLists.create({ friendlyName: `desks of ${region}` });
  await client.sip.credentialLists(list.sid).credentials.create(user(region));
  const { auth } = client.sip.domains(domain.sid);
  await auth.calls.credentialListMappings.create({ credentialListSid: list.sid });
  await auth.registrations.credentialListMappings.create({ credentialListSid: list.sid });
}

async function register(region: Own): Promise<number> {
  const device = await Device.udp(edgePort('ashburn', trunkline.sip.port));
  devices.push(device);
  const uri = `sip:${host(region)}`;
  const { status } = await device.register({
    user: 'desk',
    password: PASSWORDS[region],
    uri,
    host: host(region),
    contacts: [`<sip:desk@127.0.0.1:${device.port}>`],
  });
  return status;
}

/** Somebody calls the Region's number and says something: a call with a recording. */
async function callNumber(region: Own, from: string): Promise<string> {
  const call = callers.call(NUMBERS[region], '--from', from, '--play', speech);
  expect(await call.code, call.printed()).toBe(0);
  return (await storedCallFrom(trunkline, region, from)).sid;
}

async function callDomain(region: Own): Promise<void> {
  const caller = await DomainCaller.open(trunkline.sip);
  try {
    const attempt = await caller.inviteAs(user(region), {
      uri: `sip:support@${host(region)}`,
      from: `<sip:desk@${host(region)}>`,
    });
    expect(attempt.status, attempt.response).toBe(180);
  } finally {
    caller.close();
  }
}

/** Everything a Redis holds, keys and values. */
async function contentOf({ url }: TestRedis): Promise<string> {
  const connection = new Redis(url);
  const parts: string[] = [];
  try {
    for (const key of await connection.keys('*')) {
      parts.push(key);
      switch (await connection.type(key)) {
        case 'string':
          parts.push((await connection.get(key)) ?? '');
          break;
        case 'hash':
          parts.push(JSON.stringify(await connection.hgetall(key)));
          break;
        case 'list':
          parts.push(...(await connection.lrange(key, 0, '-1')));
          break;
        case 'set':
          parts.push(...(await connection.smembers(key)));
          break;
        case 'zset':
          parts.push(...(await connection.zrange(key, 0, '-1')));
          break;
        case 'stream':
          parts.push(JSON.stringify(await connection.xrange(key, '-', '+')));
          break;
      }
    }
  } finally {
    connection.disconnect();
  }
  return parts.join('\n');
}

beforeAll(async () => {
  const [us1, ie1, global] = await Promise.all([startRedis(), startRedis(), startRedis()]);
  redis = { us1, ie1, global };
  app = await WebhookApp.start();
  app.on('/done', { body: '<Response><Hangup/></Response>' });
  trunkline = await startTrunkline({
    env: {
      TRUNKLINE_DEMO: 'false',
      TRUNKLINE_REGIONS: 'us1,ie1',
      REDIS_URL_US1: us1.url,
      REDIS_URL_IE1: ie1.url,
      GLOBAL_REDIS_URL: global.url,
    },
  });
  folder = mkdtempSync(join(tmpdir(), 'trunkline-speech-'));
  speech = join(folder, 'speech.wav');
  writePcm(speech, noise(3));
  callers = new Callers(trunkline.sip);
  for (const region of REGIONS) await equip(region);
});

afterAll(async () => {
  callers.close();
  rmSync(folder, { recursive: true });
  await Promise.all(devices.map((device) => device.close()));
  await trunkline.stop();
  await app.stop();
  await Promise.all(Object.values(redis).map((one) => one.stop()));
});

describe('after calls of all kinds in both Regions', () => {
  const calls: Record<Own, string[]> = { us1: [], ie1: [] };

  beforeAll(async () => {
    for (const [n, region] of REGIONS.entries()) {
      expect(await register(region)).toBe(200);
      calls[region].push(await callNumber(region, `+1555016000${n}`));
      await callDomain(region);
      const client = clientOf(trunkline, region);
      // Nobody answers at the device; the call is made, and ends, in its Region all the same.
      const { sid } = await client.calls.create({
        to: aor(region),
        from: NUMBERS[region],
        twiml: '<Response/>',
        timeout: 5,
      });
      calls[region].push(sid);
    }
    for (const region of REGIONS) {
      await until(`three records in ${region}`, () => storedCalls(trunkline.home, region).length >= 3);
      await until(`a recording in ${region}`, () =>
        bucketFiles(trunkline.home, region).some((name) => /RE[0-9a-f]{32}\.wav$/.test(name)),
      );
      calls[region].push(...storedCalls(trunkline.home, region).map(({ sid }) => sid));
    }
  });

  it.each(REGIONS)('[D1] [P9] [E8] no store of %s holds anything of the other Region', async (region) => {
    const other = OTHER[region];
    const content = await contentOf(redis[region]);
    expect(content).toContain(calls[region][0]);
    for (const sid of calls[other]) expect(content).not.toContain(sid);
    expect(content).not.toContain(`trunkline:${other}:`);
    expect(content).not.toContain(`calls-${other}`);
    expect(content).not.toContain(`desk@${DOMAINS[other]}`);
    for (const path of bucketFiles(trunkline.home, region)) {
      for (const sid of calls[other]) expect(path).not.toContain(sid);
    }
    for (const record of storedCalls(trunkline.home, region)) expect(record.region).toBe(region);
  });

  it('the global store holds routes and names, no call, no password, no device', async () => {
    const content = await contentOf(redis.global);
    for (const region of REGIONS) {
      expect(content).toContain(DOMAINS[region]);
      for (const sid of calls[region]) expect(content).not.toContain(sid);
      expect(content).not.toContain('desk@');
      expect(content).not.toContain(trunkline.tokens[region]);
    }
  });

  it('nowhere is a password kept as it was given', async () => {
    for (const store of Object.values(redis)) {
      const content = await contentOf(store);
      for (const password of Object.values(PASSWORDS)) expect(content).not.toContain(password);
    }
    for (const password of Object.values(PASSWORDS))
      expect(trunkline.output.join('\n')).not.toContain(password);
  });
});

if (!hasProc) notRun('secrets of processes', 'reads /proc, which this system does not have');
else
  it.each(REGIONS)('no process of %s holds a secret of the other Region', (region) => {
    const other = OTHER[region];
    for (const role of ['worker', 'region']) {
      const environment = environmentOf(pidOf(trunkline.home, `${role}-${region}`));
      expect(environment).toContain(redis[region].url);
      expect(environment).not.toContain(redis[other].url);
      expect(environment).not.toContain(trunkline.tokens[other]);
    }
  });

describe('when the Redis and the bucket of ie1 are gone', () => {
  beforeAll(async () => {
    await redis.ie1.kill();
    const bucket = join(trunkline.home, 'buckets', 'trunkline-ie1');
    rmSync(bucket, { recursive: true });
    writeFileSync(bucket, ''); // nothing can be stored where a file is in the way
  });

  it('us1 does not notice: REST, calls to numbers and domains, registrations, recordings', async () => {
    const client = clientOf(trunkline, 'us1');
    expect((await client.calls.list()).length).toBeGreaterThan(0);
    expect(await register('us1')).toBe(200);
    await callDomain('us1');
    const sid = await callNumber('us1', '+15550160010');
    const recording = await until('its recording', async () =>
      (await client.recordings.list({ callSid: sid })).find(({ status }) => status === 'completed'),
    );
    expect(recording.callSid).toBe(sid);
  });

  it('what is routed to ie1 is refused with 503 and goes nowhere else', async () => {
    const before = app.seen.length;
    expect(await register('ie1')).toBe(503);
    const caller = await DomainCaller.open(trunkline.sip);
    const attempt = await caller.invite({ uri: `sip:support@${host('ie1')}` });
    caller.close();
    expect(attempt.status).toBe(503);
    expect(app.seen.slice(before)).toEqual([]);
    expect(storedCalls(trunkline.home, 'us1').map(({ to }) => to)).not.toContain(
      `sip:support@${host('ie1')}`,
    );
  });
});
