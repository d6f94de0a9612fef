import { isIP } from 'node:net';
import { type MediaDescription, parse, type SessionDescription, write } from 'sdp-transform';
import type { Codec, Endpoint, MediaDirection, MediaFormat } from './format.ts';

/** Our side of a session: where its one audio stream is received, and the `o=` line that identifies the session. */
export interface LocalMedia extends Endpoint {
  /** Decimal digits, the same for all descriptions of one session (RFC 4566 §5.2). */
  readonly sessionId: string | number;
  readonly version: number;
}

/** An `m=` line as received. */
interface Stream {
  readonly type: string;
  readonly protocol: string;
  /** The format list as written. */
  readonly payloads: string;
}

export interface AudioStream extends Stream {
  readonly audio: true;
  /** Port 0: refused or removed (RFC 3264 §6, §8.2). */
  readonly rtp: Endpoint;
  readonly rtcp: Endpoint;
  /** The writer's. */
  readonly direction: MediaDirection;
  /** Formats that are ours too, in the writer's order. */
  readonly formats: readonly MediaFormat[];
}

export type ReceivedStream = AudioStream | (Stream & { readonly audio: false });

export interface Session {
  readonly ok: true;
  readonly media: readonly ReceivedStream[];
}

export interface ReadFault {
  readonly ok: false;
  readonly empty: boolean;
  readonly reason: string;
}

/** Our choice: more streams than any phone offers; bounds the work and the answer. */
const MOST_STREAMS = 32;

/** `m=<media> <port>[/<count>] <proto> <fmt> …` (RFC 4566 §5.14). */
const MEDIA_LINE = /^m=(\S+) (\d{1,5})(?:\/\d+)? (\S+)(?: (.*))?$/;

/**
 * What a peer's SDP says about audio. Whatever sdp-transform returns is treated as unchecked: its types promise
 * numbers and strings that a lying peer does not deliver, and an `m=` line it does not understand loses its text.
 */
export function readSession(sdp: string): Session | ReadFault {
  if (sdp.trim() === '') return { ok: false, empty: true, reason: 'no SDP where one is needed' };
  const bad = (reason: string): ReadFault => ({ ok: false, empty: false, reason });
  const lines = sdp.trim().split(/\r\n|\r|\n/);
  if (lines[0]?.trim() !== 'v=0') return bad('the SDP does not begin with v=0');
  const mediaLines = lines.filter((line) => line.startsWith('m='));
  if (mediaLines.length > MOST_STREAMS)
    return bad(`${mediaLines.length} media streams, at most ${MOST_STREAMS}`);
  const session = parse(sdp);
  const media: ReceivedStream[] = [];
  for (const [i, line] of mediaLines.entries()) {
    const fields = MEDIA_LINE.exec(line.trimEnd());
    const description = session.media[i];
    const port = Number(fields?.[2]);
    if (!fields || !description || port > 65_535)
      return bad(`malformed media line ${JSON.stringify(line.slice(0, 80))}`);
    const stream: Stream = {
      type: fields[1] ?? '',
      protocol: fields[3] ?? '',
      payloads: (fields[4] ?? '').trim(),
    };
    if (stream.type !== 'audio') {
      media.push({ ...stream, audio: false });
      continue;
    }
    const address = description.connection?.ip ?? session.connection?.ip;
    if (address === undefined && port !== 0) return bad('an audio stream without a c= line');
    media.push(readAudio(stream, { address: String(address ?? '0.0.0.0'), port }, description, session));
  }
  return { ok: true, media };
}

function readAudio(
  stream: Stream,
  rtp: Endpoint,
  description: MediaDescription,
  session: SessionDescription,
): AudioStream {
  return {
    ...stream,
    audio: true,
    rtp,
    rtcp: readRtcp(rtp, description),
    direction: description.direction ?? session.direction ?? 'sendrecv', // RFC 3264 §5.1
    formats: readFormats(stream.payloads, description),
  };
}

