import type { Diagnostic } from '../core/diagnostic.ts';
import type { EdgeId } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';
import type { TranscriptionOrder } from './transcription.ts';

/** @see https://www.twilio.com/docs/voice/api/call-resource#call-status-values */
export type CallStatus =
  | 'queued'
  | 'ringing'
  | 'in-progress'
  | 'completed'
  | 'busy'
  | 'failed'
  | 'no-answer'
  | 'canceled';

export type CallDirection =
  | 'inbound'
  | 'outbound-api'
  | 'outbound-dial'
  | 'trunking-terminating'
  | 'trunking-originating';

export const TERMINAL_STATUSES: ReadonlySet<CallStatus> = new Set([
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
]);

/**
 * The call record as it is stored in the Region's bucket and Redis (DESIGN §6, Objects): the fields of Twilio's
 * Call resource, then our own. Dates are RFC 2822 in UTC.
 */
export interface CallRecord {
  readonly sid: string;
  readonly account_sid: string;
  readonly api_version: '2010-04-01';
  readonly parent_call_sid: string | null;
  readonly date_created: string;
  readonly date_updated: string;
  readonly start_time: string | null;
  readonly end_time: string | null;
  readonly to: string;
  readonly to_formatted: string;
  readonly from: string;
  readonly from_formatted: string;
  readonly phone_number_sid: string | null;
  readonly status: CallStatus;
  /** Seconds from answer to end, as a decimal string; null until the call has ended. */
  readonly duration: string | null;
  readonly price: null;
  readonly price_unit: null;
  readonly direction: CallDirection;
  readonly answered_by: null;
  readonly annotation: null;
  readonly forwarded_from: string | null;
  readonly group_sid: null;
  readonly caller_name: string | null;
  /** Milliseconds the call waited for a worker, as a decimal string. */
  readonly queue_time: string;
  readonly trunk_sid: string | null;
  readonly uri: string;
  readonly subresource_uris: Readonly<Record<string, string>>;
  // Trunkline's own
  readonly region: RegionId;
  readonly ingress_edge: EdgeId | null;
  readonly egress_edge: EdgeId | null;
  /** The worker that executed the call, or null when none ever took it. */
  readonly worker: string | null;
  readonly epoch: number;
  /** Why the call ended, in one sentence. */
  readonly cause: string | null;
  readonly sip_call_id: string | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Milliseconds since the epoch, as `date_created` but exact: object keys and indexes are derived from it. */
  readonly created_at_ms: number;
}

/** What started a recording. @see https://www.twilio.com/docs/voice/api/recording#recording-properties */
export type RecordingSource =
  | 'RecordVerb'
  | 'DialVerb'
  | 'OutboundAPI'
  | 'StartCallRecordingAPI'
  | 'StartCallRecordingTwiML'; // seen from Twilio; its pages do not list it

/** On what terms a recording runs beside the verbs. */
export interface RecordingTerms {
  readonly trim: boolean;
  /** By which `<Stop>` means it. Absent: it has none. */
  readonly name?: string;
  /** The recording of a lost worker that it goes on with. */
  readonly of?: string;
}

/** Statuses in which a recording stays as it is, and is an object of the bucket. */
export const FINISHED_RECORDINGS: ReadonlySet<RecordingRecord['status']> = new Set([
  'completed',
  'absent',
  'failed',
]);

/** @see https://www.twilio.com/docs/voice/api/recording */
export interface RecordingRecord {
  readonly sid: string;
  readonly account_sid: string;
  readonly api_version: '2010-04-01';
  readonly call_sid: string;
  readonly conference_sid: null;
  readonly date_created: string;
  readonly date_updated: string;
  readonly start_time: string;
  /** Seconds, as a decimal string; "-1" until it is complete. */
  readonly duration: string;
  readonly channels: 1 | 2;
  readonly source: RecordingSource;
  readonly status: 'in-progress' | 'paused' | 'processing' | 'completed' | 'absent' | 'failed' | 'deleted';
  readonly error_code: number | null;
  readonly price: null;
  readonly price_unit: null;
  readonly track: 'inbound' | 'outbound' | 'both';
  readonly encryption_details: null;
  readonly uri: string;
  readonly media_url: string;
  readonly subresource_uris: Readonly<Record<string, string>>;
  // Trunkline's own
  readonly region: RegionId;
  readonly bytes: number;
  /**
   * Who wants to hear of it. In Redis alone, and only while it is being made: what another process needs to end it.
   * Never shown.
   */
  readonly callback?: {
    readonly url: string;
    readonly method: 'GET' | 'POST';
    readonly events: readonly string[];
  };
  /** How another worker goes on recording the call, where it runs beside the verbs. Kept as `callback` is. */
  readonly continued?: RecordingTerms;
  /** Its text was asked for. Kept as `callback` is, and never shown. */
  readonly transcription?: TranscriptionOrder;
  /** Hex SHA-256 of the stored WAV; null until it is stored. */
  readonly sha256: string | null;
  readonly created_at_ms: number;
}
