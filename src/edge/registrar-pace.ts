import { BoundedCache } from '../core/bounded-cache.ts';
import type { Clock } from '../core/clock.ts';

/** REGISTERs of one address within any second; more are 32008. @see https://www.twilio.com/docs/api/errors/32008 */
const MOST = 5;
const WINDOW_MS = 1_000;
/** Our choice: addresses that are remembered, far more than register within a second. */
const REMEMBERED = 50_000;

/** How often an address registers. Only who has proved to be its user is counted: nobody else can use it up. */
export class RegisterPace {
  readonly #clock: Clock;
  /** Times of the latest REGISTERs, oldest first. */
  readonly #latest = new BoundedCache<readonly number[]>(REMEMBERED);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one more, unless it is one too many. */
  admits(aor: string): boolean {
    const now = this.#clock.monotonic();
    const recent = (this.#latest.get(aor) ?? []).filter((at) => now - at < WINDOW_MS);
    if (recent.length >= MOST) return false;
    this.#latest.set(aor, [...recent, now], 1);
    return true;
  }
}
