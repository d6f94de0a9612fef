import { Queue } from 'bullmq';
import twilio from 'twilio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { notRun } from '../support/peers.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { type SeenRequest, WebhookApp } from '../support/webhook-app.ts';
import { Callers } from './support/caller.ts';
import {
  clientOf,
  eventsOf,
  objectNames,
  type RegionName,
  storedCallFrom,
  timelineOf,
} from './support/numbers.ts';
import { environmentOf, hasProc, pidOf } from './support/processes.ts';

const REGIONS = ['us1', 'ie1', 'au1'] as const;
const NUMBER = '+12025550160';
/** Not used without an endpoint; they must get nowhere all the same. */
const STORE_KEYS = { us1: 'store-key-of-us1', ie1: 'store-key-of-ie1', au1: 'store-key-of-au1' };

let redis: Record<RegionName, TestRedis>;
let trunkline: RunningTrunkline;
let app: WebhookApp;
let callers: Callers;
let numberSid: string;

const requestsOf = (region: RegionName) => app.seen.filter(({ path }) => path.startsWith(`/${region}/`));
/** CallSids whose webhooks a Region's URLs got. */
const callsOf = (region: RegionName) => new Set(requestsOf(region).map(({ form }) => form['CallSid']));

/** The calls whose jobs went through a Region's queue, read from its Redis as the dashboard does. */
async function jobsOf(region: RegionName): Promise<(string | undefined)[]> {
  const queue = new Queue(`calls-${region}`, { connection: { url: redis[region].url } });
  try {
    const jobs = await queue.getJobs(['waiting', 'active', 'completed', 'failed', 'delayed', 'prioritized']);
    return jobs.map((job) => job.id?.replace(/-\d+$/, ''));
  } finally {
    await queue.close();
  }
}

async function route(voiceRegion: RegionName): Promise<void> {
  await clientOf(trunkline, 'us1')
    .routes.v2.phoneNumbers(NUMBER)
    .update({ voiceRegion, friendlyName: 'Tours' });
}

beforeAll(async () => {
  const [us1, ie1, au1] = await Promise.all([startRedis(), startRedis(), startRedis()]);
  redis = { us1, ie1, au1 };
  app = await WebhookApp.start();
  trunkline = await startTrunkline({
    env: {
      TRUNKLINE_DEMO: 'false',
      REDIS_URL_US1: us1.url,
      REDIS_URL_IE1: ie1.url,
      REDIS_URL_AU1: au1.url,
      S3_SECRET_ACCESS_KEY_US1: STORE_KEYS.us1,
      S3_SECRET_ACCESS_KEY_IE1: STORE_KEYS.ie1,
      S3_SECRET_ACCESS_KEY_AU1: STORE_KEYS.au1,
    },
  });
  callers = new Callers(trunkline.sip);
  for (const region of REGIONS) {
    app.on(`/${region}/voice`, { body: '<Response><Say>Hello.</Say><Pause length="30"/></Response>' });
    app.on(`/${region}/status`, {});
  }
  const created = await clientOf(trunkline, 'us1').incomingPhoneNumbers.create({
    phoneNumber: NUMBER,
    voiceUrl: app.url('/us1/voice'),
    statusCallback: app.url('/us1/status'),
  });
  numberSid = created.sid;
  await clientOf(trunkline, 'ie1')
    .incomingPhoneNumbers(numberSid)
    .update({ voiceUrl: app.url('/ie1/voice'), statusCallback: app.url('/ie1/status') });
});

afterAll(async () => {
  callers.close();
  await trunkline.stop();
  await app.stop();
  await Promise.all(Object.values(redis).map((one) => one.stop()));
});

