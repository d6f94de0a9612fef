/** Length of the header we write: no CSRC, no extension. */
export const RTP_HEADER_BYTES = 12;

/**
 * The fields of an RTP header and where the payload lies in its packet. One object is filled again and again: the
 * path from socket to socket allocates nothing.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           timestamp                           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |           synchronization source (SSRC) identifier            |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |            contributing source (CSRC) identifiers             |
 * |                             ....                              |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 * @see RFC 3550 §5.1, §5.3.1
 */
export interface RtpFields {
  marker: boolean;
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  /** First byte of the payload. */
  start: number;
  /** First byte after it, padding excluded. */
  end: number;
}

export function rtpFields(): RtpFields {
  return { marker: false, payloadType: 0, sequence: 0, timestamp: 0, ssrc: 0, start: 0, end: 0 };
}

/** Fills `fields` from `packet`; false, with `fields` undefined in content, when it is not a whole RTP packet. */
export function parseRtp(packet: Buffer, fields: RtpFields): boolean {
  if (packet.length < RTP_HEADER_BYTES) return false;
  const first = packet.readUInt8(0);
  if (first >> 6 !== 2) return false;
  let start = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if (first & 0x10) {
    if (packet.length < start + 4) return false;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  let end = packet.length;
  if (start > end) return false;
  if (first & 0x20) {
    const padding = packet.readUInt8(end - 1); // counts itself, so 0 is wrong too
    if (padding === 0 || start + padding > end) return false;
    end -= padding;
  }
  const second = packet.readUInt8(1);
  fields.marker = second > 0x7f;
  fields.payloadType = second & 0x7f;
  fields.sequence = packet.readUInt16BE(2);
  fields.timestamp = packet.readUInt32BE(4);
  fields.ssrc = packet.readUInt32BE(8);
  fields.start = start;
  fields.end = end;
  return true;
}

/** Writes the fixed header into the first twelve bytes of `into`; the payload follows it. */
export function writeRtpHeader(
  into: Buffer,
  header: Readonly<Pick<RtpFields, 'marker' | 'payloadType' | 'sequence' | 'timestamp' | 'ssrc'>>,
): void {
  into.writeUInt8(0x80, 0);
  into.writeUInt8((header.marker ? 0x80 : 0) | (header.payloadType & 0x7f), 1);
  into.writeUInt16BE(header.sequence & 0xffff, 2);
  into.writeUInt32BE(header.timestamp >>> 0, 4);
  into.writeUInt32BE(header.ssrc >>> 0, 8);
}
