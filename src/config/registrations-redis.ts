import type { Redis } from 'ioredis';
import type { Clock } from '../core/clock.ts';
import type { Region } from '../region/region.ts';
import { type Binding, isOf, type Registrations, unexpired } from './registrations.ts';

/** Our choice: a lost race between REGISTERs of one AOR is run again this often. Each round, one of them wins. */
const WRITE_ATTEMPTS = 100;

/**
 * KEYS bindings of the AOR, then the lists of AORs it leaves, then those it is in; ARGV what was read ('' for nothing),
 * the new bindings, the AOR, now, how many lists it leaves, then for the AOR and each list it is in when the last of
 * its bindings there expires. All of it expires with its last binding. Returns 0 when another writer was faster.
 */
const REPLACE = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
local now, left = tonumber(ARGV[4]), tonumber(ARGV[5])
for i = 2, 1 + left do redis.call('ZREM', KEYS[i], ARGV[3]) end
if #KEYS == 1 + left then
  redis.call('DEL', KEYS[1])
  return 1
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', math.max(1, tonumber(ARGV[6]) - now))
for i = 2 + left, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  redis.call('ZADD', KEYS[i], ARGV[5 + i - left], ARGV[3])
  local last = redis.call('ZRANGE', KEYS[i], -1, -1, 'WITHSCORES')[2]
  redis.call('PEXPIRE', KEYS[i], math.max(1, tonumber(last) - now))
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
  const read = (text: string | null): readonly Binding[] => {
    if (text === null) return [];
    const bindings: Binding[] = JSON.parse(text); // written by `replace` alone
    return unexpired(bindings, clock.now());
  };
  const sidsOf = (bindings: readonly Binding[]) =>
    new Set(bindings.flatMap(({ domainSid, accountSid }) => [domainSid, accountSid]));
  const lastOf = (bindings: readonly Binding[]) => Math.max(...bindings.map(({ expiresAt }) => expiresAt));

  /** Before and after: a domain that was created anew has another SID, and may be another account's. */
  const replace = async (aor: string, text: string, after: readonly Binding[]) => {
    const all: readonly Binding[] = text === '' ? [] : JSON.parse(text);
    const stays = [...sidsOf(after)];
    const leaves = [...sidsOf(all)].filter((sid) => !stays.includes(sid));
    const keys = [keyOf(aor), ...leaves.map(membersOf), ...stays.map(membersOf)];
    const expiries = stays.map((sid) =>
      lastOf(after.filter((binding) => [binding.domainSid, binding.accountSid].includes(sid))),
    );
    const ends = after.length > 0 ? [lastOf(after), ...expiries] : [];
    const args = [text, JSON.stringify(after), aor, clock.now(), leaves.length, ...ends];
    return (await redis.eval(REPLACE, keys.length, ...keys, ...args)) === 1;
  };

  return {
    async bindings(aor) {
      return read(await redis.get(keyOf(aor)));
    },
    async change(aor, next) {
      for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
        const text = await redis.get(keyOf(aor));
        const before = read(text);
        const given = next(before);
        if (!given) return before;
        const after = unexpired(given, clock.now());
        if (await replace(aor, text ?? '', after)) return after;
      }
      throw new Error(`the bindings of ${aor} are being changed by others all the time: try again`);
    },
    async list(of) {
      const members = membersOf('domainSid' in of ? of.domainSid : of.accountSid);
      const aors = (await redis.zrangebyscore(members, `(${clock.now()}`, '+inf')).sort();
      if (aors.length === 0) return [];
      const texts = await redis.mget(aors.map(keyOf));
      const mine = isOf(of);
      return texts.flatMap((text) => read(text).filter(mine));
    },
    async close() {}, // nothing of its own to release
  };
}
