import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe } from 'vitest';
import { SystemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { REGIONS } from '../../src/region/region.ts';
import { createMemoryBucket } from '../../src/storage/memory/bucket.ts';
import { createMemoryCallStore } from '../../src/storage/memory/call-store.ts';
import { createRedisCallStore } from '../../src/storage/redis/call-store.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
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
});
