import type { Clock, Timer } from '../../core/clock.ts';
import type { ListenOptions, SpeechListener } from '../port.ts';

/** Hears when the peer of a simulated leg speaks and pauses: at once and without doubt. */
export class SimulatedListening {
  readonly #clock: Clock;
  readonly #options: ListenOptions;
  readonly #listener: SpeechListener;
  #speaking = false;
  #pause: Timer | undefined;
  #length: Timer | undefined;

  constructor(clock: Clock, options: ListenOptions, listener: SpeechListener) {
    this.#clock = clock;
    this.#options = options;
    this.#listener = listener;
  }

  /** The line carries speech from now on, or no longer. */
  carry(speech: boolean): void {
    this.#pause?.cancel();
    this.#pause = undefined;
    if (speech) this.#begin();
    else if (this.#speaking) this.#pause = this.#clock.after(this.#options.pauseMs, () => this.#end('pause'));
  }

  hear(pcm: Int16Array): void {
    if (this.#speaking) this.#listener.audio(pcm);
  }

  close(): void {
    this.#speaking = false;
    this.#pause?.cancel();
    this.#length?.cancel();
  }

  #begin(): void {
    if (this.#speaking) return;
    this.#speaking = true;
    this.#listener.began();
    this.#length = this.#clock.after(this.#options.maxMs, () => {
      this.#end('too-long');
      if (!this.#pause) this.#begin(); // the peer goes on
    });
  }

  #end(why: 'pause' | 'too-long'): void {
    if (!this.#speaking) return;
    this.#speaking = false;
    this.#length?.cancel();
    this.#listener.ended(why);
  }
}
