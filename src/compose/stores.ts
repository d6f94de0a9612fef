import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Logger } from '../core/logger.ts';
import { REGIONS, type RegionId } from '../region/region.ts';
import { createFilesystemBucket } from '../storage/filesystem/bucket.ts';
import type { Bucket } from '../storage/ports.ts';
import { createS3Bucket } from '../storage/s3/bucket.ts';
import { type Settings, SettingsError } from './settings.ts';

/** The Redis of a Region; a role that runs alone has none embedded. */
export function regionRedis(settings: Settings, region: RegionId): string {
  const url = settings.region[region].redisUrl;
  if (url !== undefined) return url;
  throw new SettingsError(
    `no Redis is set for ${region}: set REDIS_URL_${REGIONS[region].variable} or REDIS_URL (only trunkline start brings its own)`,
  );
}

export function globalRedis(settings: Settings): string {
  if (settings.globalRedisUrl !== undefined) return settings.globalRedisUrl;
  throw new SettingsError(
    'no global Redis is set: set GLOBAL_REDIS_URL or REDIS_URL (only trunkline start brings its own)',
  );
}

/**
 * Refuses to start on a Redis that does not answer: later, outages are waited out.
 * @throws SettingsError that names the variables it may have come from
 */
export async function requireRedis(redis: Redis, variables: string): Promise<void> {
  try {
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    const { host, port } = redis.options;
    const why = error instanceof Error ? error.message : String(error);
    throw new SettingsError(
      `the Redis at ${host}:${port} (${variables}) does not answer: ${why}. Start it, or correct the address.`,
    );
  }
}

/** Prefix of what all Regions share, in the global Redis. */
export const GLOBAL_PREFIX = 'trunkline:global:';

/** Where the URL of a Region's Redis comes from. */
export function redisVariables(region: RegionId): string {
  return `REDIS_URL_${REGIONS[region].variable} or REDIS_URL`;
}

export const GLOBAL_REDIS_VARIABLES = 'GLOBAL_REDIS_URL or REDIS_URL';

/** The bucket of a Region: S3 when an endpoint is set, else a folder of the home. */
export function regionBucket(settings: Settings, region: RegionId, logger: Logger): Bucket {
  const { s3, bucket } = settings.region[region];
  if (s3) return createS3Bucket({ ...s3, bucket });
  logger.debug({ bucket }, 'no S3 endpoint is set: objects go to the filesystem');
  return createFilesystemBucket({ root: join(settings.home, 'buckets'), name: bucket });
}

/** Where a Region's workers record and its service finds what they recorded. */
export function spoolDirectory(settings: Settings, region: RegionId): string {
  return join(settings.home, 'spool', region);
}
