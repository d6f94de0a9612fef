import type { Clock, Timer } from '../core/clock.ts';
import type { Sound, Sounds } from '../leg/simulated/sounds.ts';

/**
 * The ear of a party: waits for words and files. What was heard since the last match counts too, so nothing is
 * missed between two waits; what was matched counts no second time.
 */
export class Hearing {
  readonly #sounds: Sounds;
  readonly #clock: Clock;
  /** The sound and the place in its text after the last match. */
  #after = { sound: 0, offset: 0 };

  constructor(sounds: Sounds, clock: Clock) {
    this.#sounds = sounds;
    this.#clock = clock;
  }

  /** Calls `heard` once the pattern has been heard, at once when it has been already; returns how to stop waiting. */
  when(pattern: RegExp, heard: (sound: Sound) => void): () => void {
    const timers: Timer[] = [];
    let unlisten = () => {};
    const stop = () => {
      unlisten();
      for (const timer of timers) timer.cancel();
    };
    const consider = (sound: Sound, index: number): boolean => {
      const match = this.#match(pattern, sound, index);
      if (!match) return false;
      const take = () => {
        if (sound.cutAt < match.at) return false; // cut short before it came to that
        stop();
        this.#after = { sound: index, offset: match.end };
        heard(sound);
        return true;
      };
      const ms = match.at - this.#clock.monotonic();
      if (ms <= 0) return take();
      timers.push(this.#clock.after(ms, take, `hearing ${pattern}`));
      return false;
    };
    const { all } = this.#sounds;
    for (let index = this.#after.sound; index < all.length; index++) {
      const sound = all[index];
      if (sound && consider(sound, index)) return stop;
    }
    unlisten = this.#sounds.listen((sound) => consider(sound, all.length - 1));
    return stop;
  }

  #match(
    pattern: RegExp,
    sound: Sound,
    index: number,
  ): { readonly at: number; readonly end: number } | undefined {
    const searching = new RegExp(pattern, `${pattern.flags.replace(/[gy]/g, '')}g`);
    searching.lastIndex = index === this.#after.sound ? this.#after.offset : 0;
    const found = searching.exec(sound.text);
    if (!found) return undefined;
    const end = found.index + Math.max(1, found[0].length);
    // Our choice: every character takes the same time, and a file is known by its first moment.
    const ms = sound.spoken
      ? Math.ceil((sound.ms * Math.min(end, sound.text.length)) / sound.text.length)
      : 0;
    return { at: sound.at + ms, end };
  }
}

/** What a scenario writes as `hears`: text in either case, or a regular expression between slashes. */
export function heardPattern(text: string): RegExp {
  const expression = /^\/(.+)\/([a-z]*)$/s.exec(text);
  if (expression) return new RegExp(expression[1] ?? '', expression[2]);
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+'), 'i');
}
