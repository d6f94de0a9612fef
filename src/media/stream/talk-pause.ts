import type { Codec } from '../format.ts';
import { samplesOfMs } from '../frame.ts';
import { sampleOf } from '../g711.ts';
import { QUIET } from './jitter-buffer.ts';

const PAUSE = samplesOfMs(120); // our choice: six usual packets; between words there is less, between sentences more
const ABSENT_MS = 1_000; // our choice: who has sent nothing for so long (hold, no RTP) says nothing

/**
 * Waits until nothing would be missed and nothing heard twice if what a talker says went another way from now on: the
 * talker is quiet, and so is what comes out at the end of the longer way, which is behind. Where it is behind by more
 * than the pause lasts, a single sound no longer than the difference, between two pauses, goes unnoticed.
 */
export class TalkPause {
  #quiet = 0; // samples, without a break
  #at: number;

  /** `now`: monotonic milliseconds, as everywhere here. */
  constructor(now: number) {
    this.#at = now;
  }

  /** The talker's next packet; without a codec it is a key, which is no pause. */
  said(codec: Codec | undefined, payload: Uint8Array, now: number): void {
    this.#at = now;
    this.#quiet = codec && isQuiet(codec, payload) ? this.#quiet + payload.length : 0;
  }

  /** What comes out at the end of the longer way: sound there ends the pause, quiet does not make it longer. */
  arrived(codec: Codec | undefined, payload: Uint8Array, now: number): void {
    if (codec && isQuiet(codec, payload)) return;
    this.#at = now;
    this.#quiet = 0;
  }

  reached(now: number): boolean {
    return this.#quiet >= PAUSE || now - this.#at >= ABSENT_MS;
  }
}

function isQuiet(codec: Codec, codes: Uint8Array): boolean {
  return codes.every((code) => Math.abs(sampleOf(codec, code)) <= QUIET);
}
