import { FRAME_MS, FRAME_SAMPLES } from '../frame.ts';

/** Our choice, as for the jitter buffer: what is later than this disturbs a conversation more than its loss does. */
export const LONGEST_DELAY_MS = 200;

const CAPACITY = LONGEST_DELAY_MS / FRAME_MS;

/** Frames that could not leave in their turn, in order. One too many takes the place of the oldest. */
export class LateFrames {
  readonly #samples = new Int16Array(CAPACITY * FRAME_SAMPLES);
  #first = 0;
  #count = 0;

  get waiting(): boolean {
    return this.#count > 0;
  }

  /** Copies `pcm`, 160 samples. */
  put(pcm: Int16Array): void {
    if (this.#count === CAPACITY) this.take();
    this.#frame(this.#first + this.#count++).set(pcm);
  }

  /** The oldest, valid until the next `put`; only while there is one. */
  take(): Int16Array {
    const frame = this.#frame(this.#first);
    this.#first = (this.#first + 1) % CAPACITY;
    this.#count--;
    return frame;
  }

  clear(): void {
    this.#count = 0;
  }

  #frame(index: number): Int16Array {
    const at = (index % CAPACITY) * FRAME_SAMPLES;
    return this.#samples.subarray(at, at + FRAME_SAMPLES);
  }
}
