/**
 * What was made of the texts that were last read, at most so many characters of them. What it keeps is handed to
 * whoever reads the same again, calls that go on at the same time for one: it must not change.
 */
export class LastRead<T> {
  readonly #most: number;
  /** The one that was not asked for the longest is first. */
  readonly #kept = new Map<string, T>();
  #characters = 0;

  constructor(mostCharacters: number) {
    this.#most = mostCharacters;
  }

  get characters(): number {
    return this.#characters;
  }

  find(text: string): T | undefined {
    const known = this.#kept.get(text);
    if (known === undefined) return undefined;
    this.#kept.delete(text);
    this.#kept.set(text, known);
    return known;
  }

  /** What was made of a text that was not found. */
  keep(text: string, made: T): void {
    if (text.length > this.#most) return;
    this.#kept.set(text, made);
    this.#characters += text.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= this.#most) break;
      this.#kept.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}
