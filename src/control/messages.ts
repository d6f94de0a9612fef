import { z } from 'zod';
import type { InboundJob, OutboundJob } from '../call/job.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { MediaFormat } from '../media/format.ts';
import { EDGE_IDS } from '../region/edge.ts';
import { REGION_IDS } from '../region/region.ts';
import { LEG_ID } from './leg-id.ts';
import type {
  DialledParty,
  DialRequest,
  EdgeMessage,
  LegCommand,
  LegGrant,
  WorkerMessage,
} from './protocol.ts';

// What may arrive on the control channel. Fields that are not listed are dropped, so that a newer peer may add some.

/** Our choice: longer than any URI or header Trunkline accepts. */
const MAX_TEXT = 4096;

/** Of the headers of one message. Our choice: more than the 1,024 characters of a SIP URI have room for. */
const MAX_HEADERS = 300;

/** Names and values of one message's headers together, in characters. Our choice: they always fit into a frame. */
const MAX_HEADER_TEXT = 16_384;

const text = z.string().max(MAX_TEXT);
/** Goes into a SIP message: it must not begin another line there. */
const line = text.regex(/^[^\r\n\0]*$/, 'a line break or NUL');
const name = z.string().min(1).max(256); // our choice
const nonce = z.string().regex(/^[0-9a-f]{32,128}$/);
const mac = z.string().regex(/^[0-9a-f]{64}$/);
const port = z.int().min(1).max(65_535);
const epoch = z.int().min(0);
const id = z.int().min(0);
const callSid = z.string().regex(/^CA[0-9a-f]{32}$/);
const legId = z.string().regex(LEG_ID);
const endpoint = z.object({ address: name, port });
const edgeId = z.enum(EDGE_IDS);
const sipStatus = z.int().min(100).max(699);

const fewHeaders = (headers: Readonly<Record<string, string>>) =>
  Object.keys(headers).length <= MAX_HEADERS && lengthOf(headers) <= MAX_HEADER_TEXT;
const tooManyHeaders = `more than ${MAX_HEADERS} headers, or more than ${MAX_HEADER_TEXT} characters of them`;

/** Headers as a peer sent them. */
const received = z.record(z.string(), z.string()).refine(fewHeaders, tooManyHeaders);

