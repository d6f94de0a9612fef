import type { VirtualClock } from '../../core/clock.ts';
import type { CalleeAction } from '../scenario.ts';
import { speakingTime } from '../simulated-audio.ts';
import { SimulatedChild } from '../simulated-child.ts';
import type { SimulatedDialer } from '../simulated-dialer.ts';
import { CallExpectation, Ear, type Patience } from './ear.ts';
import { type DialedCall, dialedCalls } from './facts.ts';
import { passing, pressKeys } from './keys.ts';
import { milliseconds } from './options.ts';
import type { Pace } from './pace.ts';

export interface CalleeParts {
  readonly dialer: SimulatedDialer;
  readonly clock: VirtualClock;
  readonly pace: Pace;
  plan(address: string, does: readonly CalleeAction[]): void;
  describe(): string;
  ended(): string | undefined;
  whoWaits(): string;
}

/**
 * Somebody whom the call dials. What `answers`, `refuses` and the like say holds for the call that rings there; when
 * none does, for the next one.
 */
export class Callee {
  readonly address: string;
  readonly #parts: CalleeParts;
  readonly #ears = new WeakMap<SimulatedChild, Ear>();

  /** @internal */
  constructor(address: string, parts: CalleeParts) {
    this.address = address;
    this.#parts = parts;
  }

  /** Waits until the call dials them; resolves at once when they ring already. */
  async isDialed({ within = '30s' }: Patience = {}): Promise<DialedCall> {
    const { dialer, clock, pace, ended, whoWaits, describe } = this.#parts;
    const wait = await pace.until(
      () => this.#child !== undefined || ended() !== undefined,
      milliseconds(within),
    );
    await passing(0, clock, pace); // it rings now
    const dialed = dialedCalls(dialer).findLast(({ sid }) => sid === this.#child?.callSid);
    if (dialed) return dialed;
    const cause = ended();
    const why =
      cause !== undefined
        ? `the call ended: ${cause}`
        : wait === 'standstill'
          ? whoWaits()
          : `not within ${within}`;
    throw new CallExpectation(`${this.address} was not dialled: ${why}.\n\n${describe()}`);
  }

  /** Answers, with these `X-…` headers. */
  async answers(headers: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#does({ at: 0, answer: headers });
  }

  /** Answers with this SIP status of 300–699. */
  async refuses(status = 603): Promise<void> {
    await this.#does({ at: 0, refuse: status });
  }

  async isBusy(): Promise<void> {
    await this.refuses(486);
  }

  async hangsUp(): Promise<void> {
    this.#talking('hang up').leg.peer.hangup();
    await this.#parts.pace.settle();
  }

  async presses(keys: string): Promise<void> {
    const { clock, pace } = this.#parts;
    await pressKeys(keys, { clock, pace, press: (key) => this.#talking(`press ${key}`).leg.peer.press(key) });
  }

  async says(text: string): Promise<void> {
    const { clock, pace } = this.#parts;
    const ms = speakingTime(text);
    this.#talking(`say "${text}"`).leg.peer.say(text, ms);
    await passing(ms, clock, pace);
  }

  /** Waits until they have heard this: what the other party says, or what is said and played to them alone. */
  async hears(expected: string | RegExp, patience?: Patience): Promise<string> {
    const child = this.#talking('hear anything');
    let ear = this.#ears.get(child);
    if (!ear) {
      ear = new Ear({ ...this.#parts, sounds: child.leg.peer.sounds });
      this.#ears.set(child, ear);
    }
    return await ear.hears(expected, patience);
  }

  /** The latest call to them. */
  get #child(): SimulatedChild | undefined {
    return this.#parts.dialer.children
      .filter((child) => child instanceof SimulatedChild)
      .findLast((child) => child.record.to === this.address);
  }

  #talking(what: string): SimulatedChild {
    const child = this.#child;
    if (child?.leg.state === 'answered') return child;
    const why = !child
      ? 'nobody has dialled them'
      : child.leg.state === 'ringing'
        ? 'they ring'
        : 'their call is over';
    throw new CallExpectation(`${this.address} cannot ${what}: ${why}.\n\n${this.#parts.describe()}`);
  }

  async #does(action: CalleeAction): Promise<void> {
    const { pace, clock, plan } = this.#parts;
    const child = this.#child;
    if (child?.leg.state !== 'ringing')
      return plan(this.address, [{ at: 0, ring: 180, early: false }, action]);
    child.does([action]);
    await passing(0, clock, pace);
  }
}
