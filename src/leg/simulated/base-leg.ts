import { type Clock, sleep } from '../../core/clock.ts';
import { KeptEvent } from '../../core/kept-event.ts';
import { Mailbox } from '../../core/mailbox.ts';
import {
  type ActiveRecording,
  type AudioClip,
  type Bridge,
  type DtmfKey,
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
import { SpeechFeed } from '../speech-feed.ts';
import type { AnyPeer } from './any-peer.ts';
import type { Heard } from './heard.ts';
import { SimulatedListening } from './listening.ts';
import { SimulatedRecording } from './recording.ts';
import { voiceOf, type Word, wordsOf } from './said.ts';
import { SimulatedBridge } from './simulated-bridge.ts';
import { textIn } from './simulated-clip.ts';
import { SimulatedLine } from './simulated-line.ts';
import { type Sound, Sounds } from './sounds.ts';

const SAMPLES_PER_MS = 8;
/** One key as the media layer sends it: our choice of 100 ms tone and 100 ms gap. */
const KEY_MS = 200;
/** How long a peer takes to answer a REFER. */
const REFER_MS = 500;
/** How long a referral is followed. */
const FOLLOWED_MS = 60_000;
/** Without RTP for so long, an answered leg is over: as an edge has it. */
const MEDIA_TIMEOUT_MS = 120_000;

/** A leg without network and audio: everything takes the time it would take, on the given clock. */
export abstract class SimulatedBase implements Leg {
  readonly heard: Heard[] = [];
  protected readonly clock: Clock;
  readonly #begun: number;
  readonly #ended = new AbortController();
  readonly #listeners = new Set<Mailbox<DtmfKey>>();
  readonly #refers = new KeptEvent<[ReceivedRefer]>();
  readonly #line: SimulatedLine;
  #state: Leg['state'] = 'ringing';
  #bridge: SimulatedBridge<SimulatedBase> | undefined;
  #playing = 0;
  readonly #sounds = new Sounds();
  readonly #waits = new Set<{ readonly what: string }>();
  #heldSince: number | undefined;
  /** Time on hold, before the present one. */
  #heldMs = 0;
  #echoing = false;
  #referral: { readonly status: number; readonly notifies: readonly number[] } = {
    status: 202,
    notifies: [200],
  };

  constructor(clock: Clock) {
    this.clock = clock;
    this.#begun = clock.monotonic();
    this.#line = new SimulatedLine(clock);
  }

  abstract answer(): Promise<void>;
  abstract reject(status: number): Promise<void>;
  abstract hangup(): Promise<void>;
  abstract progress(): Promise<void>;
  /** The peer hears what is played, or is heard: a call that is answered, or has early media. */
  protected abstract get audible(): boolean;

  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get state(): Leg['state'] {
    return this.#state;
  }

  get onRefer(): Leg['onRefer'] {
    return this.#refers.listener;
  }

  set onRefer(listener: Leg['onRefer']) {
    this.#refers.listener = listener;
  }

  async play(clip: AudioClip, signal: AbortSignal, { loop = false }: PlayOptions = {}): Promise<void> {
    const played = { at: this.at(), kind: 'played', clip: clip.id, ms: 0, cut: false } as const;
    const index = this.heard.push(played) - 1;
    const heldBefore = this.#held();
    this.#playing++;
    const ms = clip.pcm.length / SAMPLES_PER_MS;
    const said = textIn(clip);
    const sound = this.#hear(said ?? clip.id, ms, said !== undefined);
    let cut = true;
    try {
      await this.wait(loop ? Number.POSITIVE_INFINITY : ms, signal, `the end of ${clip.id}`);
      cut = false;
    } finally {
      this.#playing--;
      if (sound && cut) sound.cutAt = this.clock.monotonic();
      const onHold = this.#held() - heldBefore;
      const length = cut ? this.at() - played.at : ms;
      this.heard[index] = { ...played, ms: length, cut, ...(onHold > 0 && { onHold }) };
    }
  }

  async sendDigits(digits: string, signal: AbortSignal): Promise<void> {
    this.heard.push({ at: this.at(), kind: 'digits', digits });
    for (const digit of digits) {
      await this.wait(digit === 'w' ? 500 : digit === 'W' ? 1_000 : KEY_MS, signal, 'sending keys');
    }
  }

  async echo(signal: AbortSignal): Promise<never> {
    this.#echoing = true;
    try {
      await this.wait(Number.POSITIVE_INFINITY, signal, 'an echo');
      throw new Error('eternity has passed');
    } finally {
      this.#echoing = false;
    }
  }

  keys(): KeyStream {
    const box = new Mailbox<DtmfKey>();
    this.#listeners.add(box);
    return {
      next: async (signal) => {
        return await this.#awaiting('a key', box.take(this.ended, signal));
      },
      poll: () => box.poll(),
      [Symbol.dispose]: () => this.#listeners.delete(box),
    };
  }

  listen(options: ListenOptions): SpeechStream {
    const feed = new SpeechFeed(this.ended, () => {
      listening.close();
      this.#line.listening.delete(listening);
    });
    const listening: SimulatedListening = new SimulatedListening(this.clock, options, feed);
    if (feed.closed) return feed;
    this.#line.listening.add(listening);
    listening.carry(this.#line.now.inbound === 'speech');
    return feed;
  }

  record(options: RecordOptions): ActiveRecording {
    const at = this.at();
    const recording = new SimulatedRecording(this.clock, options, this.#line.now);
    this.#line.recordings.add(recording);
    const ended = recording.ended.then((end) => {
      this.#line.recordings.delete(recording);
      const { reason, durationMs: ms } = end;
      this.heard.push({ at, kind: 'recorded', sid: options.recordingSid, reason, ms });
      return end;
    });
    if (this.#state === 'ended') recording.end('hangup');
    return {
      ended,
      stop: () => recording.stop(),
      pause: (behavior) => recording.pause(behavior),
      resume: () => recording.resume(),
    };
  }

  bridge(other: Leg): Bridge {
    if (!(other instanceof SimulatedBase)) throw new Error('a simulated leg hears simulated legs only');
    if (other === this) throw new Error('a leg cannot be bridged with itself');
    this.#bridge?.part();
    other.#bridge?.part();
    const bridge = new SimulatedBridge(() => {
      this.#bridge = undefined;
      other.#bridge = undefined;
    }, [this, other]);
    if (this.#state === 'ended' || other.#state === 'ended') return bridge;
    this.#bridge = bridge;
    other.#bridge = bridge;
    return bridge;
  }

  async refer({ uri }: ReferTarget, signal: AbortSignal): Promise<ReferOutcome> {
    this.heard.push({ at: this.at(), kind: 'referred', uri });
    const { status, notifies } = this.#referral;
    await this.wait(REFER_MS, signal, 'the answer to a REFER');
    const notified = notifies.at(-1);
    if (status < 300 && (notified === undefined || notified < 200))
      await this.wait(FOLLOWED_MS, signal, 'the outcome of a REFER');
    return { status, notified };
  }

  /** What somebody waits for on this leg, in a few words each. */
  get waiting(): readonly string[] {
    return [...this.#waits].map(({ what }) => what);
  }

  async #awaiting<T>(what: string, wait: Promise<T>): Promise<T> {
    const waiting = { what };
    this.#waits.add(waiting);
    try {
      return await wait;
    } finally {
      this.#waits.delete(waiting);
    }
  }

  /** Milliseconds since the leg began. */
  protected at(): number {
    return this.clock.monotonic() - this.#begun;
  }

  protected async wait(ms: number, signal: AbortSignal, what: string): Promise<void> {
    this.ended.throwIfAborted();
    if (!this.audible) throw new Error('a leg that still rings cannot play anything');
    await this.#awaiting(what, sleep(this.clock, ms, [this.ended, signal], what));
  }

  protected markAnswered(): void {
    this.#state = 'answered';
    this.heard.push({ at: this.at(), kind: 'answered' });
  }

  protected get anyPeer(): AnyPeer {
    return {
      press: (key) => this.#press(key),
      speak: (ms, word = 'speech') => this.#speak(ms, word, [{ ms }]),
      say: (text, ms, confidence) => this.#speak(ms, text, wordsOf(text, ms, confidence), text),
      vanish: (ms) => this.#vanish(ms),
      hold: () => this.#hold(),
      resume: () => this.#resume(),
      sounds: this.#sounds,
      refer: (referTo) => this.#askFor(referTo),
      whenReferred: (status, notifies) => {
        this.#referral = { status, notifies };
      },
    };
  }

  protected end(end: LegEnded): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.heard.push({ at: this.at(), kind: 'ended', cause: end.cause, sipStatus: end.sipStatus });
    this.#bridge?.part();
    for (const recording of this.#line.recordings) recording.end('hangup');
    this.#ended.abort(end);
  }

  #press(key: DtmfKey): void {
    if (this.#state !== 'answered') return;
    const onHold = this.#heldSince !== undefined && { onHold: true as const };
    this.heard.push({ at: this.at(), kind: 'pressed', key, ...onHold });
    if (onHold) return;
    for (const box of this.#listeners) box.put(key);
    const other = this.#bridge?.otherThan(this);
    if (other && other.#heldSince === undefined) other.heard.push({ at: other.at(), kind: 'key', key });
  }

  #speak(ms: number, said: string, words: readonly Word[], text?: string): void {
    const onHold = this.#heldSince !== undefined && { onHold: true as const };
    this.heard.push({
      at: this.at(),
      kind: 'spoke',
      ms,
      ...(text !== undefined && { said: text }),
      ...onHold,
    });
    if (onHold) return;
    const stretch = this.#line.stretch('inbound') + 1;
    let spoken = 0;
    for (const word of words) {
      spoken += word.ms;
      this.clock.after(spoken, () => {
        if (stretch === this.#line.stretch('inbound')) this.#line.voice(voiceOf(word.ms, word.said));
      });
    }
    this.#line.carry('inbound', 'speech', ms);
    const other = this.#echoing ? this : this.#bridge?.otherThan(this);
    if (!other || !this.audible || !other.audible || other.#playing > 0) return;
    if (other.#heldSince !== undefined || (other.#echoing && other !== this)) return;
    other.heard.push({ at: other.at(), kind: other === this ? 'echo' : 'voice', said, ms });
    other.#hear(said, ms, true);
    other.#line.carry('outbound', 'speech', ms);
  }

  #askFor(referTo: string): void {
    if (this.#state !== 'answered') return;
    this.heard.push({ at: this.at(), kind: 'asked-for', referTo });
    this.#refers.tell({
      referTo,
      notify: async (status) => {
        if (this.#state !== 'ended') this.heard.push({ at: this.at(), kind: 'notified', status });
      },
    });
  }

  /** What its peer begins to hear, unless it is on hold. */
  #hear(text: string, ms: number, spoken: boolean): Sound | undefined {
    if (this.#heldSince !== undefined) return undefined;
    return this.#sounds.add({ at: this.clock.monotonic(), text, ms, spoken });
  }

  #vanish(ms: number): void {
    if (this.#heldSince !== undefined) return;
    const stretch = this.#line.carry('inbound', 'no-rtp', ms);
    if (ms < MEDIA_TIMEOUT_MS) return;
    this.clock.after(MEDIA_TIMEOUT_MS, () => {
      if (stretch === this.#line.stretch('inbound') && this.audible) this.end(new LegEnded('media-timeout'));
    });
  }

  #hold(): void {
    if (this.#state !== 'answered' || this.#heldSince !== undefined) return;
    this.heard.push({ at: this.at(), kind: 'held' });
    this.#heldSince = this.at();
    this.#line.begin('inbound', 'no-rtp');
  }

  #resume(): void {
    if (this.#state !== 'answered' || this.#heldSince === undefined) return;
    this.heard.push({ at: this.at(), kind: 'resumed' });
    this.#heldMs = this.#held();
    this.#heldSince = undefined;
    this.#line.set('inbound', 'silence');
  }

  /** How long it has been on hold. */
  #held(): number {
    return this.#heldMs + (this.#heldSince === undefined ? 0 : this.at() - this.#heldSince);
  }
}
