import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import { REGIONS } from '../../../src/region/region.ts';
import { createMemoryBucket } from '../../../src/storage/memory/bucket.ts';
import { createRedisCallStore } from '../../../src/storage/redis/call-store.ts';
import { connectRedis, disconnectRedis } from '../../../src/storage/redis/connect.ts';
import { archive } from '../../conformance/call-store.ts';
import { callRecord, recordingRecord, sid } from '../../support/call-record.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

describe('the call store in Redis', () => {
  let server: TestRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = connectRedis(server.url, 'test', silentLogger);
  });
  afterAll(async () => {
    await disconnectRedis(redis);
    await server.stop();
  });

  it('keeps no key and no cached record per finished call, and only keys of its Region', async () => {
    const bucket = createMemoryBucket();
    const store = createRedisCallStore({ redis, region: REGIONS.ie1, bucket, cacheSize: 50 });
    let keysAfterTen = 0;
    for (let n = 1; n <= 1_000; n++) {
      const record = callRecord(n, { worker: 'w1' });
      await store.save(record);
      await store.appendTimeline(record.sid, [{ at: '2026-11-03T09:30:00.000Z', type: 'answered' }]);
      await store.update(record.sid, { journal: '{}' });
      await store.saveRecording(recordingRecord(n, n));
      await store.saveRecording(recordingRecord(n, n, { status: 'completed' }));
      await archive({ store, bucket, tearDown: async () => {} }, { ...record, status: 'completed' });
      if (n === 10) keysAfterTen = await redis.dbsize();
    }
    const keys = await redis.keys('*');
    expect(keys.length).toBe(keysAfterTen);
    expect(keys.filter((key) => !key.startsWith('trunkline:ie1:'))).toEqual([]);
    expect(await redis.hlen('trunkline:ie1:calls:cache')).toBe(50);
    expect(await redis.hlen('trunkline:ie1:recordings:cache')).toBe(50);
    expect(await redis.hlen('trunkline:ie1:calls:live')).toBe(0);
    expect(await redis.zcard(`trunkline:ie1:calls:index:${callRecord(1).account_sid}`)).toBe(1_000);
    expect((await store.fetch(sid('CA', 1)))?.status).toBe('completed');
  });

  it('rejects in bounded time while Redis is away', async () => {
    const store = createRedisCallStore({ redis, region: REGIONS.us1 });
    await server.kill();
    const before = performance.now();
    await expect(store.save(callRecord(1))).rejects.toThrow();
    expect(performance.now() - before).toBeLessThan(40_000);
    await server.start();
  });
});
