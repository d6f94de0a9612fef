import type { CallRecord, RecordingRecord } from '../../src/call/record.ts';
import type { Transcription } from '../../src/call/transcription.ts';
import { rfc2822 } from '../../src/core/dates.ts';

export const ACCOUNT = `AC${'a'.repeat(32)}`;

/** A SID that is easy to read: `sid('CA', 7)`. */
export function sid(prefix: string, n: number): string {
  return prefix + n.toString(16).padStart(32, '0');
}

/** A live inbound call, the n-th second of a day. */
export function callRecord(n: number, fields: Partial<CallRecord> = {}): CallRecord {
  const createdAt = fields.created_at_ms ?? Date.UTC(2026, 10, 3, 9, 30) + n * 1_000;
  const callSid = sid('CA', n);
  return {
    sid: callSid,
    account_sid: ACCOUNT,
    api_version: '2010-04-01',
    parent_call_sid: null,
    date_created: rfc2822(createdAt),
    date_updated: rfc2822(createdAt),
    start_time: null,
    end_time: null,
    to: '+35315550100',
    to_formatted: '+35315550100',
    from: '+353861234567',
    from_formatted: '+353861234567',
    phone_number_sid: sid('PN', 1),
    status: 'ringing',
    duration: null,
    price: null,
    price_unit: null,
    direction: 'inbound',
    answered_by: null,
    annotation: null,
    forwarded_from: null,
    group_sid: null,
    caller_name: null,
    queue_time: '0',
    trunk_sid: null,
    uri: `/2010-04-01/Accounts/${ACCOUNT}/Calls/${callSid}.json`,
    subresource_uris: {},
    region: 'ie1',
    ingress_edge: 'dublin',
    egress_edge: null,
    worker: null,
    epoch: 1,
    cause: null,
    sip_call_id: 'f81d4fae@127.0.0.1',
    diagnostics: [],
    created_at_ms: createdAt,
    ...fields,
  };
}

/** A recording in progress of the call with number `call`. */
export function recordingRecord(
  n: number,
  call: number,
  fields: Partial<RecordingRecord> = {},
): RecordingRecord {
  const createdAt = fields.created_at_ms ?? Date.UTC(2026, 10, 3, 9, 30) + n * 1_000;
  const uri = `/2010-04-01/Accounts/${ACCOUNT}/Recordings/${sid('RE', n)}`;
  return {
    sid: sid('RE', n),
    account_sid: ACCOUNT,
    api_version: '2010-04-01',
    call_sid: sid('CA', call),
    conference_sid: null,
    date_created: rfc2822(createdAt),
    date_updated: rfc2822(createdAt),
    start_time: rfc2822(createdAt),
    duration: '-1',
    channels: 1,
    source: 'RecordVerb',
    status: 'in-progress',
    error_code: null,
    price: null,
    price_unit: null,
    track: 'inbound',
    encryption_details: null,
    uri: `${uri}.json`,
    media_url: `http://127.0.0.1:8082${uri}`,
    subresource_uris: {},
    region: 'ie1',
    bytes: 0,
    sha256: null,
    created_at_ms: createdAt,
    ...fields,
  };
}

/** The text, not made yet, of the recording with number `recording`. */
export function transcriptionOf(
  n: number,
  recording: number,
  fields: Partial<Transcription> = {},
): Transcription {
  const createdAt = Date.UTC(2026, 10, 3, 9, 30) + n * 1_001;
  return {
    sid: sid('TR', n),
    accountSid: ACCOUNT,
    callSid: sid('CA', recording),
    recordingSid: sid('RE', recording),
    recordingUrl: `http://127.0.0.1:8082/2010-04-01/Accounts/${ACCOUNT}/Recordings/${sid('RE', recording)}`,
    createdAt,
    updatedAt: Date.UTC(2026, 10, 3, 10),
    status: 'in-progress',
    duration: 5,
    text: '',
    ...fields,
  };
}
