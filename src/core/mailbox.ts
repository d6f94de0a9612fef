import { abortable } from './abort.ts';

/** An unbounded first-in-first-out box with one reader at a time. */
export class Mailbox<T> {
  readonly #items: T[] = [];
  #waiting: ((item: T) => void) | undefined;

  put(item: T): void {
    const deliver = this.#waiting;
    this.#waiting = undefined;
    if (deliver) deliver(item);
    else this.#items.push(item);
  }

  get size(): number {
    return this.#items.length;
  }

  /** The next item without waiting, or `undefined`. */
  poll(): T | undefined {
    return this.#items.shift();
  }

  /** The next item; rejects with the reason of the signal that is aborted first (the item then stays for the next reader). */
  async take(...signals: readonly AbortSignal[]): Promise<T> {
    for (const signal of signals) signal.throwIfAborted();
    const ready = this.#items.shift();
    if (ready !== undefined) return ready;
    if (this.#waiting) throw new Error('this mailbox already has a reader');
    let deliver: (item: T) => void = () => {};
    const arrival = new Promise<T>((resolve) => {
      deliver = resolve;
      this.#waiting = deliver;
    });
    try {
      return await abortable(arrival, ...signals);
    } finally {
      if (this.#waiting === deliver) this.#waiting = undefined;
    }
  }
}
