import type { Clock, Timer } from '../../core/clock.ts';

/**
 * Thousands of timers on one timer of the underlying clock.
 *
 * SIP arms a handful of different durations (T1, its doublings, 64·T1 …), so each duration has its own queue:
 * timers of one duration fall due in the order they were armed. Arming and cancelling are O(1) and exact to the
 * clock; finding the next one looks at the heads of the queues. A queue that runs empty is dropped.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #queues = new Map<number, Queue>();
  readonly #onError: (error: unknown) => void;
  #size = 0;
  #wake: Timer | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;

  /** `onError` receives what a callback throws; the timers behind it still fire. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Timers armed and neither fired nor cancelled. */
  get size(): number {
    return this.#size;
  }

  /** Calls `fire` once, `ms` milliseconds from now. */
  after(ms: number, fire: () => void): Timer {
    let queue = this.#queues.get(ms);
    if (!queue) {
      queue = new Queue();
      this.#queues.set(ms, queue);
    }
    const entry = new Entry(this, ms, this.#clock.monotonic() + ms, fire);
    queue.push(entry);
    this.#size++;
    if (entry.at < this.#wakeAt) this.#schedule(entry.at);
    return entry;
  }

  /** Cancels everything. */
  clear(): void {
    for (const queue of this.#queues.values()) {
      for (let entry = queue.head; entry; entry = queue.head) queue.remove(entry);
    }
    this.#queues.clear();
    this.#size = 0;
    this.#sleep();
  }

  /** Called by a timer of this wheel. */
  cancel(entry: Entry): void {
    if (!entry.queued) return;
    this.#remove(entry);
    if (this.#size === 0) this.#sleep();
  }

  #remove(entry: Entry): void {
    const queue = this.#queues.get(entry.ms);
    if (!queue) return;
    queue.remove(entry);
    this.#size--;
    if (!queue.head) this.#queues.delete(entry.ms);
  }

  #schedule(at: number): void {
    this.#wake?.cancel();
    this.#wakeAt = at;
    this.#wake = this.#clock.after(Math.max(0, Math.ceil(at - this.#clock.monotonic())), () => this.#turn());
  }

  #sleep(): void {
    this.#wake?.cancel();
    this.#wake = undefined;
    this.#wakeAt = Number.POSITIVE_INFINITY;
  }

  #turn(): void {
    this.#wake = undefined;
    this.#wakeAt = Number.NEGATIVE_INFINITY; // what is armed meanwhile is found below
    const now = this.#clock.monotonic();
    for (let due = this.#next(); due && due.at <= now; due = this.#next()) {
      this.#remove(due);
      try {
        due.fire();
      } catch (error) {
        this.#onError(error);
      }
    }
    const next = this.#next();
    if (next) this.#schedule(next.at);
    else this.#sleep();
  }

  #next(): Entry | undefined {
    let first: Entry | undefined;
    for (const { head } of this.#queues.values()) if (head && (!first || head.at < first.at)) first = head;
    return first;
  }
}

class Entry implements Timer {
  previous: Entry | undefined;
  next: Entry | undefined;
  queued = false;

  constructor(
    readonly wheel: TimerWheel,
    readonly ms: number,
    readonly at: number,
    readonly fire: () => void,
  ) {}

  cancel(): void {
    this.wheel.cancel(this);
  }
}

/** A doubly linked list, oldest first. */
class Queue {
  head: Entry | undefined;
  tail: Entry | undefined;

  push(entry: Entry): void {
    entry.queued = true;
    entry.previous = this.tail;
    if (this.tail) this.tail.next = entry;
    else this.head = entry;
    this.tail = entry;
  }

  remove(entry: Entry): void {
    entry.queued = false;
    if (entry.previous) entry.previous.next = entry.next;
    else this.head = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    else this.tail = entry.previous;
    entry.previous = undefined;
    entry.next = undefined;
  }
}
