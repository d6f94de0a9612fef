import type { Redis } from 'ioredis';
import type { Region } from '../region/region.ts';
import { connectionsOf } from './connections.ts';
import type {
  InterconnectConnection,
  NumberConfig,
  NumberOwnership,
  OwnedNumber,
  RegionalConfig,
} from './port.ts';

/** Hash of all numbers: field E.164, value an OwnedNumber. */
const NUMBERS = 'trunkline:global:numbers';

/** Hash: PN SID → E.164. */
const BY_SID = 'trunkline:global:numbers:by-sid';

/** One sorted set per account: E.164 by creation. */
const ofAccount = (accountSid: string) => `trunkline:global:numbers:of:${accountSid}`;

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
    async release(sid) {
      const number = await bySid(sid);
      if (!number) return;
      const results = await redis
        .multi()
        .hdel(NUMBERS, number.phoneNumber)
        .hdel(BY_SID, sid)
        .zrem(ofAccount(number.accountSid), number.phoneNumber)
        .exec();
      for (const [error] of results ?? []) if (error) throw error;
    },
    async close() {}, // nothing of its own to release
  };
}

/** A Region's voice configuration of numbers, in its own Redis; the caller opens and closes it. */
export function createRegionalConfig(options: {
  readonly redis: Redis;
  readonly region: Region;
}): RegionalConfig {
  const { redis, region } = options;
  const numbers = `${region.keyPrefix}numbers`;
  const connections = `${region.keyPrefix}connections`;
  return {
    region: region.id,
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