/** RFC 3605; an address of another family, or a name, is not believed (our choice: nothing to resolve). */
function readRtcp(rtp: Endpoint, description: MediaDescription): Endpoint {
  const address = String(description.rtcp?.address ?? rtp.address);
  return {
    address: isIP(address) !== 0 && isIP(address) === isIP(rtp.address) ? address : rtp.address,
    port: portOf(description.rtcp?.port) ?? Math.min(rtp.port + 1, 65_535),
  };
}

function portOf(value: unknown): number | undefined {
  const port = Number(value);
  return value !== undefined && Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined;
}

/** Payload types that mean something without a rtpmap: RFC 3551 §6. */
const STATIC: ReadonlyMap<number, string> = new Map([
  [0, 'PCMU/8000'],
  [8, 'PCMA/8000'],
]);

function readFormats(payloads: string, description: MediaDescription): readonly MediaFormat[] {
  const names = new Map(STATIC);
  for (const { payload, codec, rate, encoding } of description.rtp) {
    const channels = encoding === undefined || String(encoding) === '1' ? '' : `/${encoding}`;
    names.set(Number(payload), `${codec}/${rate ?? ''}${channels}`.toUpperCase());
  }
  const numbers = payloads
    .split(/\s+/)
    .filter((text) => /^\d{1,3}$/.test(text))
    .map(Number)
    .filter((number) => number <= 127);
  const dtmfPayloadType = numbers.find((number) => names.get(number) === 'TELEPHONE-EVENT/8000');
  return numbers.flatMap((payloadType) => {
    const codec = CODECS.get(names.get(payloadType) ?? '');
    return codec ? [{ codec, payloadType, dtmfPayloadType }] : [];
  });
}

const CODECS: ReadonlyMap<string, Codec> = new Map([
  ['PCMU/8000', 'PCMU'],
  ['PCMA/8000', 'PCMA'],
]);

/** One `m=` line of ours: the audio stream, or somebody's stream refused. */
export type MediaLine =
  | { readonly kind: 'audio'; readonly formats: readonly MediaFormat[]; readonly direction: MediaDirection }
  | { readonly kind: 'refused'; readonly media: ReceivedStream };

/** An SDP of ours with these streams. */
export function writeSession(local: LocalMedia, lines: readonly MediaLine[]): string {
  const ipVer = local.address.includes(':') ? 6 : 4;
  return write({
    version: 0,
    origin: {
      username: '-',
      sessionId: local.sessionId,
      sessionVersion: local.version,
      netType: 'IN',
      ipVer,
      address: local.address,
    },
    name: '-',
    connection: { version: ipVer, ip: local.address },
    timing: { start: 0, stop: 0 },
    media: lines.map((line) =>
      line.kind === 'audio' ? audioLine(local.port, line) : refusedLine(line.media),
    ),
  });
}

function audioLine(port: number, line: Extract<MediaLine, { kind: 'audio' }>): MediaDescription {
  const events = line.formats.find((format) => format.dtmfPayloadType !== undefined)?.dtmfPayloadType;
  const numbers = line.formats.map((format) => format.payloadType);
  const rtp: MediaDescription['rtp'] = line.formats.map(({ payloadType, codec }) => ({
    payload: payloadType,
    codec,
    rate: 8000,
  }));
  if (events !== undefined) rtp.push({ payload: events, codec: 'telephone-event', rate: 8000 });
  return {
    type: 'audio',
    port,
    protocol: 'RTP/AVP',
    payloads: [...numbers, ...(events === undefined ? [] : [events])].join(' '),
    rtp,
    fmtp: events === undefined ? [] : [{ payload: events, config: '0-15' }], // every key: RFC 4733 §2.4.1
    ptime: 20,
    direction: line.direction,
  };
}

/** Port 0 with the formats as offered (RFC 3264 §6). */
function refusedLine(media: ReceivedStream): MediaDescription {
  return { type: media.type, port: 0, protocol: media.protocol, payloads: media.payloads, rtp: [], fmtp: [] };
}
