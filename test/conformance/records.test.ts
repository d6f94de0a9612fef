import { afterAll, beforeAll, describe } from 'vitest';
import { createMemoryRecords } from '../../src/config/records/memory.ts';
import { createRedisRecords, versionKey } from '../../src/config/records/redis.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { recordsConformance } from './records.ts';

recordsConformance('memory', async (kinds) => {
  let version = 0;
  const changed = () => {
    version++;
  };
  return {
    things: createMemoryRecords(kinds.things, changed),
    plain: createMemoryRecords(kinds.plain, changed),
    elsewhere: createMemoryRecords(kinds.things),
    version: async () => version,
    tearDown: async () => {},
  };
});

describe('on a real Redis', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  recordsConformance('Redis', async (kinds) => {
    const redis = connectRedis(server.url, 'records', silentLogger);
    return {
      things: createRedisRecords(redis, 'here:', kinds.things),
      plain: createRedisRecords(redis, 'here:', kinds.plain),
      elsewhere: createRedisRecords(redis, 'there:', kinds.things),
      version: async () => Number((await redis.get(versionKey('here:'))) ?? 0),
      async tearDown() {
        await redis.flushall();
        await disconnectRedis(redis);
      },
    };
  });
});