/** Headers of an INVITE; names are tokens (RFC 3261 §25.1). */
const headersToSend = z
  .record(z.string().regex(/^[A-Za-z0-9\-.!%*_+`'~]+$/, 'not the name of a header'), line)
  .refine(fewHeaders, tooManyHeaders);

const diagnostic: z.ZodType<Diagnostic> = z.object({
  code: z.int(),
  level: z.enum(['error', 'warning']),
  message: text,
  url: text.exactOptional(),
  line: z.int().exactOptional(),
  column: z.int().exactOptional(),
  actual: text.exactOptional(),
  expected: text.exactOptional(),
  docs: text,
});

const format: z.ZodType<MediaFormat> = z.object({
  codec: z.enum(['PCMU', 'PCMA']),
  payloadType: z.int().min(0).max(127),
  // JSON has no `undefined`: an absent key means the peer takes no telephone events.
  dtmfPayloadType: z
    .int()
    .min(0)
    .max(127)
    .optional()
    .transform((type) => type),
});

const command: z.ZodType<LegCommand> = z.discriminatedUnion('verb', [
  z.object({ verb: z.literal('answer') }),
  z.object({
    verb: z.literal('reject'),
    status: z.int().min(400).max(699), // RFC 3261 §21.4–21.6
    phrase: text.exactOptional(),
  }),
  z.object({ verb: z.literal('hangup') }),
  z.object({ verb: z.literal('progress') }),
  z.object({ verb: z.literal('bridge'), with: legId, gently: z.literal(true).exactOptional() }),
  z.object({ verb: z.literal('unbridge'), gently: z.literal(true).exactOptional() }),
  z.object({ verb: z.literal('refer'), to: line.min(1) }),
  z.object({ verb: z.literal('notify'), status: sipStatus }),
]);

const anyJob = {
  callSid,
  epoch,
  accountSid: name,
  region: z.enum(REGION_IDS),
  from: text,
  to: text,
  createdAt: z.number(),
  notes: z.array(text),
  chain: z.object({ origin: callSid, forwards: z.int().min(0).max(255) }).exactOptional(),
};

const outboundJob: z.ZodType<OutboundJob> = z.object({
  ...anyJob,
  direction: z.enum(['outbound-api', 'outbound-dial']),
  parentCallSid: callSid.nullable(),
  egressEdge: edgeId.nullable(),
});

const inboundJob: z.ZodType<InboundJob> = z.object({
  ...anyJob,
  direction: z.literal('inbound'),
  phoneNumberSid: name.nullable(),
  domain: z.object({ sid: name, domainName: text, username: text.nullable() }).nullable().default(null),
  callerName: text.nullable(),
  forwardedFrom: text.nullable(),
  ingressEdge: edgeId,
  sip: z.object({
    callId: text,
    sourceIp: text,
    sourcePort: port,
    transport: z.enum(['udp', 'tcp', 'tls']),
    requestUri: text,
    headers: z.record(text, z.string()),
  }),
  route: z.object({
    key: text,
    record: z.enum(['explicit', 'default']),
    sid: text.nullable().exactOptional(),
    ageMs: z.number(),
  }),
  edge: z.object({ process: name, host: name, port }),
});

const leg: z.ZodType<LegGrant> = z.object({
  state: z.enum(['ringing', 'answered']),
  media: z.object({ handle: z.int().min(0), edge: endpoint, format }),
});

const party: z.ZodType<DialledParty> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('number'), number: line.min(1) }),
  z.object({ kind: z.literal('sip'), uri: line.min(1) }),
  z.object({
    kind: z.literal('device'),
    accountSid: name,
    uri: line.min(1),
    address: line.min(1),
    path: z.array(line.min(1)).max(16), // our choice
    flow: z.object({
      edge: edgeId,
      process: name,
      transport: z.enum(['udp', 'tcp', 'tls']),
      address: name,
      port,
    }),
  }),
]);

const dialRequest: z.ZodType<DialRequest> = z.object({
  job: outboundJob,
  fork: z.int().min(1).max(999).exactOptional(), // our choice: an address has ten bindings
  edge: edgeId,
  party,
  from: line,
  onBehalfOf: z.array(line).max(16), // our choice: a call has two numbers
  headers: headersToSend,
  credentials: z.object({ username: line, password: line }).exactOptional(),
});

const workerMessage: z.ZodType<WorkerMessage> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), worker: name, region: z.enum(REGION_IDS), nonce, mac }),
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('claim'), callSid, epoch, media: endpoint }),
  z.object({ type: z.literal('dial'), media: endpoint, request: dialRequest }),
  z.object({ type: z.literal('command'), callSid: legId, epoch, id, command }),
  z.object({ type: z.literal('ask-related'), id, accounts: z.tuple([name, name]) }),
  z.object({ type: z.literal('ask-domain-related'), id, name: text, accountSid: name }),
  z.object({ type: z.literal('release'), callSid: legId, epoch }),
]);

const edgeMessage: z.ZodType<EdgeMessage> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('challenge'), process: name, nonce }),
  z.object({ type: z.literal('welcome'), mac }),
  z.object({ type: z.literal('denied'), reason: text }),
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('granted'), callSid, epoch, job: inboundJob, leg }),
  z.object({
    type: z.literal('refused'),
    callSid,
    epoch,
    reason: z.enum(['gone', 'superseded', 'taken', 'wrong-region', 'draining']),
  }),
  z.object({ type: z.literal('dialling'), callSid: legId, epoch, sipCallId: text, leg }),
  z.object({ type: z.literal('not-dialled'), callSid: legId, epoch, diagnostic }),
  z.object({
    type: z.literal('progress'),
    callSid: legId,
    epoch,
    status: z.int().min(100).max(199), // RFC 3261 §21.1
    early: z.boolean(),
  }),
  z.object({ type: z.literal('answered'), callSid: legId, epoch, headers: received }),
  z.object({ type: z.literal('refer'), callSid: legId, epoch, referTo: text }),
  z.object({ type: z.literal('referred'), callSid: legId, epoch, status: sipStatus, final: z.boolean() }),
  z.object({ type: z.literal('done'), id, status: sipStatus.exactOptional() }),
  z.object({ type: z.literal('failed'), id, reason: text }),
  z.object({ type: z.literal('related'), id, related: z.boolean() }),
  z.object({
    type: z.literal('ended'),
    callSid: legId,
    epoch,
    cause: z.enum([
      'peer-hangup',
      'peer-cancelled',
      'local-hangup',
      'rejected',
      'no-ack',
      'media-timeout',
      'edge-lost',
      'epoch-lost',
      'transport-failed',
      'unreachable',
      'not-placed',
      'shutdown',
    ]),
    sipStatus: sipStatus.exactOptional(),
    headers: received.exactOptional(),
    diagnostic: diagnostic.exactOptional(),
  }),
  z.object({ type: z.literal('format'), callSid: legId, epoch, format }),
]);

/** A message that is not one of protocol.ts. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
}

/** Reads what an edge received. Throws MessageError, saying which field was wrong. */
export function parseWorkerMessage(value: unknown): WorkerMessage {
  return read(workerMessage, value);
}

/** Reads what a worker received. Throws MessageError, saying which field was wrong. */
export function parseEdgeMessage(value: unknown): EdgeMessage {
  return read(edgeMessage, value);
}

/** As many of a peer's headers, the first ones, as a message may carry. */
export function fittingHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (fewHeaders(headers)) return headers;
  const fitting: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!fewHeaders({ ...fitting, [name]: value })) break;
    fitting[name] = value;
  }
  return fitting;
}

/** As much of a text as a message may carry. */
export function fittingText(long: string): string {
  return long.slice(0, MAX_TEXT);
}

/** The diagnostic with its texts cut to what a message may carry. */
export function fittingDiagnostic(long: Diagnostic): Diagnostic {
  return {
    ...long,
    message: fittingText(long.message),
    ...(long.url === undefined ? {} : { url: fittingText(long.url) }),
    ...(long.actual === undefined ? {} : { actual: fittingText(long.actual) }),
    ...(long.expected === undefined ? {} : { expected: fittingText(long.expected) }),
  };
}

function lengthOf(headers: Readonly<Record<string, string>>): number {
  let length = 0;
  for (const [name, value] of Object.entries(headers)) length += name.length + value.length;
  return length;
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new MessageError(`not a control message: ${issue?.path.join('.') || 'it'}: ${issue?.message}`);
}
