import type { InterconnectEdge } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';
import type { ApiKey, TokenVault } from './accounts.ts';
import type { Application, OutgoingCallerId } from './applications.ts';
import type { Records } from './records/port.ts';
import type { Registrations } from './registrations.ts';
import type {
  CredentialList,
  DomainMapping,
  IpAccessControlList,
  IpAddress,
  SipCredential,
  SipDomain,
} from './sip.ts';

/** A number is one global asset: the same PN SID in every Region. */
export interface OwnedNumber {
  readonly sid: string;
  readonly accountSid: string;
  readonly phoneNumber: string;
  readonly createdAt: number;
}

/** Global: who owns which number. */
export interface NumberOwnership {
  /** Adds the number; false when somebody owns it already. */
  claim(number: OwnedNumber): Promise<boolean>;
  byNumber(phoneNumber: string): Promise<OwnedNumber | undefined>;
  bySid(sid: string): Promise<OwnedNumber | undefined>;
  list(accountSid: string): Promise<readonly OwnedNumber[]>;
  /** Says that a Region has a voice configuration for the number now. That there is one is global, what it says is not. */
  configured(sid: string, region: RegionId): Promise<void>;
  /** The Regions that have a voice configuration for it. */
  regionsOf(sid: string): Promise<readonly RegionId[]>;
  release(sid: string): Promise<void>;
  close(): Promise<void>;
}

export type HttpMethod = 'GET' | 'POST';

/** One Region's voice configuration of a number; URLs may carry connection overrides in their fragment. */
export interface NumberConfig {
  readonly phoneNumberSid: string;
  readonly friendlyName: string;
  readonly voiceUrl: string;
  readonly voiceMethod: HttpMethod;
  readonly voiceFallbackUrl: string;
  readonly voiceFallbackMethod: HttpMethod;
  readonly statusCallback: string;
  readonly statusCallbackMethod: HttpMethod;
  readonly voiceCallerIdLookup: boolean;
  /** An application of this Region that answers in place of the URLs. Absent, or null: none. */
  readonly voiceApplicationSid?: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/**
 * A private connection to an Interconnect exchange. By default a Region has one active connection per exchange.
 *
 * @see https://www.twilio.com/docs/voice/sip/sip-interface-over-twilio-interconnect
 */
export interface InterconnectConnection {
  /** `TX` and 32 hex digits. */
  readonly sid: string;
  /** The edge that it leads to. */
  readonly exchange: InterconnectEdge;
  readonly status: 'active' | 'inactive';
}

/**
 * `only`: no other Region has the name. `shared`: another Region of the account has it, too. `taken`: it is another
 * account's.
 */
export type Claim = 'only' | 'shared' | 'taken';

/** A SIP domain's name, or a trunk's termination name: one account has it, in however many Regions. */
export interface NameOwnership {
  /** Nothing changes when the name is taken. Claiming once more what one has is allowed, and answered the same way. */
  claim(kind: NameKind, name: string, accountSid: string, region: RegionId): Promise<Claim>;
  ownerOf(kind: NameKind, name: string): Promise<string | undefined>;
  /** The Regions that have it. */
  regionsOf(kind: NameKind, name: string): Promise<readonly RegionId[]>;
  /**
   * This Region of the account no longer has it. True when nobody has it now, whoever released it; another account's
   * name stays as it is.
   */
  release(kind: NameKind, name: string, accountSid: string, region: RegionId): Promise<boolean>;
}

export type NameKind = 'sip-domain' | 'trunk';

/** What a Region keeps for its accounts, by kind. */
export interface RegionalRecords {
  readonly applications: Records<Application>;
  readonly keys: Records<ApiKey>;
  readonly callerIds: Records<OutgoingCallerId>;
  readonly domains: Records<SipDomain>;
  readonly mappings: Records<DomainMapping>;
  readonly accessLists: Records<IpAccessControlList>;
  readonly addresses: Records<IpAddress>;
  readonly credentialLists: Records<CredentialList>;
  readonly credentials: Records<SipCredential>;
  /** Grows with every change to any of them. */
  version(): Promise<number>;
}

/** Regional: written by create or update on that Region's host; absent until then (22199). */
export interface RegionalConfig {
  readonly region: RegionId;
  readonly records: RegionalRecords;
  readonly registrations: Registrations;
  readonly tokens: TokenVault;
  number(phoneNumberSid: string): Promise<NumberConfig | undefined>;
  saveNumber(config: NumberConfig): Promise<void>;
  removeNumber(phoneNumberSid: string): Promise<void>;
  /** In the order of the exchanges, the default ones first. */
  connections(): Promise<readonly InterconnectConnection[]>;
  saveConnection(connection: InterconnectConnection): Promise<void>;
  close(): Promise<void>;
}
