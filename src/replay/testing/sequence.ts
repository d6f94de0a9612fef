/**
 * In which order things happened that are kept in lists of their own. Whoever lets time pass says now and then that it
 * passed: what a list has grown by since then happened in between.
 */
export class Sequence {
  readonly #seen = new Map<readonly unknown[], number[]>();
  readonly #lists: () => readonly (readonly unknown[])[];
  #passes = 0;

  /** `lists` gives those there are at the moment. */
  constructor(lists: () => readonly (readonly unknown[])[]) {
    this.#lists = lists;
  }

  pass(): void {
    this.#passes++;
    for (const list of this.#lists()) {
      const seen = this.#seen.get(list) ?? [];
      this.#seen.set(list, seen);
      while (seen.length < list.length) seen.push(this.#passes);
    }
  }

  /** A number that grows with time, for an entry of a list. */
  of(list: readonly unknown[], index: number): number {
    return this.#seen.get(list)?.[index] ?? this.#passes + 1;
  }
}