describe('one number, two Regions', () => {
  it('a call uses the active Region alone; a re-route moves the next one and leaves this one', async () => {
    const first = callers.call(NUMBER, '--edge', 'dublin', '--from', '+15550100001');
    await first.says(/200 OK/);
    expect(requestsOf('us1')).toHaveLength(1);

    await route('ie1');
    const second = callers.call(NUMBER, '--edge', 'ashburn', '--from', '+15550100002');
    await second.says(/200 OK/);
    expect(requestsOf('ie1')).toHaveLength(1);
    expect(first.printed()).not.toContain('BYE');
    first.hangUp();
    second.hangUp();
    expect(await Promise.all([first.code, second.code])).toEqual([0, 0]);

    const inAmerica = await storedCallFrom(trunkline, 'us1', '+15550100001');
    const inIreland = await storedCallFrom(trunkline, 'ie1', '+15550100002');
    // The edge is where the packets came in and has no say in it.
    expect(inAmerica).toMatchObject({ region: 'us1', ingress_edge: 'dublin', status: 'completed' });
    expect(inIreland).toMatchObject({ region: 'ie1', ingress_edge: 'ashburn', status: 'completed' });
    expect(callsOf('us1')).toEqual(new Set([inAmerica.sid]));
    expect(callsOf('ie1')).toEqual(new Set([inIreland.sid]));
    expect(eventsOf(timelineOf(trunkline, 'us1', inAmerica.sid), 'routed')).toMatchObject([
      { record: 'default', region: 'us1' },
    ]);
    expect(eventsOf(timelineOf(trunkline, 'ie1', inIreland.sid), 'routed')).toMatchObject([
      { record: 'explicit', region: 'ie1' },
    ]);
    expect(await jobsOf('us1')).toEqual([inAmerica.sid]);
    expect(await jobsOf('ie1')).toEqual([inIreland.sid]);
    expect(await jobsOf('au1')).toEqual([]);
    for (const [region, own, other] of [
      ['us1', inAmerica.sid, inIreland.sid],
      ['ie1', inIreland.sid, inAmerica.sid],
    ] as const) {
      expect((await clientOf(trunkline, region).calls.list()).map(({ sid }) => sid)).toEqual([own]);
      await expect(clientOf(trunkline, region).calls(other).fetch()).rejects.toMatchObject({ code: 20404 });
      const objects = objectNames(trunkline, region);
      expect(objects.filter((name) => name.includes(own))).toHaveLength(2);
      expect(objects.filter((name) => name.includes(other))).toEqual([]);
    }
  });

  it('a Region without configuration refuses with 404 and 22199; nobody else is asked', async () => {
    await route('au1');
    const before = app.seen.length;
    const call = callers.call(NUMBER, '--from', '+15550100003');
    expect(await call.code).toBe(1);
    expect(call.printed()).toMatch(/404 /);
    const record = await storedCallFrom(trunkline, 'au1', '+15550100003');
    expect(record).toMatchObject({ status: 'failed', region: 'au1', to: NUMBER });
    expect(record.diagnostics.map(({ code }) => code)).toEqual([22199]);
    expect(eventsOf(timelineOf(trunkline, 'au1', record.sid), 'rejected')).toMatchObject([{ status: 404 }]);
    expect(await jobsOf('au1')).toEqual([record.sid]);
    const asked = app.seen.slice(before).filter(({ form }) => form['CallSid'] === record.sid);
    expect(asked).toEqual([]);
    for (const region of ['us1', 'ie1'] as const)
      expect(objectNames(trunkline, region).filter((name) => name.includes(record.sid))).toEqual([]);
  });

  it('back in us1, the earlier configuration is in force again', async () => {
    await route('us1');
    const call = callers.call(NUMBER, '--from', '+15550100004');
    await call.says(/200 OK/);
    call.hangUp();
    const record = await storedCallFrom(trunkline, 'us1', '+15550100004');
    expect(callsOf('us1')).toContain(record.sid);
    expect(callsOf('ie1')).not.toContain(record.sid);
  });
});

it('the official SDK accepts every webhook with the token of its Region and with no other', async () => {
  await app.received(6); // three answered calls: a document and a callback each
  const accepts = (token: string, { headers, url, form }: SeenRequest) =>
    twilio.validateRequest(token, String(headers['x-twilio-signature']), url, form);
  for (const region of ['us1', 'ie1'] as const) {
    expect(requestsOf(region).map(({ path }) => path)).toEqual(
      expect.arrayContaining([`/${region}/voice`, `/${region}/status`]),
    );
    for (const request of requestsOf(region)) {
      const accepting = REGIONS.filter((one) => accepts(trunkline.tokens[one] ?? '', request));
      expect(accepting, request.url).toEqual([region]);
    }
  }
});

it('the token of one Region opens no other', async () => {
  for (const region of REGIONS) {
    const port = trunkline.httpPort + 1 + REGIONS.indexOf(region);
    const url = `http://127.0.0.1:${port}/2010-04-01/Accounts/${trunkline.accountSid}/Calls.json`;
    for (const other of REGIONS) {
      const credentials = Buffer.from(`${trunkline.accountSid}:${trunkline.tokens[other]}`).toString(
        'base64',
      );
      const { status } = await fetch(url, { headers: { authorization: `Basic ${credentials}` } });
      expect(status, `${other} at ${region}`).toBe(other === region ? 200 : 401);
    }
  }
});

if (!hasProc) notRun('secrets of processes', 'reads /proc, which this system does not have');
else
  describe('the environment of a process', () => {
    /** What only one Region's processes may know, where the global store is us1's (the default). */
    const secretsOf = (region: RegionName, own: boolean) => [
      trunkline.tokens[region] ?? '',
      STORE_KEYS[region],
      ...(own || region !== 'us1' ? [redis[region].url] : []),
    ];

    it.each(REGIONS)('of %s holds its own secrets and none of another Region', (region) => {
      for (const role of ['worker', 'region']) {
        const environment = environmentOf(pidOf(trunkline.home, `${role}-${region}`));
        expect(environment).toContain(
          `TRUNKLINE_AUTH_TOKEN_${region.toUpperCase()}=${trunkline.tokens[region]}`,
        );
        expect(environment).toContain(redis[region].url);
        for (const other of REGIONS.filter((one) => one !== region)) {
          for (const secret of secretsOf(other, false))
            expect(environment, `${role}-${region}`).not.toContain(secret);
        }
        // Another Region's Redis under a Region's own name would be a way in even where it is the global one.
        for (const other of REGIONS.filter((one) => one !== region))
          expect(environment).not.toMatch(new RegExp(`_${other.toUpperCase()}=`));
      }
    });

    it('a call worker cannot reach the global store, an edge no token, the front nothing at all', () => {
      expect(environmentOf(pidOf(trunkline.home, 'worker-ie1'))).not.toContain(redis.us1.url);
      const edge = environmentOf(pidOf(trunkline.home, 'edge'));
      const front = environmentOf(pidOf(trunkline.home, 'front'));
      for (const region of REGIONS) {
        const [token = '', storeKey = ''] = secretsOf(region, true);
        expect(edge).not.toContain(token);
        expect(edge).not.toContain(storeKey);
        for (const secret of secretsOf(region, true)) expect(front).not.toContain(secret);
      }
    });
  });
