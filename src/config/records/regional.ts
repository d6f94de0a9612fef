import { API_KEYS } from '../accounts.ts';
import { APPLICATIONS, OUTGOING_CALLER_IDS } from '../applications.ts';
import type { RegionalRecords } from '../port.ts';
import {
  CREDENTIAL_LISTS,
  DOMAIN_MAPPINGS,
  IP_ACCESS_CONTROL_LISTS,
  IP_ADDRESSES,
  SIP_CREDENTIALS,
  SIP_DOMAINS,
} from '../sip.ts';
import type { KeptRecord, RecordKind, Records } from './port.ts';

/** A Region's records, each kind made by `create`. */
export function regionalRecords(
  create: <T extends KeptRecord>(kind: RecordKind<T>) => Records<T>,
  version: () => Promise<number>,
): RegionalRecords {
  return {
    applications: create(APPLICATIONS),
    keys: create(API_KEYS),
    callerIds: create(OUTGOING_CALLER_IDS),
    domains: create(SIP_DOMAINS),
    mappings: create(DOMAIN_MAPPINGS),
    accessLists: create(IP_ACCESS_CONTROL_LISTS),
    addresses: create(IP_ADDRESSES),
    credentialLists: create(CREDENTIAL_LISTS),
    credentials: create(SIP_CREDENTIALS),
    version,
  };
}
