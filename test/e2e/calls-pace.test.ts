import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { WebhookApp } from '../support/webhook-app.ts';
import { asked, callbacksOf, expectSigned } from './support/callbacks.ts';
import { clientOf, objectNames, type RegionName, storedCall } from './support/numbers.ts';
import { Telephones } from './support/telephones.ts';

const REGIONS = ['us1', 'ie1', 'au1'] as const;
/** Our choice of TRUNKLINE_CPS, which is Twilio's: a call a second. */
const APART_MS = 1_000;

let redis: Record<RegionName, TestRedis>;
let trunkline: RunningTrunkline;
let app: WebhookApp;
let telephones: Telephones;

beforeAll(async () => {
  const [us1, ie1, au1] = await Promise.all([startRedis(), startRedis(), startRedis()]);
  redis = { us1, ie1, au1 };
  app = await WebhookApp.start();
  app.on('/status', {});
  telephones = await Telephones.start();
  trunkline = await startTrunkline({
    env: {
      TRUNKLINE_DEMO: 'false',
      REDIS_URL_US1: us1.url,
      REDIS_URL_IE1: ie1.url,
      REDIS_URL_AU1: au1.url,
    },
  });
});

afterAll(async () => {
  await trunkline.stop();
  await telephones.close();
  await app.stop();
  await Promise.all(Object.values(redis).map((one) => one.stop()));
});

function create(region: RegionName, user: string, twiml: string) {
  return clientOf(trunkline, region).calls.create({
    to: telephones.of(user).uri,
    from: 'lighthouse',
    twiml,
    statusCallback: app.url('/status'),
    statusCallbackEvent: ['initiated', 'completed'],
  });
}

describe('five calls created at once', () => {
  it('leave one after the other, a second apart; the one that is canceled while it waits does not leave', async () => {
    const arrived: string[] = [];
    const sids: string[] = [];
    for (const user of ['one', 'two', 'three', 'four', 'five']) {
      telephones.of(user).onCall = (call) => {
        arrived.push(call.callSid);
        call.refuse(486);
      };
      const created = await create('au1', user, '<Response/>');
      expect(created.status).toBe('queued');
      sids.push(created.sid);
    }
    const client = clientOf(trunkline, 'au1');
    const [, , , , fifth = ''] = sids;
    // It has four seconds to go.
    expect((await client.calls.list({ status: 'queued' })).map(({ sid }) => sid)).toContain(fifth);
    await expect(client.calls(fifth).update({ twiml: '<Response/>' })).rejects.toMatchObject({ code: 21220 });
    expect(await client.calls(fifth).update({ status: 'canceled' })).toMatchObject({ status: 'canceled' });

    const records = await Promise.all(sids.map((sid) => storedCall(trunkline, 'au1', sid)));
    expect(records.map(({ status }) => status)).toEqual(['busy', 'busy', 'busy', 'busy', 'canceled']);
    expect(arrived).toEqual(sids.slice(0, 4));
    const left = records.map((record) => record.created_at_ms + Number(record.queue_time));
    for (const [n, at] of left.slice(0, 4).entries()) {
      const first = records[0]?.created_at_ms ?? 0;
      expect(at - first).toBeGreaterThan(n * APART_MS - 50); // two clocks, rounded
    }
    const told = await callbacksOf(app, '/status', sids[3] ?? '');
    expect(told.map((form) => form['CallStatus'])).toEqual(['initiated', 'busy']);
    expect(asked(app, '/status', fifth)).toEqual([]); // nothing is told of one that never left
    expect(telephones.of('five').calls).toEqual([]);
    expect(records[4]).toMatchObject({
      cause: 'it was canceled through the API while it was queued',
      worker: null,
    });
  });
});

/** Names and contents of a Redis, as text. */
async function everything({ url }: TestRedis): Promise<string> {
  const store = new Redis(url);
  try {
    const contents = await Promise.all(
      (await store.keys('*')).map(async (key) => [key, await contentOf(store, key)]),
    );
    return JSON.stringify(contents);
  } finally {
    store.disconnect();
  }
}

async function contentOf(store: Redis, key: string): Promise<unknown> {
  switch (await store.type(key)) {
    case 'string':
      return store.get(key);
    case 'hash':
      return store.hgetall(key);
    case 'list':
      return store.lrange(key, 0, -1);
    case 'set':
      return store.smembers(key);
    case 'zset':
      return store.zrange(key, '0', '-1');
    case 'stream':
      return store.xrange(key, '-', '+');
    default:
      return undefined; // gone meanwhile
  }
}

describe("a call created on ie1's host", () => {
  it('lives in ie1, while it lasts and afterwards; no other Region knows of it', async () => {
    const created = await create('ie1', 'cork', '<Response><Pause length="300"/></Response>');
    const call = await (await telephones.of('cork').called()).answer();
    const ireland = clientOf(trunkline, 'ie1');
    await until(
      'a call in progress',
      async () => (await ireland.calls(created.sid).fetch()).status === 'in-progress',
    );

    const expectOnlyIreland = async () => {
      for (const region of REGIONS) {
        const known = (await everything(redis[region])).includes(created.sid);
        expect(known, `Redis of ${region}`).toBe(region === 'ie1');
      }
      for (const region of ['us1', 'au1'] as const) {
        const elsewhere = clientOf(trunkline, region).calls(created.sid);
        await expect(elsewhere.fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
        await expect(elsewhere.update({ status: 'completed' })).rejects.toMatchObject({ code: 20404 });
        await expect(elsewhere.recordings.create()).rejects.toMatchObject({ code: 20404 });
        const listed = await clientOf(trunkline, region).calls.list();
        expect(listed.map(({ sid }) => sid)).not.toContain(created.sid);
        expect(objectNames(trunkline, region).filter((name) => name.includes(created.sid))).toEqual([]);
      }
    };
    await expectOnlyIreland();
    const recording = await ireland.calls(created.sid).recordings.create();
    expect(call.invite.ended.aborted).toBe(false);
    await call.hangUp();

    const record = await storedCall(trunkline, 'ie1', created.sid);
    expect(record).toMatchObject({ region: 'ie1', status: 'completed', egress_edge: 'dublin' });
    await until('the stored recording', async () => {
      const { status } = await ireland.recordings(recording.sid).fetch();
      return status === 'completed' || status === 'absent';
    });
    await callbacksOf(app, '/status', created.sid);
    expectSigned(trunkline, 'ie1', asked(app, '/status', created.sid));
    await expectOnlyIreland();
    for (const region of ['us1', 'au1'] as const)
      expect(objectNames(trunkline, region).filter((name) => name.includes(recording.sid))).toEqual([]);
    expect(objectNames(trunkline, 'ie1').filter((name) => name.includes(created.sid))).toHaveLength(2);
  });
});
