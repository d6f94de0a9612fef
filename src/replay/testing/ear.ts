import type { VirtualClock } from '../../core/clock.ts';
import type { Sounds } from '../../leg/simulated/sounds.ts';
import { Hearing, heardPattern } from '../hearing.ts';
import { ScenarioError } from '../scenario.ts';
import { REACTION_MS } from '../script.ts';
import { passing } from './keys.ts';
import { type Duration, milliseconds } from './options.ts';
import type { Pace } from './pace.ts';

/** How long to wait for something; 30 s of virtual time unless it says otherwise. */
export interface Patience {
  readonly within?: Duration;
}

const STANDARD_PATIENCE = '30s';

/** Something in a call is not as the test expects it; the message shows the call so far. */
export class CallExpectation extends Error {
  override readonly name = 'CallExpectation';
}

export interface EarParts {
  readonly clock: VirtualClock;
  readonly pace: Pace;
  readonly sounds: Sounds;
  /** The call so far. */
  describe(): string;
  /** Why the call is over; undefined while it is not. */
  ended(): string | undefined;
  /** Why nothing more happens. */
  whoWaits(): string;
}

/** What a party of the call listens with. */
export class Ear {
  readonly #parts: EarParts;
  readonly #hearing: Hearing;

  constructor(parts: EarParts) {
    this.#parts = parts;
    this.#hearing = new Hearing(parts.sounds, parts.clock);
  }

  async hears(expected: string | RegExp, { within = STANDARD_PATIENCE }: Patience = {}): Promise<string> {
    if (typeof expected !== 'string' && !(expected instanceof RegExp))
      throw new ScenarioError(`hears: found ${String(expected)}: expected text or a regular expression`);
    const { pace, clock, ended } = this.#parts;
    const pattern = typeof expected === 'string' ? heardPattern(expected) : expected;
    const begun = clock.monotonic();
    let heard: string | undefined;
    const stop = this.#hearing.when(pattern, ({ text }) => {
      heard = text;
    });
    const wait = await pace.until(() => heard !== undefined || ended() !== undefined, milliseconds(within));
    stop();
    if (heard !== undefined) {
      await passing(REACTION_MS, clock, pace);
      return heard;
    }
    throw new CallExpectation(this.#complaint(expected, wait, begun));
  }

  #complaint(expected: string | RegExp, wait: string, begun: number): string {
    const { clock, ended, whoWaits, sounds, describe } = this.#parts;
    const what = typeof expected === 'string' ? `"${expected}"` : String(expected);
    const seconds = (clock.monotonic() - begun) / 1_000;
    const cause = ended();
    const why =
      cause !== undefined
        ? `the call ended: ${cause}`
        : wait === 'standstill'
          ? whoWaits()
          : `not within ${seconds} s`;
    const since = sounds.all.filter(({ at, ms, spoken }) => at + (spoken ? ms : 0) >= begun);
    const instead =
      since.length === 0
        ? 'Nothing was heard meanwhile.'
        : `Heard meanwhile:\n${since.map(({ text }) => `  ${JSON.stringify(text)}`).join('\n')}`;
    return `${what} was not heard: ${why}.\n${instead}\n\n${describe()}`;
  }
}
