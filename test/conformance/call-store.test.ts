import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { REGIONS } from '../../src/region/region.ts';
import { restoreIndex } from '../../src/runtime/index-restoration.ts';
import { createMemoryBucket } from '../../src/storage/memory/bucket.ts';
import { createMemoryCallStore } from '../../src/storage/memory/call-store.ts';
import { createRedisCallStore } from '../../src/storage/redis/call-store.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { ACCOUNT, sid } from '../support/call-record.ts';
import { putFinished } from '../support/finished-objects.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { callStoreConformance } from './call-store.ts';

callStoreConformance('memory', async () => ({
  store: createMemoryCallStore(new SystemClock()),
  bucket: createMemoryBucket(),
  tearDown: async () => {},
}));

describe('on a real Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  for (const cacheSize of [1_000, 2]) {
    callStoreConformance(`Redis, caching ${cacheSize}`, async () => {
      const connection: Redis = connectRedis(redis.url, 'test', silentLogger);
      const bucket = createMemoryBucket();
      const store = createRedisCallStore({ redis: connection, region: REGIONS.ie1, bucket, cacheSize });
      return {
        store,
        bucket,
        async tearDown() {
          await connection.flushall();
          await disconnectRedis(connection);
        },
      };
    });
  }

  it('answers from the bucket as before once its lost index was made again', async () => {
    const connection = connectRedis(redis.url, 'test', silentLogger);
    const bucket = createMemoryBucket();
    const store = createRedisCallStore({ redis: connection, region: REGIONS.ie1, bucket });
    const { calls, recordings, transcriptions } = await putFinished(bucket, 40);
    for (const call of calls) await store.archived(call);
    for (const recording of recordings) await store.saveRecording(recording);
    for (const one of transcriptions) await store.saveTranscription(one);
    await store.index.markWhole();
    const listed = async () => [
      await store.list(ACCOUNT, {}, 10, 20),
      await store.list(ACCOUNT, { status: 'completed', from: calls[0]?.from }, 0, 20),
      await store.listRecordings(ACCOUNT, {}, 0, 50),
      await store.listRecordings(ACCOUNT, { callSid: calls[3]?.sid }, 0, 50),
      await store.listTranscriptions(ACCOUNT, {}, 0, 50),
      await store.listTranscriptions(ACCOUNT, { recordingSid: recordings[3]?.sid }, 0, 50),
      await store.timeline(sid('CA', 1)),
    ];
    const before = await listed();
    await connection.flushall();
    expect(await store.index.isWhole()).toBe(false);
    expect((await store.listTranscriptions(ACCOUNT, {}, 0, 50)).items).toEqual([]);
    const options = { index: store.index, bucket, clock: new SystemClock(), logger: silentLogger };
    await restoreIndex(options, new AbortController().signal);
    expect(await listed()).toEqual(before);
    await disconnectRedis(connection);
  });
});
