import type { Codec } from '../../media/format.ts';
import { msOfSamples, SAMPLE_RATE, samplesOfMs } from '../../media/frame.ts';
import { decodeG711 } from '../../media/g711.ts';

/** A packet further than this from where its timestamp puts it begins a new stretch. Our choice: above any jitter. */
const LARGEST_DRIFT_MS = 200;

/**
 * What was held up, here or on the way, arrives in a burst and belongs where its timestamp puts it. A stream that is
 * later than the first, or stays late for longer than the second, has moved on. Our choice.
 */
const LONGEST_HOLD_UP_MS = 700;
const LONGEST_LATENESS_MS = 1_000;

const LONGEST_PACKET_SAMPLES = samplesOfMs(200); // RFC 3551 §4.2

/**
 * What one side of a call heard, on a true time line: within a stretch packets lie where their timestamps put them, the
 * stretch where it began to arrive, and what did not arrive is silence.
 */
export class HeardAudio {
  packets = 0;
  bytes = 0;
  #expected = 0;
  #keys = 0;
  #source: number | undefined;
  #sequence = 0;
  #anchor: { readonly timestamp: number; readonly at: number } | undefined;
  /** When the first of the packets arrived that have been late since, in samples. */
  #lateSince: number | undefined;
  #samples = new Int16Array(10 * SAMPLE_RATE);
  readonly #limit: number;
  readonly #decoded = new Int16Array(LONGEST_PACKET_SAMPLES);

  /** Nothing beyond `limitMs` is kept. */
  constructor(limitMs: number) {
    this.#limit = samplesOfMs(limitMs);
  }

  /** Packets that never came. */
  get lost(): number {
    return Math.max(0, this.#expected - this.packets - this.#keys);
  }

  /** Takes a packet that arrived `atMs` after the beginning; returns its samples, valid until the next packet. */
  packet(
    fields: { readonly ssrc: number; readonly sequence: number; readonly timestamp: number },
    codec: Codec,
    payload: Uint8Array,
    atMs: number,
  ): Int16Array {
    this.#count(fields.ssrc, fields.sequence, payload.length);
    const codes = payload.subarray(0, LONGEST_PACKET_SAMPLES);
    const pcm = this.#decoded.subarray(0, codes.length);
    decodeG711(codec, codes, pcm);
    this.#put(pcm, this.#position(fields.timestamp, samplesOfMs(atMs)));
    return pcm;
  }

  /** Takes a packet of a key, which is part of the stream but no audio (RFC 4733 §2.1). */
  key(fields: { readonly ssrc: number; readonly sequence: number }): void {
    if (this.#source !== undefined && fields.ssrc !== this.#source) return; // a stream of its own
    this.#keys++;
    this.#follow(fields.ssrc, fields.sequence);
  }

  /** Everything heard in the first `lengthMs`, silence where there was nothing. */
  pcm(lengthMs: number): Int16Array {
    const length = Math.min(samplesOfMs(lengthMs), this.#limit);
    this.#reserve(length);
    return this.#samples.slice(0, length);
  }

  #count(source: number, sequence: number, bytes: number): void {
    this.packets++;
    this.bytes += bytes;
    this.#follow(source, sequence);
  }

  #follow(source: number, sequence: number): void {
    const advance = source === this.#source ? ((sequence - this.#sequence) << 16) >> 16 : 1;
    if (source !== this.#source) this.#anchor = undefined;
    this.#source = source;
    if (advance <= 0) return; // late or twice: it was expected before
    this.#expected += advance;
    this.#sequence = sequence;
  }

  #position(timestamp: number, arrival: number): number {
    const anchor = this.#anchor;
    if (anchor) {
      const position = anchor.at + ((timestamp - anchor.timestamp) | 0);
      const late = msOfSamples(arrival - position);
      if (Math.abs(late) <= LARGEST_DRIFT_MS) {
        this.#lateSince = undefined;
        return position;
      }
      if (late > 0 && late <= LONGEST_HOLD_UP_MS && !this.#staysLate(arrival)) return position;
    }
    this.#lateSince = undefined;
    this.#anchor = { timestamp, at: arrival };
    return arrival;
  }

  #staysLate(arrival: number): boolean {
    this.#lateSince ??= arrival;
    return msOfSamples(arrival - this.#lateSince) > LONGEST_LATENESS_MS;
  }

  #put(pcm: Int16Array, at: number): void {
    const from = Math.max(0, -at);
    const to = Math.min(pcm.length, this.#limit - at);
    if (from >= to) return;
    this.#reserve(at + to);
    this.#samples.set(pcm.subarray(from, to), at + from);
  }

  #reserve(length: number): void {
    if (length <= this.#samples.length) return;
    const grown = new Int16Array(Math.max(length, 2 * this.#samples.length));
    grown.set(this.#samples);
    this.#samples = grown;
  }
}
