import type { RegionalRecords } from './port.ts';
import { type IpAddress, type MappedList, mappingsOf, type SipCredential, type SipDomain } from './sip.ts';

/** A SIP domain with everything that decides who gets in. */
export interface DomainAccess {
  readonly domain: SipDomain;
  /** Addresses of all access control lists mapped for calls; null: none is mapped. */
  readonly callAddresses: readonly IpAddress[] | null;
  /** Credential lists mapped for calls, by SID. */
  readonly callLists: readonly string[];
  /** Credential lists mapped for registrations, by SID. */
  readonly registrationLists: readonly string[];
}

/** What an edge asks of the Region in which a domain is active. Rejects when that can't be read: never a guess. */
export interface SipDirectory {
  /** By the global key, as `acme`. What was changed is seen at once. */
  domain(name: string): Promise<DomainAccess | undefined>;
  /** The credential with exactly this name in the first of the lists that has one. */
  credential(lists: readonly string[], username: string): Promise<SipCredential | undefined>;
}

/** Our choice: domains whose lists are remembered, of one Region. */
const REMEMBERED = 10_000;

/** Our choice: names come from whoever sends a request; no longer ones are remembered (RFC 1035 §2.3.4). */
const LONGEST_KEY = 255;

/** Answers from what was read before, as long as nothing of the Region's records has changed since. */
export function createSipDirectory(records: RegionalRecords): SipDirectory {
  const remembered = new Map<string, DomainAccess | undefined>();
  const credentials = new Map<string, SipCredential | undefined>();
  let version = -1;

  /** Forgets everything when anything has changed. */
  const refresh = async () => {
    const now = await records.version();
    if (now !== version) {
      remembered.clear();
      credentials.clear();
      version = now;
    }
    return now;
  };

  const cached = async <T>(
    asOf: number,
    cache: Map<string, T>,
    key: string,
    read: () => Promise<T>,
  ): Promise<T> => {
    const known = cache.get(key);
    if (known !== undefined || cache.has(key)) return known as T; // undefined is an answer, too
    const found = await read();
    if (asOf === version && key.length <= LONGEST_KEY) {
      if (cache.size >= REMEMBERED) cache.clear();
      cache.set(key, found);
    }
    return found;
  };

  return {
    async domain(name) {
      return cached(await refresh(), remembered, name, () => readAccess(records, name));
    },
    async credential(lists, username) {
      const asOf = await refresh();
      const found = await Promise.all(
        lists.map((list) => {
          const key = `${list} ${username}`;
          return cached(asOf, credentials, key, () => readCredential(records, key));
        }),
      );
      return found.find((credential) => credential !== undefined);
    },
  };
}

/** No record has it. */
const NOBODY = `CR${'0'.repeat(32)}`;

/** As many steps for a name there is as for one there is not, so that the time does not tell who is a user. */
async function readCredential(records: RegionalRecords, key: string): Promise<SipCredential | undefined> {
  return (await records.credentials.find(key)) ?? records.credentials.fetch(NOBODY);
}

async function readAccess(records: RegionalRecords, name: string): Promise<DomainAccess | undefined> {
  const domain = await records.domains.find(name);
  if (!domain) return undefined;
  const mappings = await mappingsOf(records.mappings, domain.sid);
  const lists = (list: MappedList, registrations: boolean) => [
    ...new Set(
      mappings
        .filter((mapping) => mapping.list === list && (mapping.use === 'registrations') === registrations)
        .map(({ listSid }) => listSid),
    ),
  ];
  const accessLists = lists('ip-access-control-list', false);
  const addresses = await Promise.all(accessLists.map((sid) => records.addresses.list(sid)));
  return {
    domain,
    callAddresses: accessLists.length > 0 ? addresses.flat() : null,
    callLists: lists('credential-list', false),
    registrationLists: lists('credential-list', true),
  };
}
