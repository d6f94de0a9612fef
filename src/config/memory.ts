import { type Clock, SystemClock } from '../core/clock.ts';
import { type Ids, RandomIds } from '../core/ids.ts';
import type { RegionId } from '../region/region.ts';
import { connectionsOf } from './connections.ts';
import type {
  InterconnectConnection,
  NameOwnership,
  NumberConfig,
  NumberOwnership,
  OwnedNumber,
  RegionalConfig,
} from './port.ts';
import { createMemoryRecords } from './records/memory.ts';
import { regionalRecords } from './records/regional.ts';
import { createMemoryRegistrations } from './registrations-memory.ts';
import { createTokenVault, type KeptTokens, type TokenVaultOptions } from './token-vault.ts';

/** Who owns which number, within one process: replay and tests. */
export function createMemoryNumberOwnership(): NumberOwnership {
  const numbers = new Map<string, OwnedNumber>();
  const configured = new Map<string, readonly RegionId[]>();
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
    async configured(sid, region) {
      configured.set(sid, [...new Set([...(configured.get(sid) ?? []), region])]);
    },
    async regionsOf(sid) {
      return configured.get(sid) ?? [];
    },
    async release(sid) {
      configured.delete(sid);
      const number = bySid(sid);
      if (number) numbers.delete(number.phoneNumber);
    },
    async close() {},
  };
}

/** Who has which name, within one process: replay and tests. */
export function createMemoryNameOwnership(): NameOwnership {
  const owners = new Map<string, { readonly accountSid: string; readonly regions: Set<RegionId> }>();
  return {
    async claim(kind, name, accountSid, region) {
      const owner = owners.get(`${kind} ${name}`) ?? { accountSid, regions: new Set() };
      if (owner.accountSid !== accountSid) return 'taken';
      owner.regions.add(region);
      owners.set(`${kind} ${name}`, owner);
      return owner.regions.size === 1 ? 'only' : 'shared';
    },
    async ownerOf(kind, name) {
      return owners.get(`${kind} ${name}`)?.accountSid;
    },
    async regionsOf(kind, name) {
      return [...(owners.get(`${kind} ${name}`)?.regions ?? [])];
    },
    async release(kind, name, accountSid, region) {
      const owner = owners.get(`${kind} ${name}`);
      if (!owner) return true;
      if (owner.accountSid !== accountSid) return false;
      owner.regions.delete(region);
      return owner.regions.size === 0 && owners.delete(`${kind} ${name}`);
    },
  };
}

export interface MemoryRegionalConfigOptions {
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly given?: TokenVaultOptions['given'];
}

/** A Region's configuration, within one process: replay and tests. */
export function createMemoryRegionalConfig(
  region: RegionId,
  { clock = new SystemClock(), ids = new RandomIds(), given }: MemoryRegionalConfigOptions = {},
): RegionalConfig {
  const configs = new Map<string, NumberConfig>();
  const saved = new Map<string, InterconnectConnection>();
  const tokens = new Map<string, KeptTokens>();
  let version = 0;
  return {
    region,
    records: regionalRecords(
      (kind) => createMemoryRecords(kind, () => version++),
      async () => version,
    ),
    tokens: createTokenVault({
      clock,
      ids,
      given,
      store: {
        async read(accountSid) {
          return tokens.get(accountSid);
        },
        async replace(accountSid, before, after) {
          if (tokens.get(accountSid) !== before) return false;
          tokens.set(accountSid, after);
          return true;
        },
      },
    }),
    registrations: createMemoryRegistrations(clock),
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
