/** Something that the peer of a simulated leg began to hear. */
export interface Sound {
  /** Milliseconds on the clock's `monotonic`. */
  readonly at: number;
  /** What is said, or the name of what is played. */
  readonly text: string;
  /** Its words come one after the other, in `ms`; otherwise it is known as soon as it begins. */
  readonly spoken: boolean;
  readonly ms: number;
  /** When it was cut short; Infinity as long as it was not. */
  cutAt: number;
}

/** All that the peer of a simulated leg heard, in the order it began, for whoever waits to hear something. */
export class Sounds {
  readonly all: Sound[] = [];
  readonly #listeners = new Set<(sound: Sound) => void>();

  add(sound: Omit<Sound, 'cutAt'>): Sound {
    const heard = { ...sound, cutAt: Number.POSITIVE_INFINITY };
    this.all.push(heard);
    for (const listener of this.#listeners) listener(heard);
    return heard;
  }

  /** Each sound from now on, as it begins; returns how to stop that. */
  listen(listener: (sound: Sound) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
