import type { Redis } from 'ioredis';
import { SystemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { createRouteTable } from '../../src/routing/redis.ts';
import { createRouteLookup } from '../../src/routing/redis-lookup.ts';
import { connectRedis, disconnectRedis } from '../../src/storage/redis/connect.ts';
import { routeRecord } from '../conformance/routing.ts';
import { startRedis } from '../support/redis.ts';

export interface RouteLookupsResult {
  /** Look-ups per second of keys that the edge remembers. */
  readonly cachedPerS: number;
  /** Look-ups per second of keys that it has to read. */
  readonly uncachedPerS: number;
  /** HGETs per second of the same fields over a connection of the same kind, and nothing else. */
  readonly hgetPerS: number;
  /** Uncached look-ups in one HGET: what holds from machine to machine. */
  readonly uncachedRatio: number;
  readonly cachedRatio: number;
}

/** Calls that ask at the same time. Our choice: a busy edge's. */
const TOGETHER = 64;

/** Look-ups of `keys` numbers, remembered and not, beside bare HGETs, alternating in one run on a Redis of its own. */
export async function benchRouteLookups(keys = 4_096, rounds = 5): Promise<RouteLookupsResult> {
  const server = await startRedis();
  const open = (name: string) => connectRedis(server.url, name, silentLogger);
  const connections = { asking: open('look-ups'), bare: open('bare'), subscriber: open('changes') };
  const { asking: redis, bare, subscriber } = connections;
  const clock = new SystemClock();
  const numbers = Array.from({ length: keys }, (_, n) => `+1510555${String(n).padStart(4, '0')}`);
  const table = createRouteTable({ redis, clock, delayMs: 0 });
  for (const key of numbers) await table.save(routeRecord('ie1', { key }));
  const lookup = createRouteLookup({ redis, subscriber, clock, maxAgeMs: 300_000, cachedKeys: keys });
  // Remembers one key at most: every other look-up reads.
  const forgetful = createRouteLookup({ redis, subscriber, clock, cachedKeys: 1 });
  const runs = {
    cached: (key: string) => lookup.lookup('phone-number', key),
    uncached: (key: string) => forgetful.lookup('phone-number', key),
    hget: (key: string) => bare.hget('trunkline:global:routes', `phone-number:${key}`),
  };
  const best = { cached: 0, uncached: 0, hget: 0 };
  try {
    await perSecond(numbers, runs.cached); // warm, and remembered
    await perSecond(numbers, runs.hget);
    for (let round = 0; round < rounds; round++) {
      for (const name of ['cached', 'uncached', 'hget'] as const) {
        best[name] = Math.max(best[name], await perSecond(numbers, runs[name]));
      }
    }
  } finally {
    await Promise.all([lookup.close(), forgetful.close()]);
    await Promise.all(Object.values(connections).map((one: Redis) => disconnectRedis(one)));
    await server.stop();
  }
  return {
    cachedPerS: best.cached,
    uncachedPerS: best.uncached,
    hgetPerS: best.hget,
    uncachedRatio: best.hget / best.uncached,
    cachedRatio: best.hget / best.cached,
  };
}

async function perSecond(keys: readonly string[], ask: (key: string) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let from = 0; from < keys.length; from += TOGETHER) {
    await Promise.all(keys.slice(from, from + TOGETHER).map(ask));
  }
  return keys.length / ((performance.now() - begun) / 1_000);
}
