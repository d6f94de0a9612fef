import type { CallStatus } from '../../call/record.ts';
import type { TimelineEvent } from '../../call/timeline.ts';
import type { VirtualClock } from '../../core/clock.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import type { CallEnd } from '../../twiml/interpreter/world.ts';
import type { CalleeAction } from '../scenario.ts';
import { speakingTime } from '../simulated-audio.ts';
import type { SimulatedCall } from '../simulated-call.ts';
import { Callee } from './callee.ts';
import { Driven } from './driven.ts';
import { CallExpectation, Ear, type Patience } from './ear.ts';
import {
  type CallRequest,
  type DialedCall,
  dialedCalls,
  type HeardSound,
  heardSounds,
  type RecordingMade,
  recordingsMade,
} from './facts.ts';
import { passing, pressKeys } from './keys.ts';
import { type Duration, milliseconds } from './options.ts';
import type { Pace } from './pace.ts';
import { type Transcript, whoWaits } from './transcript.ts';

/** The longest call: https://www.twilio.com/docs/voice/twiml/dial#timelimit */
const LONGEST_CALL_MS = 4 * 3_600_000;

/** How a call under test ended. */
export interface CallOutcome {
  readonly status: CallStatus;
  /** Why, in a sentence. */
  readonly cause: string;
  /** Seconds from the answer to the end; 0 for a call that was never answered. */
  readonly duration: number;
  readonly heard: readonly HeardSound[];
  readonly requests: readonly CallRequest[];
  readonly dialed: readonly DialedCall[];
  readonly recordings: readonly RecordingMade[];
  readonly diagnostics: readonly Diagnostic[];
  readonly timeline: readonly TimelineEvent[];
}

/** What a call under test is made of. */
export interface CallParts {
  readonly call: SimulatedCall;
  readonly clock: VirtualClock;
  readonly pace: Pace;
  readonly transcript: Transcript;
  requests(): readonly CallRequest[];
  /** What somebody does from the next time they are dialled. */
  plan(address: string, does: readonly CalleeAction[]): void;
  /** The call and what follows its end. */
  run(): Promise<CallEnd>;
}

/**
 * A call to the application under test, and the telephone that made it.
 *
 * Its time is virtual: it goes on only while the test awaits one of its methods, as far as that takes, and a wait of
 * an hour costs milliseconds. Whatever cannot be done rejects with a message that shows the call so far.
 */
export class Call implements AsyncDisposable {
  /** Resolves with how the call ended; time goes on until then, once somebody awaits it. */
  readonly ended: PromiseLike<CallOutcome>;
  readonly #parts: CallParts;
  readonly #ear: Ear;
  #end: CallEnd | undefined;

