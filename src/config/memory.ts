import type { RegionId } from '../region/region.ts';
import { connectionsOf } from './connections.ts';
import type {
  InterconnectConnection,
  NumberConfig,
  NumberOwnership,
  OwnedNumber,
  RegionalConfig,
} from './port.ts';

/** Who owns which number, within one process: replay and tests. */
export function createMemoryNumberOwnership(): NumberOwnership {
  const numbers = new Map<string, OwnedNumber>();
  const bySid = (sid: string) => [...numbers.values()].find((number) => number.sid === sid);
  return {
    async claim(number) {
      if (numbers.has(number.phoneNumber)) return false;
      numbers.set(number.phoneNumber, number);
      return true;
    },
    async byNumber(phoneNumber) {
      return numbers.get(phoneNumber);
    },
    async bySid(sid) {
      return bySid(sid);
    },
    async list(accountSid) {
      const owned = [...numbers.values()].filter((number) => number.accountSid === accountSid);
      return owned.sort((a, b) => a.createdAt - b.createdAt);
    },
    async release(sid) {
      const number = bySid(sid);
      if (number) numbers.delete(number.phoneNumber);
    },
    async close() {},
  };
}

/** A Region's voice configuration of numbers, within one process: replay and tests. */
export function createMemoryRegionalConfig(region: RegionId): RegionalConfig {
  const configs = new Map<string, NumberConfig>();
  const saved = new Map<string, InterconnectConnection>();
  return {
    region,
    async number(phoneNumberSid) {
      return configs.get(phoneNumberSid);
    },
    async saveNumber(config) {
      configs.set(config.phoneNumberSid, config);
    },
    async removeNumber(phoneNumberSid) {
      configs.delete(phoneNumberSid);
    },
    async connections() {
      return connectionsOf(region, [...saved.values()]);
    },
    async saveConnection(connection) {
      saved.set(connection.sid, connection);
    },
    async close() {},
  };
}
