import type { HttpMethod } from './port.ts';
import type { KeptRecord, RecordKind, Records } from './records/port.ts';

/** What is common to the resources of an account. */
export interface AccountRecord extends KeptRecord {
  readonly accountSid: string;
  readonly friendlyName: string;
  readonly updatedAt: number;
}

/**
 * A SIP domain as this Region has it. The same domain may be in several Regions; the route table says which is active.
 *
 * @see https://www.twilio.com/docs/voice/sip/api/sip-domain-resource
 */
export interface SipDomain extends AccountRecord {
  /** As it was given, `acme.sip.twilio.com` for one. */
  readonly domainName: string;
  /** The global key: `acme`, or `east.acme` for a sub-domain. */
  readonly name: string;
  readonly voiceUrl: string;
  readonly voiceMethod: HttpMethod;
  readonly voiceFallbackUrl: string;
  readonly voiceFallbackMethod: HttpMethod;
  readonly voiceStatusCallbackUrl: string;
  readonly voiceStatusCallbackMethod: HttpMethod;
  readonly sipRegistration: boolean;
  readonly secure: boolean;
  readonly emergencyCallingEnabled: boolean;
  readonly emergencyCallerSid: string | null;
  readonly byocTrunkSid: string | null;
}

export type IpAccessControlList = AccountRecord;

export interface IpAddress extends AccountRecord {
  readonly listSid: string;
  readonly ipAddress: string;
  /** 0–32 for IPv4, 0–128 for IPv6. */
  readonly cidrPrefixLength: number;
}

export type CredentialList = AccountRecord;

/** @see https://www.twilio.com/docs/voice/sip/api/sip-credential-resource */
export interface SipCredential extends KeptRecord {
  readonly accountSid: string;
  readonly listSid: string;
  readonly username: string;
  /** H(username:realm:password) for the realm of all SIP domains (`SIP_REALM`): the password itself is not kept. */
  readonly secrets: { readonly MD5: string; readonly 'SHA-256': string };
  readonly updatedAt: number;
}

/**
 * What a mapping lets in: `calls` and `registrations` are `/Auth/Calls` and `/Auth/Registrations`; `legacy` are the
 * mappings right under the domain, which count for calls too.
 */
export type MappingUse = 'legacy' | 'calls' | 'registrations';

export type MappedList = 'ip-access-control-list' | 'credential-list';

/** A list in use by a domain. Its SID as a resource is the list's own; as a record, see `mappingSid`. */
export interface DomainMapping extends KeptRecord {
  readonly accountSid: string;
  readonly domainSid: string;
  readonly use: MappingUse;
  readonly list: MappedList;
  readonly listSid: string;
}

/**
 * The digest realm of every SIP domain, as on Twilio. It doesn't depend on TRUNKLINE_DOMAIN: what is kept of a password
 * holds for one realm only.
 */
export const SIP_REALM = 'sip.twilio.com';

const ofAccount = (record: AccountRecord) => record.accountSid;

export const SIP_DOMAINS: RecordKind<SipDomain> = {
  name: 'sip-domains',
  parentOf: ofAccount,
  keyOf: ({ name }) => name,
};

export const IP_ACCESS_CONTROL_LISTS: RecordKind<IpAccessControlList> = {
  name: 'ip-access-control-lists',
  parentOf: ofAccount,
};

export const IP_ADDRESSES: RecordKind<IpAddress> = {
  name: 'ip-addresses',
  parentOf: ({ listSid }) => listSid,
};

export const CREDENTIAL_LISTS: RecordKind<CredentialList> = {
  name: 'credential-lists',
  parentOf: ofAccount,
};

export const SIP_CREDENTIALS: RecordKind<SipCredential> = {
  name: 'sip-credentials',
  parentOf: ({ listSid }) => listSid,
  keyOf: ({ listSid, username }) => `${listSid} ${username}`,
};

/** By domain, use and kind of list, as their resources list them. */
export const DOMAIN_MAPPINGS: RecordKind<DomainMapping> = {
  name: 'domain-mappings',
  parentOf: (mapping) => mappingParent(mapping),
};

/** Where mappings are listed: each of a domain's five lists of mappings is a parent of its own. */
export function mappingParent(of: Pick<DomainMapping, 'domainSid' | 'use' | 'list'>): string {
  return `${of.domainSid} ${of.use} ${of.list}`;
}

/** Names a mapping's record: a domain maps a list once for each use. */
export function mappingSid(of: Pick<DomainMapping, 'domainSid' | 'use' | 'listSid'>): string {
  return `${of.domainSid} ${of.use} ${of.listSid}`;
}

/** The lists of mappings that a domain has. There are no access control lists for registrations. */
export const MAPPING_LISTS: readonly Pick<DomainMapping, 'use' | 'list'>[] = [
  { use: 'legacy', list: 'ip-access-control-list' },
  { use: 'legacy', list: 'credential-list' },
  { use: 'calls', list: 'ip-access-control-list' },
  { use: 'calls', list: 'credential-list' },
  { use: 'registrations', list: 'credential-list' },
];

/** All mappings of a domain. */
export async function mappingsOf(
  mappings: Records<DomainMapping>,
  domainSid: string,
): Promise<readonly DomainMapping[]> {
  const lists = MAPPING_LISTS.map((of) => mappings.list(mappingParent({ domainSid, ...of })));
  return (await Promise.all(lists)).flat();
}
