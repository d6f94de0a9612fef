import { abortable, link } from '../core/abort.ts';
import { KeptEvent } from '../core/kept-event.ts';
import {
  type ActiveRecording,
  type AudioClip,
  type Bridge,
  type KeyStream,
  type Leg,
  LegEnded,
  type ListenOptions,
  type OutgoingLeg,
  type PeerAnswer,
  type PeerProgress,
  type PlayOptions,
  type RecordOptions,
  type ReferOutcome,
  type ReferTarget,
  type SpeechStream,
} from './port.ts';

/**
 * The leg of a call that has no peer of its own: what is played to it is heard by the peer of the leg that lends itself,
 * and the keys and the voice of that peer are its. It rings, is answered and ends by itself; it ends with its lender,
 * and its own end leaves the lender alone.
 *
 * For the call that runs on it, it is a leg that calls: `answer` waits until the lender's call is answered and
 * listening, which `join` tells. For the call that made it, it is one that was called.
 */
export class LentLeg implements OutgoingLeg {
  readonly sipCallId = '';
  readonly answered: Promise<PeerAnswer>;
  /** Never told: a REFER of the peer asks the lender's call. */
  onRefer: Leg['onRefer'];
  readonly #lender: Leg;
  readonly #onAnswer: () => void;
  readonly #ending = new AbortController();
  readonly #progress = new KeptEvent<[PeerProgress]>();
  readonly #bridges = new Set<Bridge>();
  /** Each ends a recording that runs. There may be many: they do not listen to `ended` one by one. */
  readonly #cuts = new Set<() => void>();
  readonly #audible: Promise<void>;
  readonly #connected: Promise<void>;
  #resolveAnswered: (answer: PeerAnswer) => void = () => {};
  #rejectAnswered: (end: LegEnded) => void = () => {};
  #beAudible: () => void = () => {};
  #beConnected: () => void = () => {};
  #isAnswered = false;

  /** `onAnswer` is called at the moment of its answer, before anybody who waits for it learns of it. */
  constructor(lender: Leg, onAnswer: () => void) {
    this.#lender = lender;
    this.#onAnswer = onAnswer;
    this.#audible = new Promise((resolve) => {
      this.#beAudible = resolve;
    });
    this.#connected = new Promise((resolve) => {
      this.#beConnected = resolve;
    });
    this.answered = new Promise((resolve, reject) => {
      this.#resolveAnswered = resolve;
      this.#rejectAnswered = reject;
    });
    this.answered.catch(() => {}); // whoever waits hears of it; nobody has to
    if (lender.ended.aborted) this.#lenderEnded();
    else lender.ended.addEventListener('abort', this.#lenderEnded, { once: true });
  }

  get ended(): AbortSignal {
    return this.#ending.signal;
  }

  get state(): Leg['state'] {
    if (this.ended.aborted) return 'ended';
    return this.#isAnswered ? 'answered' : 'ringing';
  }

  get onProgress(): OutgoingLeg['onProgress'] {
    return this.#progress.listener;
  }

  set onProgress(listener: OutgoingLeg['onProgress']) {
    this.#progress.listener = listener;
  }

  /** The lender's peer hears what is played from now on, before the answer (`early`) or connected to it. */
  join(stage: 'early' | 'connected'): Bridge {
    this.#beAudible();
    if (stage === 'connected') this.#beConnected();
    return { end: async () => {} }; // nothing was joined that would have to part
  }

  async answer(): Promise<void> {
    this.ended.throwIfAborted();
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      this.#onAnswer();
      this.#resolveAnswered({ headers: {} });
    }
    await abortable(this.#connected, this.ended);
  }

  async reject(status: number): Promise<void> {
    this.ended.throwIfAborted();
    this.end(this.#isAnswered ? new LegEnded('local-hangup') : new LegEnded('rejected', status));
  }

  async hangup(): Promise<void> {
    this.end(new LegEnded('local-hangup'));
  }

  /** Ends it. Does nothing when it is over. */
  end(end: LegEnded): void {
    if (this.ended.aborted) return;
    this.#lender.ended.removeEventListener('abort', this.#lenderEnded);
    this.#ending.abort(end);
    this.#rejectAnswered(end);
    for (const cut of this.#cuts) cut();
    this.#cuts.clear();
    for (const bridge of this.#bridges) bridge.end().catch(() => {}); // it is over in any case
    this.#bridges.clear();
  }

  async play(clip: AudioClip, signal: AbortSignal, options?: PlayOptions): Promise<void> {
    using playing = link(this.ended, signal);
    await abortable(this.#audible, playing.signal);
    await this.#lender.play(clip, playing.signal, options);
  }

  async sendDigits(digits: string, signal: AbortSignal): Promise<void> {
    using sending = link(this.ended, signal);
    await abortable(this.#audible, sending.signal);
    await this.#lender.sendDigits(digits, sending.signal);
  }

  async echo(signal: AbortSignal): Promise<never> {
    using echoing = link(this.ended, signal);
    await abortable(this.#audible, echoing.signal);
    return await this.#lender.echo(echoing.signal);
  }

  keys(): KeyStream {
    const keys = this.#lender.keys();
    return {
      next: async (signal) => {
        using waiting = link(this.ended, signal);
        return await keys.next(waiting.signal);
      },
      poll: () => keys.poll(),
      [Symbol.dispose]: () => keys[Symbol.dispose](),
    };
  }

  listen(options: ListenOptions): SpeechStream {
    const speech = this.#lender.listen(options);
    return {
      next: async (signal) => {
        using waiting = link(this.ended, signal);
        return await speech.next(waiting.signal);
      },
      [Symbol.dispose]: () => speech[Symbol.dispose](),
    };
  }

  record(options: RecordOptions): ActiveRecording {
    const recording = this.#lender.record(options);
    let isCut = false;
    const cut = () => {
      isCut = true;
      recording.stop();
    };
    if (this.ended.aborted) cut();
    else this.#cuts.add(cut);
    const ended = recording.ended.then((end) => {
      this.#cuts.delete(cut);
      return isCut && end.reason === 'stopped' ? { ...end, reason: 'hangup' as const } : end;
    });
    return {
      ended,
      stop: () => {
        this.#cuts.delete(cut);
        recording.stop();
      },
      pause: (behavior) => recording.pause(behavior),
      resume: () => recording.resume(),
    };
  }

  /** Whoever made its call lets the peer hear it, where that is possible. */
  async progress(): Promise<void> {
    this.ended.throwIfAborted();
    if (!this.#isAnswered) this.#progress.tell({ status: 183, early: true });
  }

  bridge(other: Leg): Bridge {
    if (this.ended.aborted) return { end: async () => {} };
    const bridge = this.#lender.bridge(other);
    this.#bridges.add(bridge);
    return {
      end: async () => {
        this.#bridges.delete(bridge);
        await bridge.end();
      },
    };
  }

  async refer(target: ReferTarget, signal: AbortSignal): Promise<ReferOutcome> {
    using asking = link(this.ended, signal);
    return await this.#lender.refer(target, asking.signal);
  }

  readonly #lenderEnded = () => {
    const { reason } = this.#lender.ended;
    this.end(reason instanceof LegEnded ? reason : new LegEnded('local-hangup'));
  };
}
