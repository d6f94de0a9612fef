import type { HttpMethod } from './port.ts';
import type { RecordKind } from './records/port.ts';
import type { AccountRecord } from './sip.ts';

/** @see https://www.twilio.com/docs/usage/api/applications */
export interface Application extends AccountRecord {
  readonly voiceUrl: string;
  readonly voiceMethod: HttpMethod;
  readonly voiceFallbackUrl: string;
  readonly voiceFallbackMethod: HttpMethod;
  readonly statusCallback: string;
  readonly statusCallbackMethod: HttpMethod;
  readonly voiceCallerIdLookup: boolean;
  readonly publicApplicationConnectEnabled: boolean;
  /** Kept and shown; there are no messages here. */
  readonly smsUrl: string;
  readonly smsMethod: HttpMethod;
  readonly smsFallbackUrl: string;
  readonly smsFallbackMethod: HttpMethod;
  readonly smsStatusCallback: string;
  readonly messageStatusCallback: string;
}

export const APPLICATIONS: RecordKind<Application> = {
  name: 'applications',
  parentOf: ({ accountSid }) => accountSid,
};

/** A number that calls may show though it isn't ours. Only us1 has them. */
export interface OutgoingCallerId extends AccountRecord {
  readonly phoneNumber: string;
  /** The call in which its code is to be typed. Absent, or null: it has been. */
  readonly validation?: { readonly callSid: string; readonly code: string } | null;
}

export const OUTGOING_CALLER_IDS: RecordKind<OutgoingCallerId> = {
  name: 'outgoing-caller-ids',
  parentOf: ({ accountSid }) => accountSid,
  keyOf: ({ accountSid, phoneNumber }) => `${accountSid} ${phoneNumber}`,
};
