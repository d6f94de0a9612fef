import type { Clock } from '../../core/clock.ts';
import { SAMPLE_RATE } from '../frame.ts';
import { parseRtcp, type ReportBlock, writeRtcp } from '../rtcp.ts';
import type { PeerStream } from '../stream/peer-stream.ts';
import { Reception, roundTripMs } from '../stream/reception.ts';
import type { RelayStats } from './port.ts';

const REPORT_MS = 5_000; // RFC 3550 §6.2: the least interval between RTCP packets

/** What a relayed leg and its peer tell each other about their streams (RTCP, RFC 3550 §6), and when. */
export class LegReports {
  /** What arrives of the peer's stream. */
  readonly reception = new Reception();
  readonly #clock: Clock;
  readonly #ssrc: number;
  readonly #cname: string;
  #dueAt = 0;
  #peer: RelayStats['peer'];

  /** `ssrc`: ours. */
  constructor(clock: Clock, ssrc: number, cname: string) {
    this.#clock = clock;
    this.#ssrc = ssrc;
    this.#cname = cname;
  }

  /** The peer is known from now on. */
  begin(now: number): void {
    if (this.#dueAt === 0) this.#dueAt = now + REPORT_MS / 2; // RFC 3550 §6.2: the first after half of it
  }

  /** Whether it is time for the next report; once per interval. */
  due(now: number): boolean {
    if (this.#dueAt === 0 || now < this.#dueAt) return false;
    this.#dueAt = now + REPORT_MS;
    return true;
  }

  /** An RTCP packet of the peer's. */
  heard(packet: Buffer): void {
    const reading = parseRtcp(packet);
    if (!reading) return;
    if (reading.senderReport !== undefined)
      this.reception.senderReport(reading.senderReport, this.#clock.monotonic());
    const block = reading.blocks.find((candidate) => candidate.ssrc === this.#ssrc);
    if (block) this.#peer = peerReport(block, this.#clock.now());
  }

  /** The next report about `stream` and the peer's; `bye`: the last one. */
  packet(stream: PeerStream, address: string, now: number, bye: boolean): Buffer {
    const sender =
      stream.sent === 0
        ? undefined
        : {
            at: this.#clock.now(),
            timestamp: stream.timestampAt(now),
            packets: stream.sent,
            octets: stream.octets,
          };
    const cname = `${this.#cname}@${address}`;
    return writeRtcp({ ssrc: this.#ssrc, cname, sender, block: this.reception.report(now), bye });
  }

  /** What is known in the end of a stream of which `sent` packets left. */
  stats(sent: number): RelayStats {
    const { packets, lost, jitterMs } = this.reception;
    return { packetsIn: packets, packetsOut: sent, lost, jitterMs, ...(this.#peer && { peer: this.#peer }) };
  }
}

function peerReport(block: ReportBlock, unixMs: number): NonNullable<RelayStats['peer']> {
  const roundTrip = roundTripMs(block, unixMs);
  return {
    lost: block.lost,
    jitterMs: (block.jitter * 1_000) / SAMPLE_RATE,
    ...(roundTrip === undefined ? {} : { roundTripMs: roundTrip }),
  };
}
