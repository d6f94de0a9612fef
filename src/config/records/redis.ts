import type { Redis } from 'ioredis';
import { type KeptRecord, type RecordKind, type Records, replacement } from './port.ts';

/** Our choice: a lost race between writers of one record is run again this often. Each round, one of them wins. */
const WRITE_ATTEMPTS = 100;

/**
 * KEYS version, records, members of the parent, keys; ARGV sid, record, createdAt, key ('' for none), limit ('' for
 * none). Returns 'created', 'taken' or 'full'.
 */
const CREATE = `
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 'taken' end
if ARGV[4] ~= '' and redis.call('HEXISTS', KEYS[4], ARGV[4]) == 1 then return 'taken' end
if ARGV[5] ~= '' and redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[5]) then return 'full' end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[4], ARGV[4], ARGV[1]) end
redis.call('INCR', KEYS[1])
return 'created'`;

/**
 * KEYS version, records, keys; ARGV sid, the record as it was read, the new one, its old key, its new key ('' for none).
 * Returns 'changed', 'taken', or 'raced' when another writer was faster.
 */
const REPLACE = `
if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then return 'raced' end
if ARGV[5] ~= '' then
  local holder = redis.call('HGET', KEYS[3], ARGV[5])
  if holder and holder ~= ARGV[1] then return 'taken' end
  if ARGV[4] ~= ARGV[5] then redis.call('HDEL', KEYS[3], ARGV[4]) end
  redis.call('HSET', KEYS[3], ARGV[5], ARGV[1])
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('INCR', KEYS[1])
return 'changed'`;

/** KEYS version, records, members of the parent, keys; ARGV sid, the record as it was read, its key. 0 when raced. */
const REMOVE = `
if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[3] ~= '' then redis.call('HDEL', KEYS[4], ARGV[3]) end
redis.call('INCR', KEYS[1])
return 1`;

/** Counts every change to any record under this prefix: what was read before and is unchanged needs no second look. */
export function versionKey(prefix: string): string {
  return `${prefix}records:version`;
}

/** Records in Redis; the caller opens and closes it. `prefix` ends with a colon. */
export function createRedisRecords<T extends KeptRecord>(
  redis: Redis,
  prefix: string,
  kind: RecordKind<T>,
): Records<T> {
  const version = versionKey(prefix);
  /** Hash: SID → record. */
  const records = `${prefix}${kind.name}`;
  /** Hash: key → SID. */
  const keys = `${records}:keys`;
  /** Sorted set of SIDs by creation. */
  const membersOf = (parent: string) => `${records}:of:${parent}`;
  const keyOf = (record: T) => kind.keyOf?.(record) ?? '';
  const parse = (text: string): T => JSON.parse(text);

  const fetch = async (sid: string): Promise<T | undefined> => {
    const text = await redis.hget(records, sid);
    return text === null ? undefined : parse(text);
  };

  /** Until one of its rounds is not overtaken by another writer. */
  const settle = async <R>(sid: string, attempt: (text: string) => Promise<R | undefined>, absent: R) => {
    for (let round = 0; round < WRITE_ATTEMPTS; round++) {
      const text = await redis.hget(records, sid);
      if (text === null) return absent;
      const result = await attempt(text);
      if (result !== undefined) return result;
    }
    throw new Error(`${sid} is being changed by others all the time: try again`);
  };

  return {
    fetch,
    async create(record, limit) {
      const parts = [record.sid, JSON.stringify(record), `${record.createdAt}`, keyOf(record)];
      const members = membersOf(kind.parentOf(record));
      const created = await redis.eval(
        CREATE,
        4,
        version,
        records,
        members,
        keys,
        ...parts,
        `${limit ?? ''}`,
      );
      return created === 'created' || created === 'full' ? created : 'taken';
    },
    change: (sid, next) =>
      settle<T | 'taken' | undefined | null>(
        sid,
        async (text) => {
          const before = parse(text);
          const after = replacement(kind, before, next);
          const parts = [sid, text, JSON.stringify(after), keyOf(before), keyOf(after)];
          const changed = await redis.eval(REPLACE, 3, version, records, keys, ...parts);
          if (changed === 'taken') return 'taken';
          return changed === 'changed' ? after : undefined;
        },
        null,
      ).then((result) => result ?? undefined),
    async find(key) {
      const sid = await redis.hget(keys, key);
      return sid === null ? undefined : fetch(sid);
    },
    async list(parent) {
      const sids = await redis.zrange(membersOf(parent), 0, '-1');
      if (sids.length === 0) return [];
      const texts = await redis.hmget(records, ...sids);
      return texts.flatMap((text) => (text === null ? [] : [parse(text)]));
    },
    count: (parent) => redis.zcard(membersOf(parent)),
    remove: (sid) =>
      settle(
        sid,
        async (text) => {
          const before = parse(text);
          const members = membersOf(kind.parentOf(before));
          const removed = await redis.eval(
            REMOVE,
            4,
            version,
            records,
            members,
            keys,
            sid,
            text,
            keyOf(before),
          );
          return removed === 1 ? true : undefined;
        },
        false,
      ),
  };
}
