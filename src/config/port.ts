import type { InterconnectEdge } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';

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

/** Regional: written by create or update on that Region's host; absent until then (22199). */
export interface RegionalConfig {
  readonly region: RegionId;
  number(phoneNumberSid: string): Promise<NumberConfig | undefined>;
  saveNumber(config: NumberConfig): Promise<void>;
  removeNumber(phoneNumberSid: string): Promise<void>;
  /** In the order of the exchanges, the default ones first. */
  connections(): Promise<readonly InterconnectConnection[]>;
  saveConnection(connection: InterconnectConnection): Promise<void>;
  close(): Promise<void>;
}
