import type { VirtualClock } from '../../core/clock.ts';

/** How a wait ended: what was waited for happened, it did not in time, or nothing can happen any more. */
export type WaitEnd = 'happened' | 'too-late' | 'standstill';

interface Wait {
  readonly happened: () => boolean;
  readonly resolve: (end: WaitEnd) => void;
  readonly reject: (error: unknown) => void;
  /** It has a timer of its own for its limit. */
  readonly limited: boolean;
  late: boolean;
  readonly cancel: () => void;
}

/**
 * Moves the virtual time of a call under test: it goes on while somebody waits for something in the call, and stands
 * still while the test does other things. Several may wait at once.
 */
export class Pace {
  readonly #clock: VirtualClock;
  readonly #settled: () => void;
  readonly #waits = new Set<Wait>();
  #moving = false;
  #failure: { readonly error: unknown } | undefined;

  /** `settled` is called whenever everything has happened that happens at a moment. */
  constructor(clock: VirtualClock, settled: () => void) {
    this.#clock = clock;
    this.#settled = settled;
  }

  /** The call cannot go on: everybody who waits is told why. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Lets happen what happens at this very moment, the application's answers among it. */
  async settle(): Promise<void> {
    await this.until(() => true);
  }

  /** Goes on until this has happened, `withinMs` at most. Rejects when the call cannot go on. */
  until(happened: () => boolean, withinMs = Number.POSITIVE_INFINITY): Promise<WaitEnd> {
    return new Promise((resolve, reject) => {
      const timer =
        withinMs === Number.POSITIVE_INFINITY
          ? undefined
          : this.#clock.after(withinMs, () => {
              wait.late = true;
            });
      const limited = timer !== undefined;
      const wait: Wait = { happened, resolve, reject, limited, late: false, cancel: () => timer?.cancel() };
      this.#waits.add(wait);
      if (!this.#moving) void this.#move(); // tells whoever waits when it fails
    });
  }

  async #move(): Promise<void> {
    this.#moving = true;
    try {
      while (this.#waits.size > 0) {
        await this.#clock.settle();
        this.#settled();
        const before = this.#waits.size;
        for (const wait of this.#waits) this.#consider(wait);
        // Whoever was told may wait for something else before time goes on.
        if (this.#waits.size < before) continue;
        this.#next();
      }
    } catch (error) {
      this.fail(error);
      for (const wait of this.#waits) this.#consider(wait);
    } finally {
      this.#moving = false;
    }
  }

  #consider(wait: Wait): void {
    if (this.#failure) this.#end(wait, () => wait.reject(this.#failure?.error));
    else if (wait.happened()) this.#end(wait, () => wait.resolve('happened'));
    else if (wait.late) this.#end(wait, () => wait.resolve('too-late'));
  }

  #next(): void {
    const waits = [...this.#waits];
    const limits = waits.filter((wait) => wait.limited).length;
    if (this.#clock.pending > limits) {
      this.#clock.step();
      return;
    }
    for (const wait of waits) this.#end(wait, () => wait.resolve('standstill'));
  }

  #end(wait: Wait, tell: () => void): void {
    this.#waits.delete(wait);
    wait.cancel();
    tell();
  }
}
