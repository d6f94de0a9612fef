import type { Timer } from '../../core/clock.ts';
import type { TimerWheel } from '../transaction/timer-wheel.ts';
import { lifetime, type TimerValues } from '../transaction/timers.ts';

/**
 * A 2xx to an INVITE that waits for its ACK: repeated at T1, 2·T1 … T2 over every transport, given up after 64·T1
 * (RFC 3261 §13.3.1.4).
 */
export class Unacknowledged {
  #timer: Timer | undefined;
  #waiters: (() => void)[] = [];
  #open = true;

  constructor(
    readonly cseq: number,
    /** The INVITE carried no offer, so the ACK's body is the answer. */
    readonly expectsAnswer: boolean,
    wheel: TimerWheel,
    timers: TimerValues,
    repeat: () => void,
    givenUp: () => void,
  ) {
    const next = (interval: number, left: number) => {
      const ms = Math.min(interval, left);
      this.#timer = wheel.after(ms, () => {
        if (left <= ms) {
          this.stop();
          givenUp();
          return;
        }
        repeat();
        next(Math.min(interval * 2, timers.t2), left - ms);
      });
    };
    next(timers.t1, lifetime(timers));
  }

  /** The ACK came, or nobody needs it any more. */
  stop(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#timer?.cancel();
    for (const done of this.#waiters.splice(0)) done();
  }

  /** Resolves when it is acknowledged, stopped or given up. */
  settled(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }
}
