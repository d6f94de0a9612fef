import type { Clock, Timer } from '../../core/clock.ts';
import { Pacer } from '../stream/pacer.ts';

const LATE_MS = 5;
const MOST_LOOKS = 16; // each reads up to 32 packets of every socket

/** Calls every member once in 20 ms as long as there is one; without members no timer runs. */
export class Turns<Member> {
  readonly #clock: Clock;
  readonly #turn: (member: Member, dueAt: number, now: number) => void;
  readonly #members = new Set<Member>();
  #pacer: Pacer<Member> | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, turn: (member: Member, dueAt: number, now: number) => void) {
    this.#clock = clock;
    this.#turn = turn;
  }

  /** Returns when its first turn is due, monotonic milliseconds; the others follow at multiples of 20 ms. */
  add(member: Member): number {
    this.#pacer ??= new Pacer(this.#clock.monotonic());
    this.#members.add(member);
    const first = this.#pacer.add(member);
    if (!this.#timer) this.#schedule();
    return first;
  }

  delete(member: Member): void {
    this.#pacer?.delete(member);
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pacer = undefined;
  }

  #schedule(): void {
    const pacer = this.#pacer;
    if (!pacer) return;
    this.#timer = this.#clock.after(pacer.dueAt - this.#clock.monotonic(), () => {
      this.#look(pacer, 0);
    });
  }

  /**
   * Lets the sockets be read before the turns run: a packet that arrived in time must not count as late because this
   * thread was. After a stall there is more to read than one look of the event loop takes.
   */
  #look(pacer: Pacer<Member>, looks: number): void {
    setImmediate(() => {
      if (this.#pacer !== pacer) return;
      const now = this.#clock.monotonic();
      if (now - pacer.dueAt > LATE_MS && looks < MOST_LOOKS) return this.#look(pacer, looks + 1);
      pacer.run(now, (member, dueAt) => this.#turn(member, dueAt, now));
      if (this.#pacer === pacer) this.#schedule();
    });
  }
}
