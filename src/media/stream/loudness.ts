import { rms } from '../mix.ts';

/** RMS of 16-bit samples, −48 dB of full scale. Our choice: above a line's noise, below quiet speech. */
const LOUD_RMS = 130;

const LOUD_FRAMES = 2; // a click is one frame loud, a voice many

/** Tells sound from silence, frame by frame. */
export class Loudness {
  #run = 0;

  /** True when `frame` belongs to a sound. */
  hear(frame: Int16Array): boolean {
    this.#run = rms(frame) > LOUD_RMS ? this.#run + 1 : 0;
    return this.#run >= LOUD_FRAMES;
  }
}
