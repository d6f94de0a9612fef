import { afterAll, beforeAll, describe } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { createMemoryRoutes } from '../../src/routing/memory.ts';
import { createRouteTable } from '../../src/routing/redis.ts';
import { createRouteLookup } from '../../src/routing/redis-lookup.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { routingConformance } from './routing.ts';

routingConformance('memory', async (clock, delayMs, pace) => ({
  ...createMemoryRoutes({ clock, delayMs, pace }),
  tearDown: async () => {},
}));

describe('on a real Redis', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  routingConformance('Redis', async (clock, delayMs, pace) => {
    const redis = connectRedis(server.url, 'routes', silentLogger);
    const subscriber = connectRedis(server.url, 'route changes', silentLogger);
    const tearDown = async () => {
      await redis.flushall();
      await Promise.all([disconnectRedis(redis), disconnectRedis(subscriber)]);
    };
    try {
      return {
        table: createRouteTable({ redis, clock, delayMs, pace }),
        lookup: createRouteLookup({ redis, subscriber, clock }),
        tearDown,
      };
    } catch (error) {
      await tearDown();
      throw error;
    }
  });
});
