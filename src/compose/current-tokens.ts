import { createRegionalConfig } from '../config/redis.ts';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { REGIONS, type RegionId } from '../region/region.ts';
import { connectRedis, disconnectRedis } from '../storage/redis/connect.ts';
import type { Credentials } from './credentials.ts';

/**
 * The credentials with the tokens that are in force: a Region keeps those that were rotated through its API, and takes
 * the one of the settings again only when that is changed.
 *
 * @param redisUrls of the Regions; each is asked for its own token
 */
export async function currentCredentials(
  credentials: Credentials,
  redisUrls: ReadonlyMap<RegionId, string>,
  parts: { readonly clock: Clock; readonly ids: Ids; readonly logger: Logger },
): Promise<Credentials> {
  const { accountSid } = credentials;
  const current = await Promise.all(
    [...credentials.authTokens].map(async ([id, token]): Promise<[RegionId, string]> => {
      const url = redisUrls.get(id);
      if (url === undefined) return [id, token];
      const redis = connectRedis(url, `${id} tokens`, parts.logger);
      try {
        const given = { accountSid, token };
        const { tokens } = createRegionalConfig({ ...parts, redis, region: REGIONS[id], given });
        return [id, (await tokens.known(accountSid))?.primary ?? token];
      } finally {
        await disconnectRedis(redis);
      }
    }),
  );
  return { ...credentials, authTokens: new Map(current) };
}
