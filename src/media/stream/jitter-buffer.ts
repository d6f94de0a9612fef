import type { Codec } from '../format.ts';
import { FRAME_SAMPLES, samplesOfMs } from '../frame.ts';
import { decodeG711 } from '../g711.ts';

/** What a frame pulled from the buffer is: received, made up to cover a loss, or silence because nothing arrives. */
export type Heard = 'audio' | 'concealed' | 'nothing';

const RING = 8_192; // a power of two, a second of audio: more than any delay we allow
const LONGEST_PACKET = samplesOfMs(200); // RFC 3551 §4.2: receivers should accept up to 200 ms
const LEAST_DELAY = samplesOfMs(40); // our choice: two packets of the usual 20 ms
const MOST_DELAY = samplesOfMs(200); // our choice: beyond it a conversation suffers more than from a loss
const CONCEALED_FRAMES = 3; // our choice: 60 ms of repetition, then silence; longer sounds like a machine
const DRY_FRAMES = 3; // after this many frames of nothing, what comes is a new talk spurt
const CALM_FRAMES = 100; // two seconds without need of the extra delay before a frame of it is given back
/** The greatest sample of a frame that can be left out unheard: twice the RMS of what counts as silence. */
export const QUIET = 260;

/**
 * Turns packets that arrive early, late, twice, out of order or not at all into one frame every 20 ms.
 *
 * Samples lie in a ring at their RTP timestamp, so any packet time works, and duplicates and reordering need no
 * code of their own. Playing starts 40 ms behind the first packet; every packet that misses its turn delays the
 * rest by a frame, to 200 ms at most; two calm seconds give a frame back, in the next silence. A new source, a timestamp far away
 * and the start of a talk spurt begin again at the current delay.
 */
export class JitterBuffer {
  readonly #samples = new Int16Array(RING);
  readonly #present = new Uint8Array(RING);
  readonly #decoded = new Int16Array(LONGEST_PACKET);
  readonly #last = new Int16Array(FRAME_SAMPLES);
  #source: number | undefined;
  /** Timestamp of the next sample to play, and of the first one never received. */
  #cursor = 0;
  #end = 0;
  #delay = LEAST_DELAY;
  #hold = 0; // frames to wait without advancing
  #repeated = CONCEALED_FRAMES;
  #dry = DRY_FRAMES;
  #calm = 0;
  #spare = false; // a frame of delay is to be given back
  #leastMargin = Number.POSITIVE_INFINITY;
  #late = 0;

  /** Packets that came after their turn. */
  get late(): number {
    return this.#late;
  }

  /** How far behind a packet on time is played, in samples. */
  get delay(): number {
    return this.#delay;
  }

  insert(source: number, timestamp: number, marker: boolean, codec: Codec, payload: Uint8Array): void {
    const length = payload.length;
    if (length === 0 || length > LONGEST_PACKET) return;
    let offset = (timestamp - this.#cursor) | 0;
    const empty = ((this.#end - this.#cursor) | 0) <= 0;
    if (
      source !== this.#source ||
      offset < -RING ||
      offset + length > RING - FRAME_SAMPLES ||
      (empty && (marker || this.#dry >= DRY_FRAMES || offset + length <= 0))
    ) {
      if (source === this.#source && offset < 0 && offset > -MOST_DELAY) this.#grow();
      this.#begin(source, timestamp);
      offset = this.#delay;
    }
    this.#leastMargin = Math.min(this.#leastMargin, offset);
    if (offset < 0) {
      this.#late++;
      this.#wait();
      if (offset + length <= 0) return;
    }
    decodeG711(codec, payload, this.#decoded);
    for (let i = Math.max(0, -offset); i < length; i++) {
      const at = (timestamp + i) & (RING - 1);
      this.#samples[at] = this.#decoded[i] ?? 0;
      this.#present[at] = 1;
    }
    if (((timestamp + length - this.#end) | 0) > 0) this.#end = (timestamp + length) >>> 0;
  }

  /** Fills `frame` (160 samples) with the next 20 ms. */
  pull(frame: Int16Array): Heard {
    if (this.#source === undefined) return this.#silence(frame);
    if (this.#hold > 0) {
      this.#hold--;
      return this.#conceal(frame);
    }
    let received = 0;
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const at = (this.#cursor + i) & (RING - 1);
      const present = this.#present[at] ?? 0;
      received += present;
      frame[i] = present ? (this.#samples[at] ?? 0) : (this.#last[i] ?? 0) >> 1;
      this.#present[at] = 0;
    }
    this.#cursor = (this.#cursor + FRAME_SAMPLES) >>> 0;
    if (received === 0) {
      if (((this.#end - this.#cursor) | 0) <= 0) this.#dry++;
      return this.#conceal(frame);
    }
    this.#last.set(frame);
    this.#repeated = 0;
    this.#dry = 0;
    this.#relax();
    return 'audio';
  }

  #begin(source: number, timestamp: number): void {
    this.#present.fill(0);
    this.#last.fill(0);
    this.#source = source;
    this.#cursor = (timestamp - this.#delay) >>> 0;
    this.#end = timestamp;
    this.#hold = 0;
    this.#repeated = CONCEALED_FRAMES;
    this.#dry = 0;
    this.#calm = 0;
    this.#spare = false;
    this.#leastMargin = Number.POSITIVE_INFINITY;
  }

  #grow(): void {
    this.#delay = Math.min(MOST_DELAY, this.#delay + FRAME_SAMPLES);
  }

  /** Plays everything after a late packet one frame later, unless that is enough already. */
  #wait(): void {
    this.#calm = 0;
    this.#spare = false;
    if (this.#hold > 0 || this.#delay >= MOST_DELAY) return;
    this.#hold = 1;
    this.#grow();
  }

  /** Gives a frame of delay back when no packet has needed it for a while: a silent one, so that nothing said is lost. */
  #relax(): void {
    if (++this.#calm >= CALM_FRAMES) {
      this.#spare =
        this.#leastMargin - LEAST_DELAY >= 2 * FRAME_SAMPLES && Number.isFinite(this.#leastMargin);
      this.#calm = 0;
      this.#leastMargin = Number.POSITIVE_INFINITY;
    }
    if (!this.#spare || !this.#nextIsQuiet()) return;
    this.#spare = false;
    for (let i = 0; i < FRAME_SAMPLES; i++) this.#present[(this.#cursor + i) & (RING - 1)] = 0;
    this.#cursor = (this.#cursor + FRAME_SAMPLES) >>> 0;
    this.#delay = Math.max(LEAST_DELAY, this.#delay - FRAME_SAMPLES);
  }

  #nextIsQuiet(): boolean {
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const at = (this.#cursor + i) & (RING - 1);
      if (this.#present[at] && Math.abs(this.#samples[at] ?? 0) > QUIET) return false;
    }
    return true;
  }

  /** Repeats the last frame, quieter each time, then falls silent. */
  #conceal(frame: Int16Array): Heard {
    if (this.#repeated >= CONCEALED_FRAMES) return this.#silence(frame);
    this.#repeated++;
    for (let i = 0; i < FRAME_SAMPLES; i++) this.#last[i] = (this.#last[i] ?? 0) >> 1;
    frame.set(this.#last);
    return 'concealed';
  }

  #silence(frame: Int16Array): Heard {
    frame.fill(0);
    return 'nothing';
  }
}
