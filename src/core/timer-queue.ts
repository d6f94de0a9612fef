/** What falls due at a moment of a clock. */
export interface Due {
  readonly at: number;
  /** Of two that fall due at once, the lower one is first. */
  readonly order: number;
  readonly fire: () => void;
  /** Whose it is, for people; '' when nobody said. */
  readonly label: string;
}

interface Entry extends Due {
  /** Its place in the heap; -1: taken or removed. */
  place: number;
}

/** A binary heap of timers, the next one first; adding, taking and removing cost the logarithm of its size. */
export class TimerQueue {
  readonly #heap: Entry[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get next(): Due | undefined {
    return this.#heap[0];
  }

  /** In no particular order. */
  get all(): readonly Due[] {
    return this.#heap;
  }

  /** Returns how to remove it again: idempotent, and without effect once it is taken. */
  add(due: Due): () => void {
    const entry: Entry = { ...due, place: this.#heap.length };
    this.#heap.push(entry);
    this.#rise(entry);
    return () => this.#remove(entry);
  }

  take(): Due | undefined {
    const first = this.#heap[0];
    if (first) this.#remove(first);
    return first;
  }

  #remove(entry: Entry): void {
    const { place } = entry;
    if (place < 0) return;
    entry.place = -1;
    const last = this.#heap.pop();
    if (!last || last === entry) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(entry: Entry): void {
    while (entry.place > 0) {
      const parent = this.#heap[(entry.place - 1) >> 1];
      if (!parent || isBefore(parent, entry)) return;
      this.#swap(parent, entry);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.place + 1];
      const right = this.#heap[2 * entry.place + 2];
      const child = left && right && isBefore(right, left) ? right : left;
      if (!child || isBefore(entry, child)) return;
      this.#swap(entry, child);
    }
  }

  #swap(one: Entry, other: Entry): void {
    const { place } = one;
    this.#put(one, other.place);
    this.#put(other, place);
  }

  #put(entry: Entry, place: number): void {
    entry.place = place;
    this.#heap[place] = entry;
  }
}

const isBefore = (one: Due, other: Due) =>
  one.at < other.at || (one.at === other.at && one.order < other.order);
