import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RouteLookup, RouteObservation, RouteTable } from '../../../src/routing/port.ts';
import { createRouteTable } from '../../../src/routing/redis.ts';
import { createRouteLookup } from '../../../src/routing/redis-lookup.ts';
import { connectRedis, disconnectRedis } from '../../../src/storage/redis/connect.ts';
import { routeRecord } from '../../conformance/routing.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const NUMBER = '+35315550100';
const FIELD = `phone-number:${NUMBER}`;
const TABLE = 'trunkline:global:routes';
const SID = routeRecord('ie1').sid;

/** An entry as it stands in the table, with a record of some changed fields. */
function entry(record: object, fields: object = {}): string {
  const kept = { record: { ...routeRecord('ie1'), ...record }, previousRegion: null, effectiveAt: 0 };
  return JSON.stringify({ ...kept, ...fields });
}

describe('an edge asking for routes', () => {
  let server: TestRedis;
  let clock: VirtualClock;
  let redis: Redis;
  let writer: Redis;
  let subscriber: Redis;
  let table: RouteTable;
  let lookup: RouteLookup;
  const reads = async () => {
    const stats = await writer.info('commandstats');
    return Number(/cmdstat_hget:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  let seen: RouteObservation[];
  const ask = (key = NUMBER) => lookup.lookup('phone-number', key);

  beforeEach(async () => {
    server = await startRedis();
    clock = new VirtualClock();
    redis = connectRedis(server.url, 'routes', silentLogger);
    writer = connectRedis(server.url, 'writer', silentLogger);
    subscriber = connectRedis(server.url, 'changes', silentLogger);
    table = createRouteTable({ redis: writer, clock, delayMs: 0 });
    seen = [];
    lookup = createRouteLookup({
      redis,
      subscriber,
      clock,
      maxAgeMs: 5_000,
      cachedKeys: 3,
      onLookup: (observation) => seen.push(observation),
    });
    await table.save(routeRecord('ie1'));
    await until('the subscription', async () => {
      const [, subscribers] = await writer.pubsub('NUMSUB', 'trunkline:global:routes:changed');
      return Number(subscribers) === 1;
    });
    await ask('warm-up');
  });
  afterEach(async () => {
    await lookup.close();
    await Promise.all([redis, writer, subscriber].map(disconnectRedis));
    await server.stop();
  });

  it('remembers answers, "no record" too, and says how old they are', async () => {
    expect(await ask()).toEqual({ region: 'ie1', record: 'explicit', sid: SID, ageMs: 0 });
    expect(await ask('+1')).toEqual({ region: 'us1', record: 'default', sid: null, ageMs: 0 });
    const before = await reads();
    await clock.advance(4_000);
    expect(await ask()).toEqual({ region: 'ie1', record: 'explicit', sid: SID, ageMs: 4_000 });
    expect((await ask('+1')).ageMs).toBe(4_000);
    expect(await reads()).toBe(before);
    await clock.advance(1_001);
    expect((await ask()).ageMs).toBe(0);
    expect(await reads()).toBe(before + 1);
  });

  it('reads once for calls that ask at the same time', async () => {
    const before = await reads();
    await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect(await reads()).toBe(before + 1);
  });

  it('remembers a bounded number of keys', async () => {
    for (const key of ['+1', '+2', '+3', '+4']) await ask(key);
    const before = await reads();
    await ask('+4');
    expect(await reads()).toBe(before);
    await ask('+1');
    expect(await reads()).toBe(before + 1);
  });

  it('answers from memory while Redis is away, but only so long, and never guesses', async () => {
    await ask();
    await server.kill();
    expect((await ask()).region).toBe('ie1');
    await expect(ask('+999')).rejects.toThrow();
    await clock.advance(5_001);
    await expect(ask()).rejects.toThrow();
    await server.start();
    await until('routes again', () =>
      ask().then(
        ({ region }) => region === 'ie1',
        () => false,
      ),
    );
  });

  it('tells of every look-up whether it was remembered, read or failed, and how old the answer is', async () => {
    seen = [];
    await ask();
    await clock.advance(4_000);
    await ask();
    await clock.advance(1_001);
    await writer.hset(TABLE, FIELD, 'nonsense');
    await expect(ask()).rejects.toThrow();
    expect(seen).toEqual([
      { kind: 'phone-number', outcome: 'read', ageMs: 0 },
      { kind: 'phone-number', outcome: 'cached', ageMs: 4_000 },
      { kind: 'phone-number', outcome: 'failed', ageMs: null },
    ]);
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['empty JSON', '{}'],
    ['a Region that is none', entry({ voiceRegion: 'de1' })],
    ['a record of another key', entry({ key: '+35315550199' })],
    ['no Region at all', entry({ voiceRegion: undefined })],
    ['an effect at no time', entry({}, { effectiveAt: null })],
  ])('takes a damaged entry (%s) for an error, never for "no record"', async (_what, text) => {
    await writer.hset(TABLE, FIELD, text);
    await expect(ask()).rejects.toThrow(/damaged/);
    await expect(table.fetch('phone-number', NUMBER)).rejects.toThrow(/damaged/);
    await expect(table.save(routeRecord('us1'))).rejects.toThrow(/damaged/);
    expect(await writer.hget(TABLE, FIELD)).toBe(text);
  });

  it('does not take a value of another type for "no record"', async () => {
    await writer.del(TABLE);
    await writer.set(TABLE, 'text');
    await expect(ask('+999')).rejects.toThrow(/WRONGTYPE/);
  });

  it('forgets everything when it may have missed an announcement', async () => {
    await ask();
    await server.kill();
    await server.start();
    await until('all connections', () =>
      [redis, writer, subscriber].every(({ status }) => status === 'ready'),
    );
    const before = await reads();
    await until('a read', async () => {
      await ask();
      return (await reads()) > before;
    });
  });
});
