import { afterAll, beforeAll, describe } from 'vitest';
import { createMemoryRegistrations } from '../../src/config/registrations-memory.ts';
import { createRedisRegistrations } from '../../src/config/registrations-redis.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { REGIONS } from '../../src/region/region.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { registrationsConformance } from './registrations.ts';

registrationsConformance('memory', async (clock) => ({
  registrations: createMemoryRegistrations(clock),
  elsewhere: createMemoryRegistrations(clock),
  tearDown: async () => {},
}));

describe('on a real Redis', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  registrationsConformance('Redis', async (clock) => {
    const redis = connectRedis(server.url, 'registrations', silentLogger);
    return {
      registrations: createRedisRegistrations({ redis, region: REGIONS.ie1, clock }),
      elsewhere: createRedisRegistrations({ redis, region: REGIONS.au1, clock }),
      async lifetimes() {
        const keys = await redis.keys('*');
        return Promise.all(keys.map((key) => redis.pttl(key)));
      },
      async tearDown() {
        await redis.flushall();
        await disconnectRedis(redis);
      },
    };
  });
});
