import { firstOffer, type Ownership, type OwnershipEvent, step, type Verdict } from '../control/ownership.ts';

type HolderEvent = 'command' | 'release';

/** Who of the Region may command a call, as control/ownership.ts has it, kept by the edge that holds the call. */
export class Tenure {
  #now: Ownership;

  constructor(epoch: number) {
    this.#now = firstOffer(epoch);
  }

  get epoch(): number {
    return this.#now.epoch;
  }

  get state(): Ownership['state'] {
    return this.#now.state;
  }

  /** The worker that holds the call, or lost it and has had no successor yet. */
  get worker(): string | undefined {
    return 'worker' in this.#now ? this.#now.worker : undefined;
  }

  /** Claims that this worker may command the call. */
  isHeldBy(worker: string): boolean {
    return this.#now.state === 'held' && this.#now.worker === worker;
  }

  apply(event: OwnershipEvent): Verdict {
    const [next, verdict] = step(this.#now, event);
    this.#now = next;
    return verdict;
  }

  /** What the holder wants. The control server has seen to it that it comes from the holder of that epoch. */
  applyOf(epoch: number, type: HolderEvent): Verdict {
    return this.apply({ type, epoch, worker: this.worker ?? '' });
  }
}
