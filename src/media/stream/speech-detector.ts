import type { ListenOptions, SpeechListener } from '../../leg/port.ts';
import { FRAME_MS, FRAME_SAMPLES } from '../frame.ts';
import { rms } from '../mix.ts';

/** Our choice: louder than what counts as sound in a recording, so that a line's noise stops no prompt. −42 dB. */
const VOICE_RMS = 260;
/** Our choice: of the last 200 ms, 120 ms are loud when somebody speaks; a click or a knock is shorter. */
const WINDOW_FRAMES = 10;
const VOICED_FRAMES = 6;
/** Our choice: what is handed over of the time before it was certain; words begin quietly. */
const LEAD_FRAMES = 20;
/** Frames handed over at once: 100 ms, a tenth of the messages between threads and early enough to be read along. */
const PIECE_FRAMES = 5;

/**
 * Finds speech in what a peer says, by its loudness: a stretch begins when sound lasts and ends with a pause. What does
 * not arrive is a pause too: who suppresses silence sends nothing in it.
 */
export class SpeechDetector {
  readonly #options: ListenOptions;
  readonly #listener: SpeechListener;
  readonly #recent: boolean[] = [];
  readonly #lead: Int16Array[] = [];
  #piece = new Int16Array(PIECE_FRAMES * FRAME_SAMPLES);
  #filled = 0;
  #speaking = false;
  #quietMs = 0;
  #lengthMs = 0;

  constructor(options: ListenOptions, listener: SpeechListener) {
    this.#options = options;
    this.#listener = listener;
  }

  /** The next 20 ms. */
  frame(pcm: Int16Array): void {
    const loud = rms(pcm) > VOICE_RMS;
    if (this.#speaking) this.#goOn(pcm, loud);
    else this.#wait(pcm, loud);
  }

  /** The leg is over. */
  close(): void {
    if (this.#speaking) this.#end('hangup');
  }

  #wait(pcm: Int16Array, loud: boolean): void {
    this.#lead.push(pcm.slice());
    if (this.#lead.length > LEAD_FRAMES) this.#lead.shift();
    this.#recent.push(loud);
    if (this.#recent.length > WINDOW_FRAMES) this.#recent.shift();
    if (this.#recent.filter(Boolean).length < VOICED_FRAMES) return;
    this.#speaking = true;
    this.#quietMs = 0;
    this.#lengthMs = 0;
    this.#recent.length = 0;
    this.#listener.began();
    for (const frame of this.#lead.splice(0)) this.#add(frame);
  }

  #goOn(pcm: Int16Array, loud: boolean): void {
    this.#add(pcm);
    this.#lengthMs += FRAME_MS;
    this.#quietMs = loud ? 0 : this.#quietMs + FRAME_MS;
    if (this.#quietMs >= this.#options.pauseMs) this.#end('pause');
    else if (this.#lengthMs >= this.#options.maxMs) this.#end('too-long');
  }

  #add(pcm: Int16Array): void {
    this.#piece.set(pcm, this.#filled);
    this.#filled += pcm.length;
    if (this.#filled >= PIECE_FRAMES * FRAME_SAMPLES) this.#handOver();
  }

  #handOver(): void {
    if (this.#filled === 0) return;
    this.#listener.audio(this.#piece.slice(0, this.#filled));
    this.#filled = 0;
  }

  #end(why: 'pause' | 'too-long' | 'hangup'): void {
    this.#handOver();
    this.#speaking = false;
    this.#listener.ended(why);
  }
}
