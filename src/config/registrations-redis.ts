import type { Redis } from 'ioredis';
import type { Clock } from '../core/clock.ts';
import type { Region } from '../region/region.ts';
import type { Binding, Registrations } from './registrations.ts';

/** Our choice: a lost race between REGISTERs of one AOR is run again this often. Each round, one of them wins. */
const WRITE_ATTEMPTS = 100;

/**
 * KEYS bindings of the AOR, AORs of the domain, AORs of the account; ARGV what was read ('' for nothing), the new
 * bindings ('' for none), the AOR, when the last of them expires, milliseconds until then. Returns 0 when another
 * writer was faster.
 */
const REPLACE = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
  for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[3]) end
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[5])
  for i = 2, #KEYS do redis.call('ZADD', KEYS[i], ARGV[4], ARGV[3]) end
end
return 1`;

/** A Region's registrations, in its own Redis; the caller opens and closes it. */
export function createRedisRegistrations(options: {
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Clock;
}): Registrations {
  const { redis, region, clock } = options;
  const prefix = `${region.keyPrefix}registrations:`;
  const keyOf = (aor: string) => `${prefix}aor:${aor}`;
  /** Sorted set: AOR by the time its last binding expires. */
  const membersOf = (sid: string) => `${prefix}of:${sid}`;
  const read = (text: string | null): Binding[] => {
    if (text === null) return [];
    const bindings: Binding[] = JSON.parse(text);
    return bindings.filter(({ expiresAt }) => expiresAt > clock.now());
  };

  const replace = async (
    aor: string,
    text: string,
    before: readonly Binding[],
    after: readonly Binding[],
  ) => {
    const [one] = after.length > 0 ? after : before;
    const last = Math.max(0, ...after.map(({ expiresAt }) => expiresAt));
    const keys = [keyOf(aor), ...(one ? [membersOf(one.domainSid), membersOf(one.accountSid)] : [])];
    const now = after.length > 0 ? JSON.stringify(after) : '';
    const ttl = Math.max(1, last - clock.now());
    return (await redis.eval(REPLACE, keys.length, ...keys, text, now, aor, `${last}`, `${ttl}`)) === 1;
  };

  return {
    async bindings(aor) {
      return read(await redis.get(keyOf(aor)));
    },
    async change(aor, next) {
      for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
        const text = await redis.get(keyOf(aor));
        const before = read(text);
        const after = next(before);
        if (!after) return before;
        if (await replace(aor, text ?? '', before, after)) return after;
      }
      throw new Error(`the bindings of ${aor} are being changed by others all the time: try again`);
    },
    async list(of) {
      const members = membersOf('domainSid' in of ? of.domainSid : of.accountSid);
      await redis.zremrangebyscore(members, '-inf', clock.now());
      const aors = (await redis.zrange(members, 0, '-1')).sort();
      if (aors.length === 0) return [];
      const texts = await redis.mget(aors.map(keyOf));
      const mine = (binding: Binding) =>
        'domainSid' in of ? binding.domainSid === of.domainSid : binding.accountSid === of.accountSid;
      return texts.flatMap(read).filter(mine);
    },
    async close() {}, // nothing of its own to release
  };
}
