import type { Codec } from './format.ts';

/** Length of the header in front of every payload on the inner hop. */
export const INNER_HEADER_BYTES = 20;

const MAGIC = 0x54; // 'T': RTP starts with 0x80–0xBF, so a stray RTP packet is never mistaken for ours
const VERSION = 1;

/**
 * The header of the hop between edge and worker. Many legs share one UDP socket per pair of processes, told apart
 * by `handle`; the receiver takes a packet only from the endpoint it was told of.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |   0x54 'T'    |   version 1   |M|P| 0 | kind  |  codec (0, 8) |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                            handle                             |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                            source                             |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           timestamp                           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |        sequence number        |           reserved            |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           payload ...                         |
 * ```
 *
 * Towards the worker `source`, `timestamp`, `sequence` and M are the peer's SSRC, timestamp, sequence number and
 * marker. Towards the edge they are the worker's own and only tell one telephone event from the next: the edge
 * writes the peer's stream itself. P is `passed`; it is clear towards the worker.
 */
export interface InnerFields {
  /** `audio`: G.711 codes; `event`: a telephone-event payload, RFC 4733 §2.3. */
  kind: 'audio' | 'event';
  codec: Codec;
  marker: boolean;
  /** What the bridged party said, passed on by the worker; otherwise a clip or keys of the worker's own. */
  passed: boolean;
  handle: number;
  source: number;
  timestamp: number;
  sequence: number;
}

export function innerFields(): InnerFields {
  return {
    kind: 'audio',
    codec: 'PCMU',
    marker: false,
    passed: false,
    handle: 0,
    source: 0,
    timestamp: 0,
    sequence: 0,
  };
}

const MARKER = 0x80;
const PASSED = 0x40;
const AUDIO = 1;
const EVENT = 2;
const PCMU = 0; // the static RTP payload types, RFC 3551 table 4
const PCMA = 8;

/** Fills `fields` from `packet`; false when it is not an inner packet of this version. */
export function parseInner(packet: Buffer, fields: InnerFields): boolean {
  if (packet.length < INNER_HEADER_BYTES) return false;
  if (packet.readUInt8(0) !== MAGIC || packet.readUInt8(1) !== VERSION) return false;
  const flags = packet.readUInt8(2);
  const kind = flags & 0x0f;
  const codec = packet.readUInt8(3);
  if ((kind !== AUDIO && kind !== EVENT) || (codec !== PCMU && codec !== PCMA)) return false;
  fields.kind = kind === AUDIO ? 'audio' : 'event';
  fields.codec = codec === PCMU ? 'PCMU' : 'PCMA';
  fields.marker = (flags & MARKER) !== 0;
  fields.passed = (flags & PASSED) !== 0;
  fields.handle = packet.readUInt32BE(4);
  fields.source = packet.readUInt32BE(8);
  fields.timestamp = packet.readUInt32BE(12);
  fields.sequence = packet.readUInt16BE(16);
  return true;
}

/** Writes the header into the first bytes of `into`; the payload follows it. */
export function writeInnerHeader(into: Buffer, fields: Readonly<InnerFields>): void {
  into.writeUInt8(MAGIC, 0);
  into.writeUInt8(VERSION, 1);
  const flags = (fields.marker ? MARKER : 0) | (fields.passed ? PASSED : 0);
  into.writeUInt8(flags | (fields.kind === 'audio' ? AUDIO : EVENT), 2);
  into.writeUInt8(fields.codec === 'PCMU' ? PCMU : PCMA, 3);
  into.writeUInt32BE(fields.handle >>> 0, 4);
  into.writeUInt32BE(fields.source >>> 0, 8);
  into.writeUInt32BE(fields.timestamp >>> 0, 12);
  into.writeUInt16BE(fields.sequence & 0xffff, 16);
  into.writeUInt16BE(0, 18);
}
