import { rfc2822 } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { diagnose } from '../core/error-catalogue.ts';
import type { RegionId } from '../region/region.ts';
import { type CallFacts, standardParameters } from './facts.ts';
import type { CallStatus, RecordingRecord } from './record.ts';
import type { CallbackTask } from './tasks.ts';

/** What was asked for with a recording: its text, and who is told of it. */
export interface TranscriptionOrder {
  /** Null: nobody is told. */
  readonly callback: string | null;
}

/** The text of a recording. */
export interface Transcription {
  readonly sid: string;
  readonly accountSid: string;
  readonly callSid: string;
  readonly recordingSid: string;
  /** As applications are told of it. */
  readonly recordingUrl: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly status: 'in-progress' | 'completed' | 'failed';
  /** Of the recording, in whole seconds. */
  readonly duration: number;
  readonly text: string;
}

/** Recordings of a telephone call in English: `<Record>` has no word for another language. */
export const TRANSCRIBED_LANGUAGE = 'en-US';

/** @see https://www.twilio.com/docs/voice/twiml/record#transcribe — more than two seconds, at most two minutes */
const SHORTEST_MS = 2_000;
/** Our choice: the recording that has its default greatest length is transcribed too. */
const LONGEST_MS = 120_000;

type RecordingOf = Pick<RecordingRecord, 'sid' | 'status'>;

/** @see https://www.twilio.com/docs/api/errors/13618 */
export function nothingToTranscribe({ sid, status }: RecordingOf): Diagnostic {
  return diagnose(13618, `the recording ${sid} is ${status}: there is nothing to transcribe.`);
}

/** Why a recording of this length, trimmed, cannot be transcribed; undefined: it can. */
export function untranscribable(recording: RecordingOf, ms: number): Diagnostic | undefined {
  const { sid, status } = recording;
  if (status !== 'completed') return nothingToTranscribe(recording);
  if (ms > SHORTEST_MS && ms <= LONGEST_MS) return undefined;
  const actual = `${(ms / 1_000).toFixed(1)} s`;
  const message = `the recording ${sid} lasts ${actual}; more than 2 s and at most 120 s are transcribed.`;
  return diagnose(13617, message, { actual, expected: 'more than 2 s, at most 120 s' });
}

/** What is told of a recording whose transcription failed for another reason. */
export function transcriptionFailed({ sid }: Pick<RecordingOf, 'sid'>, why: string): Diagnostic {
  return diagnose(13620, `the recording ${sid} could not be transcribed: ${why}.`);
}

/** The callback of a transcription that is over, always with POST. */
export function transcriptionCallback(
  transcription: Transcription,
  url: string,
  facts: CallFacts,
  callStatus: CallStatus,
): CallbackTask {
  const { accountSid, callSid } = transcription;
  const params = transcriptionParameters(transcription, facts, callStatus);
  return { kind: 'transcription-callback', accountSid, callSid, url, method: 'POST', params };
}

/** @see https://www.twilio.com/docs/voice/twiml/record#transcribecallback */
function transcriptionParameters(
  transcription: Transcription,
  facts: CallFacts,
  callStatus: CallStatus,
): Record<string, string> {
  const { sid, recordingSid, recordingUrl, status, text } = transcription;
  return {
    ...standardParameters(facts, callStatus),
    TranscriptionSid: sid,
    TranscriptionText: text,
    TranscriptionStatus: status,
    TranscriptionUrl: `${recordingUrl}/Transcriptions/${sid}`,
    RecordingSid: recordingSid,
    RecordingUrl: recordingUrl,
  };
}

/** A transcription as the API shows it. @see https://www.twilio.com/docs/voice/api/recording-transcription */
export function transcriptionResource(transcription: Transcription, region: RegionId) {
  const { sid, accountSid, recordingSid, createdAt, updatedAt, status, duration, text } = transcription;
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    date_created: rfc2822(createdAt),
    date_updated: rfc2822(updatedAt),
    duration: String(duration),
    price: null,
    price_unit: 'USD',
    recording_sid: recordingSid,
    sid,
    status,
    transcription_text: text,
    type: 'fast',
    uri: `/2010-04-01/Accounts/${accountSid}/Transcriptions/${sid}.json`,
    region,
  };
}

/** A transcription as it is kept in the bucket: what the API shows, then our own. */
type KeptTranscription = ReturnType<typeof transcriptionResource> & {
  readonly call_sid?: string;
  readonly recording_url?: string;
  readonly created_at_ms?: number;
};

export function transcriptionText(transcription: Transcription, region: RegionId): string {
  const kept: KeptTranscription = {
    ...transcriptionResource(transcription, region),
    call_sid: transcription.callSid,
    recording_url: transcription.recordingUrl,
    created_at_ms: transcription.createdAt,
  };
  return JSON.stringify(kept);
}

/** What `transcriptionText` wrote, and earlier releases, which left our own fields out. */
export function parseTranscription(text: string): Transcription {
  const kept: KeptTranscription = JSON.parse(text);
  return {
    sid: kept.sid,
    accountSid: kept.account_sid,
    callSid: kept.call_sid ?? '',
    recordingSid: kept.recording_sid,
    recordingUrl: kept.recording_url ?? '',
    createdAt: kept.created_at_ms ?? Date.parse(kept.date_created),
    updatedAt: Date.parse(kept.date_updated),
    status: kept.status,
    duration: Number(kept.duration),
    text: kept.transcription_text,
  };
}
