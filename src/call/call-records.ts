import { rfc2822 } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { CallJob, InboundJob, OutboundJob } from './job.ts';
import type { CallRecord, CallStatus } from './record.ts';

/**
 * The subresources that Twilio's Call names.
 * @see https://www.twilio.com/docs/voice/api/call-resource#call-properties
 */
const SUBRESOURCES = {
  events: 'Events',
  notifications: 'Notifications',
  payments: 'Payments',
  recordings: 'Recordings',
  siprec: 'Siprec',
  streams: 'Streams',
  transcriptions: 'Transcriptions',
  user_defined_messages: 'UserDefinedMessages',
  user_defined_message_subscriptions: 'UserDefinedMessageSubscriptions',
} as const;

/** The record of a call as it begins: an inbound one rings, one that we make is queued. Nobody has it yet. */
export function newCallRecord(job: CallJob): CallRecord {
  const created = rfc2822(job.createdAt);
  const base = `/2010-04-01/Accounts/${job.accountSid}/Calls/${job.callSid}`;
  const subresources = Object.entries(SUBRESOURCES).map(([name, path]) => [name, `${base}/${path}.json`]);
  const own = job.direction === 'inbound' ? ofInbound(job) : ofOutbound(job);
  return {
    sid: job.callSid,
    account_sid: job.accountSid,
    api_version: '2010-04-01',
    parent_call_sid: own.parent_call_sid,
    date_created: created,
    date_updated: created,
    start_time: null,
    end_time: null,
    to: job.to,
    to_formatted: formatted(job.to),
    from: job.from,
    from_formatted: formatted(job.from),
    phone_number_sid: own.phone_number_sid,
    status: own.status,
    duration: null,
    price: null,
    price_unit: null,
    direction: job.direction,
    answered_by: null,
    annotation: null,
    forwarded_from: own.forwarded_from,
    group_sid: null,
    caller_name: own.caller_name,
    queue_time: '0',
    trunk_sid: null,
    uri: `${base}.json`,
    subresource_uris: Object.fromEntries(subresources),
    region: job.region,
    ingress_edge: own.ingress_edge,
    egress_edge: own.egress_edge,
    worker: null,
    epoch: job.epoch,
    cause: null,
    sip_call_id: own.sip_call_id,
    diagnostics: [],
    created_at_ms: job.createdAt,
  };
}

function ofInbound(job: InboundJob) {
  return {
    parent_call_sid: null,
    phone_number_sid: job.phoneNumberSid,
    status: 'ringing',
    forwarded_from: job.forwardedFrom,
    caller_name: job.callerName,
    ingress_edge: job.ingressEdge,
    egress_edge: null,
    sip_call_id: job.sip.callId,
  } as const;
}

function ofOutbound(job: OutboundJob) {
  return {
    parent_call_sid: job.parentCallSid,
    phone_number_sid: null,
    status: 'queued',
    forwarded_from: null,
    caller_name: null,
    ingress_edge: null,
    egress_edge: job.egressEdge,
    sip_call_id: null,
  } as const;
}

/**
 * Our choice: how many diagnostics a record holds. A document of 64 kB can raise thousands, and a call may fetch it
 * again and again.
 */
export const MOST_DIAGNOSTICS = 200;

/** The record with one more diagnostic. A full one keeps the first, which say what is wrong, and the newest. */
export function diagnosedRecord(record: CallRecord, diagnostic: Diagnostic): CallRecord {
  const kept = record.diagnostics.slice(0, MOST_DIAGNOSTICS - 1);
  return { ...record, diagnostics: [...kept, diagnostic] };
}

/** The record from the moment the call was answered. Answering twice changes nothing. */
export function answeredRecord(record: CallRecord, at: number): CallRecord {
  if (record.start_time !== null) return record;
  return { ...record, status: 'in-progress', start_time: rfc2822(at), date_updated: rfc2822(at) };
}

/**
 * How long the call of the record has been answered at `at`, in s: the difference between the two times as a record
 * shows them, in whole seconds; 0 when it was not answered.
 */
export function secondsInCall({ start_time }: Pick<CallRecord, 'start_time'>, at: number): number {
  if (start_time === null) return 0;
  return Math.max(0, Math.floor(at / 1_000) - Math.floor(Date.parse(start_time) / 1_000));
}

/** The record of the ended call. */
export function endRecord(
  record: CallRecord,
  end: { readonly status: CallStatus; readonly cause: string },
  at: number,
): CallRecord {
  return {
    ...record,
    status: end.status,
    cause: end.cause,
    duration: String(secondsInCall(record, at)),
    end_time: rfc2822(at),
    date_updated: rfc2822(at),
  };
}

/** `+14155551234`: the numbers that Twilio shows with their national punctuation. */
const NORTH_AMERICAN = /^\+1(\d{3})(\d{3})(\d{4})$/;

function formatted(party: string): string {
  return party.replace(NORTH_AMERICAN, '($1) $2-$3');
}
