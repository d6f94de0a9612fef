import { SAMPLE_RATE } from '../frame.ts';
import { ntpMiddle, type ReportBlock } from '../rtcp.ts';

/**
 * What arrives of a peer's stream: packets, losses, jitter, and the report block that tells the peer so.
 * @see RFC 3550 appendices A.1, A.3 and A.8 (without the probation of A.1: the latch has chosen the source)
 */
export class Reception {
  #ssrc: number | undefined;
  #base = 0;
  #highest = 0; // extended: wraps in the upper bits
  #received = 0;
  #transit = 0;
  #jitter = 0;
  #lostBefore = 0; // of earlier sources
  #packets = 0;
  #reported = { expected: 0, received: 0 };
  #senderReport = { middle: 0, at: 0 };

  /** A packet that arrived at `now`, monotonic milliseconds. */
  packet(ssrc: number, sequence: number, timestamp: number, now: number): void {
    this.#packets++;
    const transit = Math.round((now * SAMPLE_RATE) / 1_000) - timestamp;
    const advance = ((sequence - this.#highest) << 16) >> 16;
    if (ssrc !== this.#ssrc || advance > 3_000 || advance < -3_000) {
      this.#restart(ssrc, sequence, transit);
      return;
    }
    if (advance > 0) this.#highest += advance;
    this.#received++;
    const difference = Math.abs((transit - this.#transit) | 0);
    this.#transit = transit;
    if (difference < SAMPLE_RATE) this.#jitter += (difference - this.#jitter) / 16; // a jump is a new talk spurt
  }

  /** A sender report of the peer that arrived at `now`. */
  senderReport(middle: number, now: number): void {
    this.#senderReport = { middle, at: now };
  }

  get packets(): number {
    return this.#packets;
  }

  get lost(): number {
    return this.#lostBefore + Math.max(0, this.#expected - this.#received);
  }

  get jitterMs(): number {
    return (this.#jitter * 1_000) / SAMPLE_RATE;
  }

  /** The report block for the next RTCP packet; `undefined` before anything arrived. */
  report(now: number): ReportBlock | undefined {
    if (this.#ssrc === undefined) return undefined;
    const expected = this.#expected - this.#reported.expected;
    const lost = expected - (this.#received - this.#reported.received);
    this.#reported = { expected: this.#expected, received: this.#received };
    const { middle, at } = this.#senderReport;
    return {
      ssrc: this.#ssrc,
      fractionLost: expected > 0 && lost > 0 ? Math.floor((lost * 256) / expected) : 0,
      lost: this.#expected - this.#received,
      highestSequence: this.#highest % 2 ** 32,
      jitter: Math.round(this.#jitter),
      lastReport: middle,
      delaySinceLastReport: middle === 0 ? 0 : Math.round((now - at) * 65.536),
    };
  }

  get #expected(): number {
    return this.#ssrc === undefined ? 0 : this.#highest - this.#base + 1;
  }

  #restart(ssrc: number, sequence: number, transit: number): void {
    this.#lostBefore = this.lost;
    this.#ssrc = ssrc;
    this.#base = sequence;
    this.#highest = sequence;
    this.#received = 1;
    this.#transit = transit;
    this.#reported = { expected: 0, received: 0 };
  }
}

/**
 * Round trip in milliseconds from a block the peer sent about us, RFC 3550 §6.4.1; `undefined` when it has not seen
 * a report of ours yet. `unixMs` is the clock our sender reports are stamped with.
 */
export function roundTripMs(block: ReportBlock, unixMs: number): number | undefined {
  if (block.lastReport === 0) return undefined;
  return Math.max(0, ((ntpMiddle(unixMs) - block.lastReport - block.delaySinceLastReport) | 0) / 65.536);
}
