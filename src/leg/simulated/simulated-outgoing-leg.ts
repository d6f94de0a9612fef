import type { Clock } from '../../core/clock.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { KeptEvent } from '../../core/kept-event.ts';
import { type LegEndCause, LegEnded, type OutgoingLeg, type PeerAnswer, type PeerProgress } from '../port.ts';
import type { AnyPeer } from './any-peer.ts';
import { SimulatedBase } from './base-leg.ts';

type Headers = Readonly<Record<string, string>>;

/** The far end of a simulated leg that we call. */
export interface SimulatedCallee extends AnyPeer {
  /** A provisional response; `early`: it can be heard. */
  ring(status: number, early: boolean): void;
  answer(headers?: Headers): void;
  /** A final response of 300–699. */
  refuse(status: number, headers?: Headers): void;
  /** BYE. */
  hangup(headers?: Headers): void;
  /** Any other end, such as nobody being there. */
  end(cause: LegEndCause, diagnostic?: Diagnostic): void;
  /** How it was told that the call is over: `cancel` before it answered, `bye` after. */
  readonly dismissed: 'cancel' | 'bye' | undefined;
}

/** A leg that we call: it rings at its peer until the peer answers or refuses, or we give up. */
export class SimulatedOutgoingLeg extends SimulatedBase implements OutgoingLeg {
  readonly peer: SimulatedCallee;
  readonly sipCallId: string;
  readonly answered: Promise<PeerAnswer>;
  readonly #progress = new KeptEvent<[PeerProgress]>();
  #resolveAnswered: (answer: PeerAnswer) => void = () => {};
  #early = false;
  #dismissed: SimulatedCallee['dismissed'];

  constructor(clock: Clock, sipCallId: string) {
    super(clock);
    this.sipCallId = sipCallId;
    this.answered = new Promise((resolve, reject) => {
      this.#resolveAnswered = resolve;
      this.ended.addEventListener('abort', () => reject(this.ended.reason), { once: true });
    });
    this.answered.catch(() => {}); // whoever waits hears of it; nobody has to
    const dismissed = () => this.#dismissed;
    this.peer = {
      ...this.anyPeer,
      ring: (status, early) => this.#ring(status, early),
      answer: (headers = {}) => this.#answer(headers),
      refuse: (status, headers) => {
        if (this.state === 'ringing') this.end(new LegEnded('rejected', status, undefined, headers));
      },
      hangup: (headers) => this.end(new LegEnded('peer-hangup', undefined, undefined, headers)),
      end: (cause, diagnostic) => this.end(new LegEnded(cause, undefined, undefined, {}, diagnostic)),
      get dismissed() {
        return dismissed();
      },
    };
  }

  get onProgress(): OutgoingLeg['onProgress'] {
    return this.#progress.listener;
  }

  set onProgress(listener: OutgoingLeg['onProgress']) {
    this.#progress.listener = listener;
  }

  async answer(): Promise<void> {
    this.ended.throwIfAborted();
    if (this.state === 'ringing') throw new Error('a leg that we call is answered by its peer');
  }

  async reject(): Promise<void> {
    this.ended.throwIfAborted();
    await this.hangup();
  }

  async hangup(): Promise<void> {
    if (this.state === 'ended') return;
    const ringing = this.state === 'ringing';
    this.#dismissed = ringing ? 'cancel' : 'bye';
    this.end(new LegEnded('local-hangup', ringing ? 487 : undefined)); // RFC 3261 §9.2
  }

  async progress(): Promise<void> {
    this.ended.throwIfAborted();
  }

  protected override get audible(): boolean {
    return this.state === 'answered' || (this.state === 'ringing' && this.#early);
  }

  #ring(status: number, early: boolean): void {
    if (this.state !== 'ringing') return;
    this.heard.push({ at: this.at(), kind: 'progress', status });
    this.#early ||= early;
    this.#progress.tell({ status, early });
  }

  #answer(headers: Headers): void {
    if (this.state !== 'ringing') return;
    this.markAnswered();
    this.#resolveAnswered({ headers });
  }
}
