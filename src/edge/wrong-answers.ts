import type { Clock } from '../core/clock.ts';

/** Our choice: a telephone with the wrong password that tries every half minute stays below. */
const MOST = 20;
const WINDOW_MS = 300_000;
/** Our choice: whose wrong answers are remembered; the one that was quiet for longest is forgotten first. */
const REMEMBERED = 50_000;

interface Count {
  readonly since: number;
  wrong: number;
}

/**
 * Wrong passwords by who gave them. Whoever gave too many within five minutes gets no further until they are over,
 * right or wrong, and sees no difference. It is counted by flow and user name together: others behind the same
 * address, and the same user elsewhere, are not shut out.
 */
export class WrongAnswers {
  readonly #clock: Clock;
  /** In the order of the last wrong answer. */
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tooMany(who: string): boolean {
    const count = this.#counts.get(who);
    return count !== undefined && this.#isCurrent(count) && count.wrong >= MOST;
  }

  note(who: string): void {
    const before = this.#counts.get(who);
    const count = before && this.#isCurrent(before) ? before : { since: this.#clock.monotonic(), wrong: 0 };
    count.wrong++;
    this.#counts.delete(who);
    this.#counts.set(who, count);
    for (const quietest of this.#counts.keys()) {
      if (this.#counts.size <= REMEMBERED) break;
      this.#counts.delete(quietest);
    }
  }

  #isCurrent({ since }: Count): boolean {
    return this.#clock.monotonic() - since < WINDOW_MS;
  }
}
