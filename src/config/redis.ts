import type { Redis } from 'ioredis';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import { isRegionId, type Region } from '../region/region.ts';
import { connectionsOf } from './connections.ts';
import type {
  InterconnectConnection,
  NameOwnership,
  NumberConfig,
  NumberOwnership,
  OwnedNumber,
  RegionalConfig,
} from './port.ts';
import { createRedisRecords, versionKey } from './records/redis.ts';
import { regionalRecords } from './records/regional.ts';
import { createRedisRegistrations } from './registrations-redis.ts';
import { createTokenVault, type KeptTokens, type TokenStore, type TokenVaultOptions } from './token-vault.ts';

/** Hash of all numbers: field E.164, value an OwnedNumber. */
const NUMBERS = 'trunkline:global:numbers';

/** Hash: PN SID → E.164. */
const BY_SID = 'trunkline:global:numbers:by-sid';

/** One sorted set per account: E.164 by creation. */
const ofAccount = (accountSid: string) => `trunkline:global:numbers:of:${accountSid}`;

/** One set per number: the Regions that have a voice configuration for it. */
const configuredIn = (sid: string) => `trunkline:global:numbers:regions:${sid}`;

/** KEYS numbers by-sid of-account; ARGV phoneNumber number sid createdAt. Returns 0 when the number is taken. */
const CLAIM = `
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
return 1`;

/** Who owns which number, in the global Redis; the caller opens and closes it. */
export function createNumberOwnership({ redis }: { readonly redis: Redis }): NumberOwnership {
  const byNumber = async (phoneNumber: string): Promise<OwnedNumber | undefined> => {
    const text = await redis.hget(NUMBERS, phoneNumber);
    return text === null ? undefined : JSON.parse(text);
  };
  const bySid = async (sid: string): Promise<OwnedNumber | undefined> => {
    const phoneNumber = await redis.hget(BY_SID, sid);
    return phoneNumber === null ? undefined : byNumber(phoneNumber);
  };

  return {
    byNumber,
    bySid,
    async claim(number) {
      const { phoneNumber, sid, accountSid, createdAt } = number;
      const text = JSON.stringify(number);
      const members = ofAccount(accountSid);
      const claimed = await redis.eval(
        CLAIM,
        3,
        NUMBERS,
        BY_SID,
        members,
        phoneNumber,
        text,
        sid,
        `${createdAt}`,
      );
      return claimed === 1;
    },
    async list(accountSid) {
      const phoneNumbers = await redis.zrange(ofAccount(accountSid), 0, '-1');
      if (phoneNumbers.length === 0) return [];
      const texts = await redis.hmget(NUMBERS, ...phoneNumbers);
      return texts.flatMap((text): OwnedNumber[] => (text ? [JSON.parse(text)] : []));
    },
    async configured(sid, region) {
      await redis.sadd(configuredIn(sid), region);
    },
    async regionsOf(sid) {
      return (await redis.smembers(configuredIn(sid))).filter(isRegionId);
    },
    async release(sid) {
      const number = await bySid(sid);
      if (!number) return;
      const results = await redis
        .multi()
        .hdel(NUMBERS, number.phoneNumber)
        .hdel(BY_SID, sid)
        .zrem(ofAccount(number.accountSid), number.phoneNumber)
        .del(configuredIn(sid))
        .exec();
      for (const [error] of results ?? []) if (error) throw error;
    },
    async close() {}, // nothing of its own to release
  };
}

/** KEYS owner, regions; ARGV accountSid, region. Returns how many Regions have it, 0 when another account has. */
const CLAIM_NAME = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SADD', KEYS[2], ARGV[2])
return redis.call('SCARD', KEYS[2])`;

/** KEYS owner, regions; ARGV accountSid, region. Returns 1 when the name is free then. */
const RELEASE_NAME = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SREM', KEYS[2], ARGV[2])
if redis.call('SCARD', KEYS[2]) > 0 then return 0 end
redis.call('DEL', KEYS[1])
return 1`;

/** Who has which name, in the global Redis; the caller opens and closes it. */
export function createNameOwnership({ redis }: { readonly redis: Redis }): NameOwnership {
  const owner = (kind: string, name: string) => `trunkline:global:names:${kind}:${name}`;
  const regions = (kind: string, name: string) => `${owner(kind, name)}:regions`;
  return {
    async claim(kind, name, accountSid, region) {
      const keys = [owner(kind, name), regions(kind, name)];
      const having = await redis.eval(CLAIM_NAME, 2, ...keys, accountSid, region);
      return having === 0 ? 'taken' : having === 1 ? 'only' : 'shared';
    },
    async ownerOf(kind, name) {
      return (await redis.get(owner(kind, name))) ?? undefined;
    },
    async regionsOf(kind, name) {
      return (await redis.smembers(regions(kind, name))).filter(isRegionId);
    },
    async release(kind, name, accountSid, region) {
      const keys = [owner(kind, name), regions(kind, name)];
      return (await redis.eval(RELEASE_NAME, 2, ...keys, accountSid, region)) === 1;
    },
  };
}

/** KEYS tokens; ARGV accountSid, what was read ('' for nothing), the new ones. Returns 0 when another was faster. */
const REPLACE_TOKENS = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`;

function redisTokenStore(redis: Redis, region: Region): TokenStore {
  const key = `${region.keyPrefix}auth-tokens`;
  return {
    async read(accountSid) {
      const text = await redis.hget(key, accountSid);
      return text === null ? undefined : (JSON.parse(text) as KeptTokens); // written by `replace` alone
    },
    async replace(accountSid, before, after) {
      const texts = [before ? JSON.stringify(before) : '', JSON.stringify(after)];
      return (await redis.eval(REPLACE_TOKENS, 1, key, accountSid, ...texts)) === 1;
    },
  };
}

export interface RegionalConfigOptions {
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The first account and its token in this Region, in a process that knows it. */
  readonly given?: TokenVaultOptions['given'];
}

/** A Region's configuration, in its own Redis; the caller opens and closes it. */
export function createRegionalConfig(options: RegionalConfigOptions): RegionalConfig {
  const { redis, region, clock, ids, given } = options;
  const numbers = `${region.keyPrefix}numbers`;
  const connections = `${region.keyPrefix}connections`;
  return {
    region: region.id,
    records: regionalRecords(
      (kind) => createRedisRecords(redis, region.keyPrefix, kind),
      async () => Number((await redis.get(versionKey(region.keyPrefix))) ?? 0),
    ),
    tokens: createTokenVault({ store: redisTokenStore(redis, region), clock, ids, given }),
    registrations: createRedisRegistrations({ redis, region, clock }),
    async number(phoneNumberSid) {
      const text = await redis.hget(numbers, phoneNumberSid);
      return text === null ? undefined : JSON.parse(text);
    },
    async saveNumber(config: NumberConfig) {
      await redis.hset(numbers, config.phoneNumberSid, JSON.stringify(config));
    },
    async removeNumber(phoneNumberSid) {
      await redis.hdel(numbers, phoneNumberSid);
    },
    async connections() {
      const saved = Object.values(await redis.hgetall(connections));
      return connectionsOf(
        region.id,
        saved.map((text): InterconnectConnection => JSON.parse(text)),
      );
    },
    async saveConnection(connection) {
      await redis.hset(connections, connection.sid, JSON.stringify(connection));
    },
    async close() {}, // nothing of its own to release
  };
}
