/** Hash of all routes: field `<kind>:<key>`, value a RouteEntry. */
export const ROUTE_TABLE = 'trunkline:global:routes';

/** Channel on which a changed field is announced to every edge. */
export const ROUTE_CHANGES = 'trunkline:global:routes:changed';

/** List of when the latest changes were taken, newest first, for the pace of all writers together. */
export const ROUTES_TAKEN = 'trunkline:global:routes:taken';

/** List of a field's changes, newest first: its audit trail. */
export function trailOf(field: string): string {
  return `trunkline:global:routes:trail:${field}`;
}

/** Sorted set of an account's fields that have a record, by its creation. */
export function routesOf(accountSid: string): string {
  return `trunkline:global:routes:of:${accountSid}`;
}

/**
 * Writes an entry in one step with its audit, its index and its announcement.
 *
 * KEYS table channel trail before's-index after's-index taken;
 * ARGV 1 field, 2 the value it was read as ('' when absent), 3 its new value ('' to remove it), 4 the change,
 * 5 changes kept, 6 creation of the record ('' when it was removed), 7 seconds that the changes of a removed record
 * are kept, 8 changes that a window may hold (0 to write without asking), 9 the window in milliseconds.
 * Returns 0 when it is written, -1 when another writer was faster, else the milliseconds to wait for the pace. Its
 * time is Redis' own: the services of the Regions need not agree on one.
 */
export const REPLACE_ROUTE = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return -1 end
local most, window = tonumber(ARGV[8]), tonumber(ARGV[9])
if most > 0 then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local oldest = redis.call('LINDEX', KEYS[6], most - 1)
  local wait = oldest and tonumber(oldest) + window - now or 0
  if wait > 0 then return math.min(wait, window) end
  redis.call('LPUSH', KEYS[6], string.format('%d', now))
  redis.call('LTRIM', KEYS[6], 0, most - 1)
  redis.call('PEXPIRE', KEYS[6], window)
end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
redis.call('LPUSH', KEYS[3], ARGV[4])
redis.call('LTRIM', KEYS[3], 0, ARGV[5] - 1)
redis.call('ZREM', KEYS[4], ARGV[1])
if ARGV[6] == '' then redis.call('EXPIRE', KEYS[3], ARGV[7])
else
  redis.call('PERSIST', KEYS[3])
  redis.call('ZADD', KEYS[5], ARGV[6], ARGV[1])
end
redis.call('PUBLISH', KEYS[2], ARGV[1])
return 0`;
