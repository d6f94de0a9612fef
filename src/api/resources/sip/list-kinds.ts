import type { RegionalRecords } from '../../../config/port.ts';
import type { KeptRecord, Records } from '../../../config/records/port.ts';
import type { AccountRecord, MappedList } from '../../../config/sip.ts';
import { SIP_LIMITS } from './limits.ts';

/** The two kinds of lists that domains map: what they are called and what is refused about them. */
export interface ListKind {
  readonly list: MappedList;
  readonly prefix: 'AL' | 'CL';
  /** In paths: `/SIP/IpAccessControlLists`. */
  readonly plural: string;
  /** In operationIds: `SipIpAccessControlList`. */
  readonly id: string;
  /** The form's parameter that names one: `IpAccessControlListSid`. */
  readonly parameter: string;
  /** The lists of an answer: `ip_access_control_lists`. */
  readonly key: string;
  /** For people: `IP access control list`. */
  readonly name: string;
  /** What it holds, `IpAddresses`, and the name of that in `subresource_uris`. */
  readonly members: { readonly plural: string; readonly key: string };
  /** Characters. */
  readonly longestName: number;
  readonly limit: number;
  readonly codes: { readonly invalid: number; readonly full: number; readonly mapped: number };
  records(records: RegionalRecords): Records<AccountRecord>;
  membersOf(records: RegionalRecords): Pick<Records<KeptRecord>, 'list' | 'remove'>;
}

/** @see https://www.twilio.com/docs/voice/sip/api/sip-ipaccesscontrollist-resource */
export const ACCESS_LISTS: ListKind = {
  list: 'ip-access-control-list',
  prefix: 'AL',
  plural: 'IpAccessControlLists',
  id: 'SipIpAccessControlList',
  parameter: 'IpAccessControlListSid',
  key: 'ip_access_control_lists',
  name: 'IP access control list',
  members: { plural: 'IpAddresses', key: 'ip_addresses' },
  longestName: 255,
  limit: SIP_LIMITS.accessLists,
  codes: { invalid: 21235, full: 21255, mapped: 21236 },
  records: ({ accessLists }) => accessLists,
  membersOf: ({ addresses }) => addresses,
};

/** @see https://www.twilio.com/docs/voice/sip/api/sip-credentiallist-resource */
export const CREDENTIAL_LISTS: ListKind = {
  list: 'credential-list',
  prefix: 'CL',
  plural: 'CredentialLists',
  id: 'SipCredentialList',
  parameter: 'CredentialListSid',
  key: 'credential_lists',
  name: 'credential list',
  members: { plural: 'Credentials', key: 'credentials' },
  longestName: 64,
  limit: SIP_LIMITS.credentialLists,
  codes: { invalid: 21240, full: 21239, mapped: 21241 },
  records: ({ credentialLists }) => credentialLists,
  membersOf: ({ credentials }) => credentials,
};
