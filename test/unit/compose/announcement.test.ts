import { afterEach, expect, it } from 'vitest';
import { announceEdge } from '../../../src/compose/announcement.ts';
import { readSettings } from '../../../src/compose/settings.ts';
import { createRedisEdgeRegistry } from '../../../src/control/registry.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { connectRedis, disconnectRedis } from '../../../src/storage/redis/connect.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';

const servers: TestRedis[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

it('announces an edge process to every Region in its own Redis, and takes it back', async () => {
  servers.push(...(await Promise.all([startRedis(), startRedis()])));
  const [all, ireland] = servers.map(({ url }) => url);
  const { settings } = readSettings({ REDIS_URL: all, REDIS_URL_IE1: ireland, TRUNKLINE_REGIONS: 'us1,ie1' });
  const clock = new VirtualClock();
  const global = connectRedis(all ?? '', 'global', silentLogger);
  const others = connectRedis(ireland ?? '', 'ie1', silentLogger);
  const registries = [global, others].map((redis) => createRedisEdgeRegistry({ redis }));
  const edge = { process: 'edge-1', host: '127.0.0.1', port: 7_000, edges: ['dublin' as const] };
  const announcement = announceEdge({ settings, clock, logger: silentLogger }, global, edge);
  await clock.advance(1);
  for (const registry of registries) {
    await until('the announcement', async () => (await registry.list()).length === 1);
    expect(await registry.byEdge('dublin')).toEqual([edge]);
  }
  await announcement.close();
  for (const registry of registries) expect(await registry.list()).toEqual([]);
  await Promise.all([global, others].map(disconnectRedis));
});
