import type { NumberConfig } from '../config/port.ts';
import { rfc2822 } from '../core/dates.ts';
import { type CallFacts, standardParameters } from './facts.ts';
import { type CallRecord, type RecordingRecord, TERMINAL_STATUSES } from './record.ts';
import type { CallbackTask } from './tasks.ts';

/** The events of a call that an application may ask for, in their order. */
export const PROGRESS_EVENTS = ['initiated', 'ringing', 'answered', 'completed'] as const;

export type ProgressEvent = (typeof PROGRESS_EVENTS)[number];

/**
 * The events that are meant by what was asked for: when none of them is known, the end.
 *
 * @see https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent
 */
export function progressEvents(asked: readonly string[]): readonly ProgressEvent[] {
  const known = PROGRESS_EVENTS.filter((event) => asked.includes(event));
  return known.length > 0 ? known : ['completed'];
}

export interface StatusCallbackDetails {
  /** When the call reached the status, milliseconds since the Unix epoch. */
  readonly at: number;
  /** Counts a call's callbacks from 0. */
  readonly sequence: number;
  /** What `CallStatus` says where it is not the record's: `initiated` is no status of a call. */
  readonly status?: 'initiated';
  /** The SIP status that ended the leg, where there is one. */
  readonly sipResponseCode?: number;
  /** The recording of the whole call, where one was asked for. */
  readonly recording?: { readonly record: Pick<RecordingRecord, 'sid' | 'duration'>; readonly url: string };
  /** What a call of its kind has come to: said beside the others. */
  readonly result?: Readonly<Record<string, string>>;
}

/**
 * The parameters of a call-progress callback for the status that `record` has.
 *
 * @see https://www.twilio.com/docs/voice/api/call-resource#statuscallback
 */
export function statusCallbackParameters(
  facts: CallFacts,
  record: Pick<CallRecord, 'status' | 'duration'>,
  { at, sequence, status, sipResponseCode, recording, result }: StatusCallbackDetails,
): Record<string, string> {
  const params = standardParameters(facts, record.status);
  if (status !== undefined) params['CallStatus'] = status;
  params['Timestamp'] = rfc2822(at);
  params['CallbackSource'] = 'call-progress-events';
  params['SequenceNumber'] = String(sequence);
  if (TERMINAL_STATUSES.has(record.status)) {
    const seconds = Number(record.duration ?? 0);
    params['CallDuration'] = String(seconds);
    if (record.status === 'completed') params['Duration'] = String(Math.ceil(seconds / 60)); // minutes begun
    if (sipResponseCode !== undefined) params['SipResponseCode'] = String(sipResponseCode);
  }
  if (recording) {
    params['RecordingUrl'] = recording.url;
    params['RecordingSid'] = recording.record.sid;
    params['RecordingDuration'] = recording.record.duration;
  }
  return { ...params, ...result };
}

/** What is known of a call from its record alone. */
export function factsOf(record: CallRecord): CallFacts {
  return {
    callSid: record.sid,
    accountSid: record.account_sid,
    from: record.from,
    to: record.to,
    direction: record.direction,
    parentCallSid: record.parent_call_sid,
    callerName: record.caller_name,
    forwardedFrom: record.forwarded_from,
    sip: null,
    domain: null,
  };
}

/** The callback that a number's configuration asks for when an inbound call has ended, or undefined. */
export function statusCallbackTask(
  config: Pick<NumberConfig, 'statusCallback' | 'statusCallbackMethod'>,
  record: CallRecord,
  at: number,
): CallbackTask | undefined {
  if (config.statusCallback === '') return undefined;
  return {
    kind: 'status-callback',
    accountSid: record.account_sid,
    callSid: record.sid,
    url: config.statusCallback,
    method: config.statusCallbackMethod,
    params: statusCallbackParameters(factsOf(record), record, { at, sequence: 0 }),
  };
}

/** Identifies the callback of a call's end, whoever queues it: it is made once. */
export function completedCallbackId(callSid: string): string {
  return `completed-${callSid}`;
}
