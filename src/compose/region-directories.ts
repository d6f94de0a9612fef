import type { Redis } from 'ioredis';
import { createRegionalConfig } from '../config/redis.ts';
import { createSipDirectory } from '../config/sip-directory.ts';
import type { RegionDirectories } from '../edge/region-directory.ts';
import { REGIONS } from '../region/region.ts';
import { connectRedis, disconnectRedis } from '../storage/redis/connect.ts';
import type { RoleContext } from './role.ts';
import { regionRedis } from './stores.ts';

/**
 * What an edge asks the Regions of this installation. Each has a connection of its own whose commands settle within
 * two seconds, and none has to answer for the edge to start.
 */
export function connectDirectories({ settings, clock, ids, logger }: RoleContext): {
  readonly directories: RegionDirectories;
  close(): Promise<void>;
} {
  const connections: Redis[] = [];
  const directories: RegionDirectories = new Map(
    settings.regions.map((id) => {
      const redis = connectRedis(regionRedis(settings, id), id, logger);
      connections.push(redis);
      const { records, registrations } = createRegionalConfig({ redis, region: REGIONS[id], clock, ids });
      return [id, { directory: createSipDirectory(records), registrations }] as const;
    }),
  );
  return {
    directories,
    async close() {
      await Promise.all(connections.map(disconnectRedis));
    },
  };
}
