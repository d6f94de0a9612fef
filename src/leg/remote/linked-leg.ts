import type { CallLink, CommandResult } from '../../control/link.ts';
import type { LegCommand } from '../../control/protocol.ts';
import { link as linkSignals } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import type { MediaHost } from '../../media/threads/port.ts';
import {
  type ActiveRecording,
  type AudioClip,
  type Bridge,
  type KeyStream,
  type Leg,
  LegEnded,
  type ListenOptions,
  type PlayOptions,
  type ReceivedRefer,
  type RecordOptions,
  type ReferOutcome,
  type ReferTarget,
  type SpeechStream,
} from '../port.ts';
import { carriedOut } from './carried-out.ts';
import { LegLine } from './leg-line.ts';
import { Referral } from './referral.ts';
import { RemoteBridge } from './remote-bridge.ts';

/** A leg whose dialog is at an edge: commands go over the control channel, audio over the inner hop. */
export interface RemoteLeg extends Leg {
  /**
   * Resolves when its recordings are complete and nothing of it is left in the media host. A leg that still runs
   * ends here with `local-hangup`; the edge learns of it when the call is released.
   */
  close(): Promise<void>;
}

/** What both kinds of remote legs do: those that call us and those that we call. */
export abstract class LinkedLeg implements RemoteLeg {
  protected readonly clock: Clock;
  protected readonly line: LegLine;
  readonly #ending = new AbortController();
  #referral: Referral | undefined;
  #onRefer: Leg['onRefer'];

  protected constructor(clock: Clock) {
    this.clock = clock;
    this.line = new LegLine(this.#ending.signal);
  }

  abstract answer(): Promise<void>;
  abstract reject(status: number, phrase?: string): Promise<void>;
  abstract progress(): Promise<void>;
  /** Has the edge do it, as soon as it has the call. */
  protected abstract command(command: LegCommand): Promise<CommandResult>;

  get ended(): AbortSignal {
    return this.line.ended;
  }

  get state(): Leg['state'] {
    if (this.ended.aborted) return 'ended';
    return this.line.answered ? 'answered' : 'ringing';
  }

  async hangup(): Promise<void> {
    if (this.ended.aborted) return;
    await this.endWith({ verb: 'hangup' }, new LegEnded('local-hangup'));
  }

  play(clip: AudioClip, signal: AbortSignal, options?: PlayOptions): Promise<void> {
    return this.line.play(clip, signal, options);
  }

  sendDigits(digits: string, signal: AbortSignal): Promise<void> {
    return this.line.sendDigits(digits, signal);
  }

  keys(): KeyStream {
    return this.line.keys();
  }

  listen(options: ListenOptions): SpeechStream {
    return this.line.listen(options);
  }

  echo(signal: AbortSignal): Promise<never> {
    return this.line.echo(signal);
  }

  record(options: RecordOptions): ActiveRecording {
    return this.line.record(options);
  }

  bridge(other: Leg): Bridge {
    if (!(other instanceof LinkedLeg) || other === this) {
      throw new Error('a remote leg can be bridged with another remote leg only');
    }
    return RemoteBridge.between(this.line, other.line, this.clock);
  }

  get onRefer(): Leg['onRefer'] {
    return this.#onRefer;
  }

  set onRefer(listener: Leg['onRefer']) {
    this.#onRefer = listener;
    this.#hearRefers();
  }

  async refer({ uri }: ReferTarget, signal: AbortSignal): Promise<ReferOutcome> {
    using either = linkSignals(this.ended, signal);
    either.signal.throwIfAborted();
    const referral = new Referral(this.clock);
    this.#referral = referral; // NOTIFYs may overtake the answer to the REFER
    const asked = this.command({ verb: 'refer', to: uri }).then(
      ({ status }) => status ?? UNANSWERED,
      () => UNANSWERED, // the edge could not ask
    );
    try {
      return await referral.outcome(asked, either.signal);
    } finally {
      if (this.#referral === referral) this.#referral = undefined;
    }
  }

  close(): Promise<void> {
    if (!this.ended.aborted) this.end(new LegEnded('local-hangup'));
    return this.line.close();
  }

  /** Follows the call at the edge; throws when the media host is of no more use. */
  protected follow(link: CallLink, host: MediaHost): void {
    this.line.openWith(link, host);
    link.onReferred = (status, final) => this.#referral?.notified(status, final);
    this.#hearRefers();
  }

  /** The leg is over for us as soon as we say so. */
  protected async endWith(command: LegCommand, end: LegEnded): Promise<void> {
    const sent = this.command(command);
    this.end(end);
    await carriedOut(sent, this.clock);
  }

  protected end(end: LegEnded): void {
    if (this.ended.aborted) return;
    this.#ending.abort(end);
    this.line.close().catch(() => {}); // whoever calls `close` hears of it
  }

  /** The link keeps REFERs until somebody listens to this leg. */
  #hearRefers(): void {
    const link = this.line.open?.link;
    const listener = this.#onRefer;
    if (!link) return;
    link.onRefer = listener && ((referTo) => listener(this.#received(link, referTo)));
  }

  #received(link: CallLink, referTo: string): ReceivedRefer {
    return {
      referTo,
      async notify(status) {
        await link.command({ verb: 'notify', status }).catch(() => {}); // nobody is left to be told
      },
    };
  }
}

/** The peer did not answer the REFER: as a request timeout, RFC 3261 §8.1.3.1. */
const UNANSWERED = 408;
