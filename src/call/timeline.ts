import { z } from 'zod';

const text = z.string();
const ms = z.number();
const event = <T extends string, S extends z.ZodRawShape>(type: T, fields: S) =>
  z.object({ at: text, type: z.literal(type), ...fields });

const callback = z.object({ url: text, method: text, events: z.array(text) });

/**
 * The timeline of a call: one JSON object a line in `<CallSid>.events.jsonl`. `at` is ISO 8601 in UTC with
 * milliseconds. This schema is its documentation; a type that is not here cannot be written.
 */
export const timelineEvent = z.discriminatedUnion('type', [
  /** The INVITE reached an edge. */
  event('call-received', {
    edge: text,
    from: text,
    to: text,
    source: text,
    transport: text,
    request_uri: text,
  }),
  /**
   * The API created the call with these parameters, of addresses and TwiML the passwords hidden; `username` is that of
   * its login at the SIP callee.
   */
  event('created', {
    from: text,
    to: text,
    url: text.optional(),
    method: text.optional(),
    fallback_url: text.optional(),
    fallback_method: text.optional(),
    twiml: text.optional(),
    status_callback: callback.optional(),
    timeout_ms: ms,
    time_limit_ms: ms,
    send_digits: text.optional(),
    recording: z
      .object({
        channels: z.union([z.literal(1), z.literal(2)]),
        track: z.enum(['inbound', 'outbound', 'both']),
        trim: z.boolean(),
        callback: callback.optional(),
      })
      .optional(),
    machine_detection: z.literal(true).optional(),
    username: text.optional(),
  }),
  /**
   * The routing decision: the edge asked the route table for `key` and the Region is its answer, `record` saying
   * whether a record (`sid`) made it or there is none; `age_ms` is how long before that the answer had been read.
   */
  event('routed', {
    edge: text,
    key: text,
    record: z.enum(['explicit', 'default']),
    sid: text.nullable(),
    region: text,
    age_ms: ms,
  }),
  /** Something worth knowing about how it came in: a host name that names another edge, for one. */
  event('note', { message: text }),
  /** A worker was granted the call. */
  event('taken', { worker: text, epoch: z.number(), waited_ms: ms }),
  /** The worker that had the call is gone; it was offered again. */
  event('worker-lost', { worker: text.optional(), epoch: z.number() }),
  /** Another worker went on with the call. */
  event('resumed', { worker: text, epoch: z.number(), verb: text.optional() }),
  /** One attempt of a request to the customer's application. */
  event('webhook', {
    url: text,
    method: text,
    purpose: z.enum([
      'document',
      'fallback',
      'media',
      'status-callback',
      'recording-callback',
      'partial-result-callback',
      'transcription-callback',
    ]),
    attempt: z.number(),
    ms,
    status: z.number().optional(),
    content_type: text.optional(),
    bytes: z.number().optional(),
    error_code: z.number().optional(),
    error: text.optional(),
    /** What a callback was sent; what a document's request was sent is its exchange. */
    parameters: z.record(text, text).optional(),
    /** The beginning of a textual answer to a callback, its passwords hidden. */
    body: text.optional(),
  }),
  /**
   * A document was asked for: what was sent, and the body of a textual answer, its passwords hidden. Its attempts
   * follow. In place of a body that was kept before in this call, `sha256` names it. `cut`: only its beginning is kept.
   */
  event('exchange', {
    url: text,
    parameters: z.record(text, text),
    body: text.optional(),
    sha256: text.optional(),
    cut: z.literal(true).optional(),
  }),
  /** A document was parsed. */
  event('document', { url: text, verbs: z.array(text), bytes: z.number() }),
  event('diagnostic', {
    code: z.number(),
    level: z.enum(['error', 'warning']),
    message: text,
    url: text.optional(),
    line: z.number().optional(),
    column: z.number().optional(),
  }),
  event('verb-started', { verb: text, line: z.number(), column: z.number(), detail: text.optional() }),
  event('verb-ended', { verb: text, outcome: text }),
  /** An INVITE left for the callee of this call. */
  event('call-placed', { edge: text, from: text, to: text, uri: text }),
  /** A provisional response of the callee; `early`: its audio can be heard. */
  event('progress', { status: z.number(), early: z.boolean() }),
  event('answered', {}),
  /** `<Dial>` called somebody: `call` is the child call. */
  event('dialled', { call: text, to: text }),
  /** The child call is over. */
  event('dial-ended', { call: text, status: text, sip_status: z.number().optional() }),
  /** The parties of this call and of `call` hear each other; no longer. */
  event('bridged', { call: text }),
  event('unbridged', { call: text }),
  /** An audio file of the document is there to be played: its length, once. */
  event('media', { url: text, duration_ms: ms }),
  /** The call was given another document through the API: by its address, or the document itself. */
  event('redirected', { url: text, method: text.optional(), twiml: text.optional() }),
  /** The peer asked to be replaced by another party (REFER), or was asked to go there. */
  event('referred', { by: z.enum(['peer', 'application']), target: text, status: z.number().optional() }),
  event('rejected', { status: z.number(), phrase: text.optional() }),
  event('dtmf', { digit: text }),
  /** What the caller said, as it was recognised; '' when nothing was understood. `confidence`: 0–1. */
  event('speech', { text, confidence: z.number().optional() }),
  event('recording-started', { recording: text }),
  event('recording-ended', { recording: text, reason: text, duration_ms: ms }),
  event('recording-stored', { recording: text, status: text, bytes: z.number() }),
  /** What was said in a recording has been written down, or could not be. */
  event('transcription', { transcription: text, recording: text, status: text }),
  event('hangup', { by: z.enum(['peer', 'application', 'platform']), cause: text }),
  event('call-ended', { status: text, duration_s: z.number(), cause: text }),
]);

export type TimelineEvent = z.infer<typeof timelineEvent>;

type WithoutTime<T> = T extends unknown ? Omit<T, 'at'> : never;

/** An event as its author writes it; the sink stamps the time. */
export type TimelineEntry = WithoutTime<TimelineEvent>;

export interface TimelineSink {
  add(entry: TimelineEntry): void;
}
