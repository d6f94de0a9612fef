import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryEdgeRegistry, createRedisEdgeRegistry } from '../../src/control/registry.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { edgeRegistryConformance } from './control-registry.ts';

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  await redis.quit();
  await server.stop();
});

edgeRegistryConformance('redis', async () => {
  await redis.flushall();
  return {
    open: () => createRedisEdgeRegistry({ redis }),
    pass: async () => {}, // Redis' own time passes while the suite waits
    tearDown: async () => {},
  };
});

edgeRegistryConformance('memory', async () => {
  const clock = new VirtualClock();
  const registry = createMemoryEdgeRegistry({ clock });
  return {
    open: () => registry,
    pass: (ms) => clock.advance(ms),
    tearDown: async () => {},
  };
});

describe('the registry in Redis', () => {
  it('leaves no key behind for processes that are gone', async () => {
    await redis.flushall();
    const registry = createRedisEdgeRegistry({ redis });
    for (let n = 0; n < 5; n++) {
      await registry.announce({ process: `edge-${n}`, edges: ['dublin'], host: '127.0.0.1', port: 7000 }, 50);
    }
    await until('all to expire', async () => (await registry.list()).length === 0);
    expect(await redis.keys('*')).toEqual([]);
  });
});