  /** @internal */
  constructor(parts: CallParts) {
    this.#parts = parts;
    const { pace, clock, call } = parts;
    this.#ear = new Ear({
      pace,
      clock,
      sounds: call.leg.peer.sounds,
      describe: () => this.transcript(),
      ...this.#over(),
    });
    this.ended = new Driven(() => this.#waitForEnd());
    parts.run().then(
      (end) => {
        this.#end = end;
      },
      (error: unknown) => pace.fail(error),
    );
  }

  get sid(): string {
    return this.#parts.call.world.facts.callSid;
  }

  /** `ringing`, `in-progress`, or how it ended. */
  get status(): CallStatus {
    if (this.#end) return this.#end.status;
    return this.#parts.call.chronicle.answeredAt === null ? 'ringing' : 'in-progress';
  }

  /** Virtual milliseconds since the call came in. */
  get now(): number {
    return this.#parts.clock.monotonic();
  }

  /** What the caller heard, in order. */
  get heard(): readonly HeardSound[] {
    return heardSounds(this.#parts.call.leg.peer.sounds);
  }

  /** What the application was asked, and what came of it, in order. */
  get requests(): readonly CallRequest[] {
    return this.#parts.requests();
  }

  /** Whom the call dialled, in order. */
  get dialed(): readonly DialedCall[] {
    return dialedCalls(this.#parts.call.dialer);
  }

  get recordings(): readonly RecordingMade[] {
    return recordingsMade(this.#parts.call.chronicle);
  }

  /** What is wrong with the application, as it came up. */
  get diagnostics(): readonly Diagnostic[] {
    return this.#parts.call.chronicle.diagnostics;
  }

  get timeline(): readonly TimelineEvent[] {
    return this.#parts.call.chronicle.timeline;
  }

  /** How the call ended; undefined while it goes on. */
  get outcome(): CallOutcome | undefined {
    const end = this.#end;
    if (!end) return undefined;
    const { heard, requests, dialed, recordings, diagnostics, timeline } = this;
    const { status, cause } = end;
    const { duration } = this.#parts.call;
    return { status, cause, duration, heard, requests, dialed, recordings, diagnostics, timeline };
  }

  /** Somebody whom the call dials, by number or SIP URI. */
  callee(address: string): Callee {
    const { call, clock, pace, plan } = this.#parts;
    const describe = () => this.transcript();
    return new Callee(address, { dialer: call.dialer, clock, pace, plan, describe, ...this.#over() });
  }

  /** Presses keys, 0–9 * # A–D, 200 ms apart; `w` waits half a second. Resolves once the last has had its effect. */
  async press(keys: string): Promise<void> {
    await pressKeys(keys, {
      pace: this.#parts.pace,
      clock: this.#parts.clock,
      press: (key) => {
        this.#mustBeAnswered(`press ${key}`);
        this.#parts.call.leg.peer.press(key);
      },
    });
  }

  /** Says this; resolves when it has been said. */
  async says(text: string): Promise<void> {
    this.#mustBeAnswered(`say "${text}"`);
    const ms = speakingTime(text);
    this.#parts.call.leg.peer.say(text, ms);
    await this.waits(ms);
  }

  /**
   * Waits until the caller has heard this: words that are spoken, or the URL of a file that is played. Text matches in
   * either case. What was heard since the last match counts. Resolves with what was said.
   */
  async hears(expected: string | RegExp, patience?: Patience): Promise<string> {
    return await this.#ear.hears(expected, patience);
  }

  /** Does nothing for so long. */
  async waits(duration: Duration): Promise<void> {
    await passing(milliseconds(duration), this.#parts.clock, this.#parts.pace);
  }

  /** Puts the call on hold: no audio either way. */
  async hold(): Promise<void> {
    this.#mustBeAnswered('be put on hold');
    this.#parts.call.leg.peer.hold();
    await this.#parts.pace.settle();
  }

  async resume(): Promise<void> {
    this.#parts.call.leg.peer.resume();
    await this.#parts.pace.settle();
  }

  /** Hangs up; of a call that rings, gives up. Nothing happens when it is over. `ended` says what came of it. */
  hangup(): void {
    this.#parts.call.leg.peer.hangup();
  }

  /** The call so far, for people: what was heard, pressed, asked and complained about. */
  transcript(): string {
    return this.#parts.transcript.text(this.now, this.#end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangup();
    await this.ended;
  }

  async #waitForEnd(): Promise<CallOutcome> {
    const { pace, call } = this.#parts;
    const wait = await pace.until(() => this.#end !== undefined, LONGEST_CALL_MS);
    const { outcome } = this;
    if (!outcome) {
      const why = `${wait === 'too-late' ? 'after four hours, ' : ''}${whoWaits(call)}`;
      throw new CallExpectation(`the call does not end: ${why}.\n\n${this.transcript()}`);
    }
    return outcome;
  }

  #over() {
    return {
      ended: () => this.#end?.cause,
      whoWaits: () => whoWaits(this.#parts.call),
    };
  }

  #mustBeAnswered(what: string): void {
    const { state } = this.#parts.call.leg;
    if (state === 'answered') return;
    const why =
      state === 'ringing' ? 'nobody has answered yet' : `it is over: ${this.#end?.cause ?? 'hung up'}`;
    throw new CallExpectation(`the caller cannot ${what}: ${why}.\n\n${this.transcript()}`);
  }
}
