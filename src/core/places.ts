import { abortable } from './abort.ts';

/** A number of places, taken in turn: bounds how many do something at once. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Waits for a place; dispose it to give it back. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    let mine = true;
    return {
      [Symbol.dispose]: () => {
        if (mine) this.#giveBack();
        mine = false;
      },
    };
  }

  async #turn(signal: AbortSignal): Promise<void> {
    let come: () => void = () => {};
    const turn = new Promise<void>((resolve) => {
      come = resolve;
    });
    this.#waiting.push(come);
    try {
      await abortable(turn, signal);
    } catch (error) {
      const at = this.#waiting.indexOf(come);
      if (at >= 0) this.#waiting.splice(at, 1);
      else this.#giveBack(); // it came in the same moment
      throw error;
    }
  }

  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
