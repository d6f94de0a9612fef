import type { Redis } from 'ioredis';
import { createRedisEdgeRegistry, type EdgeProcess } from '../control/registry.ts';
import { connectRedis, disconnectRedis } from '../storage/redis/connect.ts';
import type { RoleContext } from './role.ts';
import { regionRedis } from './stores.ts';

const TTL_MS = 10_000;

/** An edge process that says where it is, for as long as it is. */
export interface Announcement {
  /** Takes it back, and gives the Regions' connections up. */
  close(): Promise<void>;
}

/**
 * Announces an edge process in the global Redis, and in every Region's own: a worker finds its way out without a
 * global one, and one Redis that is away hides no edge from the other Regions.
 */
export function announceEdge(
  context: Pick<RoleContext, 'settings' | 'clock' | 'logger'>,
  global: Redis,
  edge: EdgeProcess,
): Announcement {
  const { settings, clock, logger } = context;
  const own = settings.regions.map((region) => connectRedis(regionRedis(settings, region), region, logger));
  const registries = [global, ...own].map((redis) => ({
    redis: redis.options.connectionName,
    registry: createRedisEdgeRegistry({ redis }),
  }));
  const announce = () => {
    for (const { redis, registry } of registries) {
      registry
        .announce(edge, TTL_MS)
        .catch((error: unknown) => logger.warn({ error, redis }, 'this edge process could not be announced'));
    }
    beat = clock.after(TTL_MS / 3, announce);
  };
  let beat = clock.after(0, announce);

  return {
    async close() {
      beat.cancel();
      await Promise.all(
        registries.map(({ redis, registry }) =>
          registry
            .withdraw(edge.process)
            .catch((error: unknown) => logger.warn({ error, redis }, 'this edge process stays announced')),
        ),
      );
      await Promise.all(own.map(disconnectRedis));
    },
  };
}
