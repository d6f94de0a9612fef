import { onAbort } from './abort.ts';
import { type Due, TimerQueue } from './timer-queue.ts';

/** A pending timer. `cancel` is idempotent and safe after the timer has fired. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as the rest of Trunkline sees it. Everything that waits or stamps takes one of these, so that the
 * same program runs live (`SystemClock`) and in virtual time (`VirtualClock`).
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes backwards. */
  monotonic(): number;
  /** Calls `fire` once, `ms` milliseconds from now. `label` says whose it is where a run stands still. */
  after(ms: number, fire: () => void, label?: string): Timer;
}

/**
 * Resolves `ms` milliseconds from now, or rejects with the reason of a signal as soon as it is aborted.
 * `Infinity` waits for the abort alone.
 */
export function sleep(
  clock: Clock,
  ms: number,
  signal: AbortSignal | readonly AbortSignal[] = [],
  label?: string,
): Promise<void> {
  const signals = signal instanceof AbortSignal ? [signal] : signal;
  return new Promise((resolve, reject) => {
    const over = signals.find(({ aborted }) => aborted);
    if (over) return reject(over.reason);
    const timer = ms === Number.POSITIVE_INFINITY ? undefined : clock.after(ms, done, label);
    const release = onAbort(signals, (reason) => {
      timer?.cancel();
      reject(reason);
    });
    function done() {
      release();
      resolve();
    }
  });
}

const LONGEST_TIMEOUT = 2 ** 31 - 1; // setTimeout fires at once beyond this

/** The machine's clock. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: number, fire: () => void): Timer {
    const handle = setTimeout(fire, Math.min(Math.max(0, ms), LONGEST_TIMEOUT));
    return { cancel: () => clearTimeout(handle) };
  }
}

/** A run in virtual time that will not end: nothing is scheduled any more, or it goes on for too long. */
export class Standstill extends Error {
  override readonly name = 'Standstill';
  /** What is still scheduled, the next one first. */
  readonly pending: readonly Pick<Due, 'at' | 'label'>[];

  constructor(message: string, pending: readonly Due[]) {
    super(message);
    this.pending = pending.toSorted((a, b) => a.at - b.at || a.order - b.order);
  }
}

/**
 * A clock that moves only when told to: `advance` for tests, `run` for replay. Timers fire in the order of
 * their time, then of their creation.
 */
export class VirtualClock implements Clock {
  #now: number;
  readonly #origin: number;
  #order = 0;
  readonly #timers = new TimerQueue();
  readonly #held = new Set<Promise<void>>();

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
    this.#origin = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#origin;
  }

  /** Timers not yet fired or cancelled: what a leak test counts. */
  get pending(): number {
    return this.#timers.size;
  }

  after(ms: number, fire: () => void, label = ''): Timer {
    const at = this.#now + Math.max(0, ms);
    return { cancel: this.#timers.add({ at, order: this.#order++, fire, label }) };
  }

  /** Moves time forward by `ms`, firing what falls due, and lets promise callbacks run between timers. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#timers.next; next && next.at <= end; next = this.#timers.next) {
      this.#fireNext();
      await settle();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** Synchronous `advance`, for pure machines that use no promises. */
  tick(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#timers.next; next && next.at <= end; next = this.#timers.next) this.#fireNext();
    this.#now = Math.max(this.#now, end);
  }

  /** Time stands still until `real` settles: something goes on that takes real time, a request for one. */
  hold<T>(real: Promise<T>): Promise<T> {
    const held = real.then(
      () => {},
      () => {},
    );
    this.#held.add(held);
    void held.then(() => this.#held.delete(held));
    return real;
  }

  /** Lets everything happen that happens now: promise callbacks that are due, and what time is held for. */
  async settle(): Promise<void> {
    await settle();
    while (this.#held.size > 0) {
      await Promise.race(this.#held);
      await settle();
    }
  }

  /** Fires the next timer; false when there is none. */
  step(): boolean {
    if (this.#timers.size === 0) return false;
    this.#fireNext();
    return true;
  }

  /**
   * Fires timer after timer until `until` settles, then returns or throws its result. Throws `Standstill` when nothing
   * is left that could ever settle it, or when it has not settled `longestMs` after the clock's beginning.
   */
  async run<T>(until: Promise<T>, longestMs = Number.POSITIVE_INFINITY): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    until.then(mark, mark);
    for (;;) {
      await this.settle();
      if (settled) return until;
      const { next } = this.#timers;
      if (next && next.at - this.#origin > longestMs)
        throw new Standstill('virtual time goes on and on: nothing ends this run', this.#timers.all);
      if (this.step()) continue;
      await this.settle();
      if (settled) return until;
      if (this.#timers.size === 0)
        throw new Standstill('virtual time stands still: nothing is scheduled that could end this run', []);
    }
  }

  #fireNext(): void {
    const timer = this.#timers.take();
    if (!timer) return;
    this.#now = timer.at;
    timer.fire();
  }
}

/** As it was at first: a test that replaces its timers does not stop virtual time. */
const { setImmediate: soon } = globalThis;

/** Lets every promise callback that is already due run. */
function settle(): Promise<void> {
  return new Promise((resolve) => soon(resolve));
}
