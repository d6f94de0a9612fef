/** What one side says about a stream it receives, RFC 3550 §6.4.1. */
export interface ReportBlock {
  /** SSRC of the stream it is about. */
  readonly ssrc: number;
  /** Lost since the last report, in 1/256 of what was expected. */
  readonly fractionLost: number;
  /** Lost since the beginning; negative when duplicates outnumber losses. */
  readonly lost: number;
  /** Highest sequence number received, with the number of wraps in the upper 16 bits. */
  readonly highestSequence: number;
  /** Interarrival jitter in timestamp units. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the last sender report, 0 for none. */
  readonly lastReport: number;
  /** Time since that report in 1/65536 s. */
  readonly delaySinceLastReport: number;
}

/** What a sender says about its own stream. */
export interface SenderInfo {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
}

/** A compound packet, as far as we care. */
export interface RtcpReading {
  /** Middle 32 bits of the NTP time in the sender report, when it has one. */
  readonly senderReport: number | undefined;
  readonly blocks: readonly ReportBlock[];
  readonly bye: boolean;
}

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const GOODBYE = 203;

const NTP_EPOCH_S = 2_208_988_800; // seconds from 1900 to 1970, RFC 5905 figure 4

/** The middle 32 bits of an NTP timestamp: 16 bits of seconds, 16 of fraction. */
export function ntpMiddle(unixMs: number): number {
  const seconds = Math.floor(unixMs / 1_000);
  const fraction = Math.floor(((unixMs - seconds * 1_000) / 1_000) * 65_536);
  return (((seconds + NTP_EPOCH_S) % 65_536) * 65_536 + fraction) >>> 0;
}

/**
 * A compound packet: SR (or RR while nothing was sent), SDES with CNAME, and BYE at the end of a stream.
 *
 * ```
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |V=2|P|    RC   |   PT=200/201  |     length in words - 1       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                         SSRC of sender                        |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |  NTP timestamp (64 bit), RTP timestamp, packets, octets (SR)  |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |                 report block (24 bytes, RC of them)           |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 * @see RFC 3550 §6.1, §6.4.1, §6.4.2, §6.5, §6.6
 */
export function writeRtcp(report: {
  readonly ssrc: number;
  readonly cname: string;
  readonly sender: SenderInfo | undefined;
  readonly block: ReportBlock | undefined;
  readonly bye: boolean;
}): Buffer {
  const parts = [
    head(
      report.block ? 1 : 0,
      report.sender ? SENDER_REPORT : RECEIVER_REPORT,
      report.ssrc,
      Buffer.concat([
        report.sender ? senderBytes(report.sender) : EMPTY,
        report.block ? blockBytes(report.block) : EMPTY,
      ]),
    ),
    head(1, SOURCE_DESCRIPTION, report.ssrc, cnameBytes(report.cname)),
  ];
  if (report.bye) parts.push(head(1, GOODBYE, report.ssrc, EMPTY));
  return Buffer.concat(parts);
}

const EMPTY = Buffer.alloc(0);

function head(count: number, type: number, ssrc: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(0x80 | count, 0);
  bytes.writeUInt8(type, 1);
  bytes.writeUInt16BE(1 + body.length / 4, 2);
  bytes.writeUInt32BE(ssrc >>> 0, 4);
  return Buffer.concat([bytes, body]);
}

function senderBytes(sender: SenderInfo): Buffer {
  const bytes = Buffer.alloc(20);
  const seconds = Math.floor(sender.at / 1_000);
  bytes.writeUInt32BE((seconds + NTP_EPOCH_S) % 2 ** 32, 0);
  bytes.writeUInt32BE(Math.floor(((sender.at - seconds * 1_000) / 1_000) * 2 ** 32), 4);
  bytes.writeUInt32BE(sender.timestamp >>> 0, 8);
  bytes.writeUInt32BE(sender.packets >>> 0, 12);
  bytes.writeUInt32BE(sender.octets >>> 0, 16);
  return bytes;
}

function blockBytes(block: ReportBlock): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32BE(block.ssrc >>> 0, 0);
  bytes.writeUInt8(Math.min(255, block.fractionLost), 4);
  bytes.writeIntBE(Math.max(-0x80_0000, Math.min(0x7f_ffff, block.lost)), 5, 3);
  bytes.writeUInt32BE(block.highestSequence >>> 0, 8);
  bytes.writeUInt32BE(block.jitter >>> 0, 12);
  bytes.writeUInt32BE(block.lastReport >>> 0, 16);
  bytes.writeUInt32BE(block.delaySinceLastReport >>> 0, 20);
  return bytes;
}

function cnameBytes(cname: string): Buffer {
  const text = Buffer.from(cname, 'utf8').subarray(0, 255);
  const bytes = Buffer.alloc(Math.ceil((text.length + 3) / 4) * 4); // ends with at least one null, to a whole word
  bytes.writeUInt8(1, 0); // CNAME
  bytes.writeUInt8(text.length, 1);
  text.copy(bytes, 2);
  return bytes;
}

/** Reads a compound packet; `undefined` when it is none. Parts we have no use for are passed over. */
export function parseRtcp(packet: Buffer): RtcpReading | undefined {
  let senderReport: number | undefined;
  let bye = false;
  const blocks: ReportBlock[] = [];
  let at = 0;
  while (at + 8 <= packet.length) {
    const first = packet.readUInt8(at);
    const type = packet.readUInt8(at + 1);
    const end = at + 4 + packet.readUInt16BE(at + 2) * 4;
    if (first >> 6 !== 2 || type < 192 || type > 223 || end > packet.length) return undefined;
    let body = at + 8;
    if (type === SENDER_REPORT) {
      if (body + 20 > end) return undefined;
      senderReport = packet.readUInt32BE(body + 2);
      body += 20;
    }
    if (type === SENDER_REPORT || type === RECEIVER_REPORT) {
      for (let n = first & 0x1f; n > 0 && body + 24 <= end; n--, body += 24)
        blocks.push(readBlock(packet, body));
    }
    bye ||= type === GOODBYE;
    at = end;
  }
  return at === 0 ? undefined : { senderReport, blocks, bye };
}

function readBlock(packet: Buffer, at: number): ReportBlock {
  return {
    ssrc: packet.readUInt32BE(at),
    fractionLost: packet.readUInt8(at + 4),
    lost: packet.readIntBE(at + 5, 3),
    highestSequence: packet.readUInt32BE(at + 8),
    jitter: packet.readUInt32BE(at + 12),
    lastReport: packet.readUInt32BE(at + 16),
    delaySinceLastReport: packet.readUInt32BE(at + 20),
  };
}
