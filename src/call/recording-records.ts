import { rfc2822 } from '../core/dates.ts';
import type { RecordingEnd } from '../leg/port.ts';
import type { RegionId } from '../region/region.ts';
import type { RecordingRequest } from '../twiml/verbs/ports.ts';
import type { CallFacts } from './facts.ts';
import type { RecordingRecord } from './record.ts';
import type { CallbackTask } from './tasks.ts';

/** Our choice: anything shorter is a key press or a hang-up, not a recording (16101). */
const SHORTEST_MS = 100;

export type RecordingCallback = RecordingRequest['statusCallback'];

/** The record of a recording that is about to start. */
export function newRecording(
  request: RecordingRequest,
  facts: CallFacts,
  region: RegionId,
  sid: string,
  now: number,
  publicUrl: string,
): RecordingRecord {
  const uri = `/2010-04-01/Accounts/${facts.accountSid}/Recordings/${sid}`;
  return {
    sid,
    account_sid: facts.accountSid,
    api_version: '2010-04-01',
    call_sid: facts.callSid,
    conference_sid: null,
    date_created: rfc2822(now),
    date_updated: rfc2822(now),
    start_time: rfc2822(now),
    duration: '-1', // Twilio's value until a recording is complete
    channels: request.channels ?? 1,
    source: request.source ?? 'RecordVerb',
    status: 'in-progress',
    error_code: null,
    price: null,
    price_unit: null,
    track: request.track ?? 'inbound',
    encryption_details: null,
    uri: `${uri}.json`,
    media_url: publicUrl + uri,
    subresource_uris: {
      add_on_results: `${uri}/AddOnResults.json`,
      transcriptions: `${uri}/Transcriptions.json`,
    },
    region,
    bytes: 0,
    sha256: null,
    created_at_ms: now,
    ...(request.statusCallback && { callback: request.statusCallback }),
    ...(request.transcription && { transcription: request.transcription }),
    ...(request.continued && {
      continued: { ...request.continued, ...(request.name !== undefined && { name: request.name }) },
    }),
  };
}

/** Without what is kept only while it is being made, and never shown. */
export function shownRecording({
  callback: _,
  transcription: __,
  continued: ___,
  ...shown
}: RecordingRecord): RecordingRecord {
  return shown;
}

/** The record of an ended one. Nothing worth storing is `absent` with the reason: too short, or nothing but silence. */
export function endedRecording(record: RecordingRecord, end: RecordingEnd, now: number): RecordingRecord {
  const ended = {
    ...shownRecording(record),
    date_updated: rfc2822(now),
    channels: end.channels,
    duration: String(Math.round(end.storedMs / 1_000)),
  };
  if (end.reason === 'failed') return { ...ended, status: 'failed' };
  if (end.path !== undefined && end.storedMs >= SHORTEST_MS) return { ...ended, status: 'processing' };
  // https://www.twilio.com/docs/api/errors/16101 and /16102
  const tooShort = end.durationMs < SHORTEST_MS;
  return { ...ended, status: 'absent', error_code: end.silent && !tooShort ? 16102 : 16101 };
}

/**
 * The callback for an event, when it was asked for. A failure is reported to whoever wants to know how the
 * recording ended.
 *
 * @see https://www.twilio.com/docs/voice/twiml/record#recordingstatuscallback
 */
export function callbackOf(
  record: RecordingRecord,
  statusCallback: RecordingCallback,
  event: RecordingRecord['status'],
): CallbackTask | undefined {
  const asked = statusCallback?.events.includes(event === 'failed' ? 'completed' : event);
  if (!statusCallback || !asked) return undefined;
  return {
    kind: 'recording-callback',
    accountSid: record.account_sid,
    callSid: record.call_sid,
    url: statusCallback.url,
    method: statusCallback.method,
    params: recordingParameters(record),
  };
}

/**
 * The callback for the end of a recording, when it was asked for. It speaks of the stored recording: it is made once
 * the file is in the bucket.
 */
export function endCallbackOf(
  record: RecordingRecord,
  statusCallback: RecordingCallback,
): CallbackTask | undefined {
  const outcome = record.status === 'processing' ? 'completed' : record.status;
  return callbackOf({ ...record, status: outcome }, statusCallback, outcome);
}

function recordingParameters(record: RecordingRecord): Record<string, string> {
  return {
    AccountSid: record.account_sid,
    CallSid: record.call_sid,
    RecordingSid: record.sid,
    RecordingUrl: record.media_url,
    RecordingStatus: record.status,
    RecordingChannels: String(record.channels),
    RecordingStartTime: record.start_time,
    RecordingSource: record.source,
    RecordingTrack: record.track,
    ...(record.status === 'completed' && { RecordingDuration: record.duration }),
    ...(record.error_code !== null && { ErrorCode: String(record.error_code) }),
  };
}
