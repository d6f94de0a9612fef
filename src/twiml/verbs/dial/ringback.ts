import { link } from '../../../core/abort.ts';
import type { Bridge, Leg } from '../../../leg/port.ts';
import { type RingToneCountry, ringTone } from '../../../media/ring-tones.ts';
import type { ChildCall } from '../ports.ts';

/** What a caller hears whose `ringTone` is not given. Our choice: the tone that most callers of Twilio know. */
const STANDARD_TONE: RingToneCountry = 'us';

/**
 * What the caller hears until somebody is connected: a ring tone, or the called party's own audio. A caller that
 * still rings hears its own telephone's tone, unless there is audio of the called party or a tone was asked for.
 */
export class Ringback {
  readonly #leg: Leg;
  readonly #asked: RingToneCountry | undefined;
  readonly #rings: boolean;
  #playing: { readonly done: Promise<void>; stop(): void } | undefined;
  #early: Bridge | undefined;
  /** A caller's telephone that was sent audio makes no tone of its own any more. */
  #heardEarly = false;
  /** Changes one after the other: a bridge takes a moment. */
  #last: Promise<void> = Promise.resolve();
  #over = false;

  /** Where nothing `rings`, only a tone that was asked for is heard. */
  constructor(leg: Leg, asked: RingToneCountry | undefined, rings: boolean) {
    this.#leg = leg;
    this.#asked = asked;
    this.#rings = rings;
  }

  /** The ring tone, from now on. */
  ring(): Promise<void> {
    return this.#change(async () => {
      if (this.#over || (this.#playing && !this.#early)) return;
      if (!this.#rings && this.#asked === undefined) return;
      await this.#endEarly();
      if (this.#leg.state === 'ringing') {
        if (this.#asked === undefined && !this.#heardEarly) return;
        await this.#leg.progress();
      }
      this.#play(this.#asked ?? STANDARD_TONE);
    });
  }

  /** The party's audio before it answers, unless a ring tone was asked for. */
  carry(child: ChildCall): Promise<void> {
    return this.#change(async () => {
      if (this.#over || this.#asked !== undefined || this.#early) return;
      await this.#leg.progress();
      this.#heardEarly = true;
      await this.#silence();
      this.#early = child.join?.('early') ?? this.#leg.bridge(child.leg);
    });
  }

  /** Nothing, for good. */
  async end(): Promise<void> {
    const early = await this.release();
    await early?.end();
  }

  /** No ring tone any more, for good: the bridge that carried the party's audio, which goes on without a gap. */
  async release(): Promise<Bridge | undefined> {
    this.#over = true;
    await this.#change(() => this.#silence());
    const early = this.#early;
    this.#early = undefined;
    return early;
  }

  #change(work: () => Promise<void>): Promise<void> {
    // A caller who hangs up meanwhile is noticed by whoever waits for the call.
    this.#last = this.#last.then(work).catch(() => {});
    return this.#last;
  }

  #play(country: RingToneCountry): void {
    const stopping = link(this.#leg.ended);
    const tone = this.#leg.play(ringTone(country), stopping.signal, { loop: true });
    this.#playing = {
      done: tone.catch(() => {}).finally(() => stopping[Symbol.dispose]()), // it ends by being stopped
      stop: () => stopping.abort(),
    };
  }

  async #silence(): Promise<void> {
    this.#playing?.stop();
    await this.#playing?.done;
    this.#playing = undefined;
  }

  async #endEarly(): Promise<void> {
    const early = this.#early;
    this.#early = undefined;
    await early?.end();
  }
}
