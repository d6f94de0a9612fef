import type { Bridge } from '../port.ts';

/** Two simulated legs that hear each other. */
export class SimulatedBridge<L> implements Bridge {
  readonly #forget: () => void;
  readonly #legs: readonly [L, L];
  #over = false;

  constructor(forget: () => void, legs: readonly [L, L]) {
    this.#forget = forget;
    this.#legs = legs;
  }

  otherThan(leg: L): L {
    const [one, other] = this.#legs;
    return leg === one ? other : one;
  }

  part(): void {
    if (this.#over) return;
    this.#over = true;
    this.#forget();
  }

  async end(): Promise<void> {
    this.part();
  }
}
