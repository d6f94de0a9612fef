import type { Redis } from 'ioredis';
import type { Region } from '../../region/region.ts';
import type { CallPace } from '../port.ts';

/**
 * The next free moment of an account, and the one after it. KEYS: the account's next free moment; ARGV: milliseconds
 * between two calls. Returns how long to wait. Redis' own clock: the processes of a Region need not agree on one.
 */
const NEXT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local free = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], free + ARGV[1], 'PX', free + ARGV[1] - now + 1000)
return free - now
`;

/** Calls of an account leave one after the other, `callsPerSecond` at most, whichever process creates them. */
export function createRedisCallPace(options: {
  readonly redis: Redis;
  readonly region: Region;
  readonly callsPerSecond: number;
}): CallPace {
  const { redis, region, callsPerSecond } = options;
  const interval = Math.ceil(1_000 / callsPerSecond);
  return {
    async next(accountSid) {
      const key = `${region.keyPrefix}pace:${accountSid}`;
      return Number(await redis.eval(NEXT, 1, key, `${interval}`));
    },
  };
}
