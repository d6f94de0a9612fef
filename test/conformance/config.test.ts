import { afterAll, beforeAll, describe } from 'vitest';
import { createMemoryNumberOwnership, createMemoryRegionalConfig } from '../../src/config/memory.ts';
import { createNumberOwnership, createRegionalConfig } from '../../src/config/redis.ts';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { REGIONS } from '../../src/region/region.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { configConformance } from './config.ts';

const clock = new SystemClock();
const ids = new RandomIds();

configConformance('memory', async () => ({
  ownership: createMemoryNumberOwnership(),
  ie1: createMemoryRegionalConfig('ie1'),
  au1: createMemoryRegionalConfig('au1'),
  tearDown: async () => {},
}));

describe('on a real Redis', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  configConformance('Redis', async () => {
    const redis = connectRedis(server.url, 'config', silentLogger);
    return {
      ownership: createNumberOwnership({ redis }),
      ie1: createRegionalConfig({ redis, region: REGIONS.ie1, clock, ids }),
      au1: createRegionalConfig({ redis, region: REGIONS.au1, clock, ids }),
      async tearDown() {
        await redis.flushall();
        await disconnectRedis(redis);
      },
    };
  });
});
