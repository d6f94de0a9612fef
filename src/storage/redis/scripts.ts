import { Script } from './script.ts';

/**
 * The store's writes that must be one step for Redis. Each opens with its contract; keys and arguments are
 * listed in order.
 */

/** Trims a bounded cache: `order` (sorted set) says what is oldest, `cache` (hash) holds the records. */
const TRIM = `
local function trim(cache, order, size)
  local extra = redis.call('ZCARD', order) - size
  if extra <= 0 then return end
  local oldest = redis.call('ZPOPMIN', order, extra)
  for i = 1, #oldest, 2 do redis.call('HDEL', cache, oldest[i]) end
end`;

/** A call is archived when it is indexed and no longer live; nothing may bring it back to life. */
const ARCHIVED = `
local function archived(live, facets, sid)
  return redis.call('HEXISTS', facets, sid) == 1 and redis.call('HEXISTS', live, sid) == 0
end`;

/** KEYS live facets index; ARGV sid record facets createdAt. Returns 0 when the call is archived. */
export const SAVE_CALL = new Script(`${ARCHIVED}
if archived(KEYS[1], KEYS[2], ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
return 1`);

/** KEYS live facets timeline; ARGV sid event…. Returns 0 when the call is archived. */
export const APPEND_TIMELINE = new Script(`${ARCHIVED}
if archived(KEYS[1], KEYS[2], ARGV[1]) then return 0 end
for i = 2, #ARGV do redis.call('RPUSH', KEYS[3], ARGV[i]) end
return 1`);

/**
 * KEYS live facets index timeline journal; ARGV sid record facets createdAt journal event…; an empty record or
 * journal stays as it is. Returns 0 when the call is archived.
 */
export const UPDATE_CALL = new Script(`${ARCHIVED}
if archived(KEYS[1], KEYS[2], ARGV[1]) then return 0 end
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
end
if ARGV[5] ~= '' then redis.call('SET', KEYS[5], ARGV[5]) end
for i = 6, #ARGV do redis.call('RPUSH', KEYS[4], ARGV[i]) end
return 1`);

/** KEYS live facets index timeline journal cache order; ARGV sid record facets createdAt cacheSize. */
export const ARCHIVE_CALL = new Script(`${TRIM}
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('DEL', KEYS[4], KEYS[5])
redis.call('HSET', KEYS[6], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[7], ARGV[4], ARGV[1])
trim(KEYS[6], KEYS[7], tonumber(ARGV[5]))
return 1`);

/** KEYS live facets index cache order; ARGV sid. Returns 0 when the call is live. */
export const REMOVE_CALL = new Script(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
return 1`);

/** KEYS facets index; ARGV sid facets createdAt. Returns 0 when the call is known. */
export const INDEX_CALL = new Script(`
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1`);

/** KEYS facets index owned; ARGV sid facets createdAt member. Returns 0 when the record is known. */
export const INDEX_RECORD = new Script(`
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], 0, ARGV[4])
return 1`);

/**
 * KEYS active facets index owned cache order; ARGV sid record facets createdAt owner finished(1|0) cacheSize. Returns 0
 * when a finished record would be unfinished again.
 */
export const SAVE_RECORD = new Script(`${TRIM}
if ARGV[6] == '0' and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('ZADD', KEYS[4], 0, ARGV[5] .. ':' .. ARGV[1])
if ARGV[6] == '1' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HSET', KEYS[5], ARGV[1], ARGV[2])
  redis.call('ZADD', KEYS[6], ARGV[4], ARGV[1])
  trim(KEYS[5], KEYS[6], tonumber(ARGV[7]))
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return 1`);

/** Time as Redis tells it: hosts need not agree on theirs. */
const NOW = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end`;

/** KEYS workers; ARGV worker ttlMs. Forgets those that fell silent. */
export const HEARTBEAT = new Script(`${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now())
redis.call('ZADD', KEYS[1], now() + ARGV[2], ARGV[1])
return 1`);

/** KEYS workers. Returns those that are alive. */
export const WORKERS_ALIVE = new Script(`${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now(), '+inf')`);
