import { type Clock, sleep, type VirtualClock } from '../../../src/core/clock.ts';
import type {
  ActiveRecording,
  AudioClip,
  DtmfKey,
  ListenOptions,
  PlayOptions,
  RecordingEnd,
  RecordOptions,
  SpeechListener,
} from '../../../src/leg/port.ts';
import type { MediaFormat } from '../../../src/media/format.ts';
import type { MediaHost, MediaLeg } from '../../../src/media/threads/port.ts';

/** A media host without samples: sounds are words. It knows how long things take and what was asked of it. */
export class FakeMediaHost implements MediaHost {
  readonly inner = { address: '127.0.0.1', port: 41_000 };
  readonly opened: Parameters<MediaHost['open']>[0][] = [];
  readonly legs: FakeMediaLeg[] = [];
  onFailed: MediaHost['onFailed'];
  /** Told what leaves for a peer: the clip that is played to it, or else what the other leg's peer says. */
  readonly sinks: ((handle: number, sound: string) => void)[] = [];
  /** Thrown instead of opening a leg. */
  failure: Error | undefined;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  open(leg: Parameters<MediaHost['open']>[0]): MediaLeg {
    if (this.failure) throw this.failure;
    const media = new FakeMediaLeg(this.#clock, leg.format);
    media.onSent = (sound) => {
      for (const sink of this.sinks) sink(leg.handle, sound);
    };
    this.opened.push(leg);
    this.legs.push(media);
    return media;
  }

  elapse(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  async census() {
    const open = this.legs.filter((leg) => !leg.closed);
    return { legs: open.length, recordings: 0, clips: 0 };
  }

  async close(): Promise<void> {}
}

interface FakeRecording {
  readonly options: RecordOptions;
  heard: boolean;
  end(reason: RecordingEnd['reason']): void;
}

export class FakeMediaLeg implements MediaLeg {
  onKey: ((key: DtmfKey) => void) | undefined;
  onSent: ((sound: string) => void) | undefined;
  onBridged: (() => void) | undefined;
  format: MediaFormat;
  readonly played: { readonly id: string; finished: boolean }[] = [];
  readonly sent: string[] = [];
  readonly paused: ('skip' | 'silence' | 'resumed')[] = [];
  closes = 0;
  /** Whom its peer hears. */
  other: FakeMediaLeg | undefined;
  echoing = false;
  #playing = 0;
  readonly #clock: Clock;
  readonly #recordings = new Set<FakeRecording>();
  readonly listeners = new Set<SpeechListener>();

  constructor(clock: Clock, format: MediaFormat) {
    this.#clock = clock;
    this.format = format;
  }

  get closed(): boolean {
    return this.closes > 0;
  }

  get playing(): boolean {
    return this.#playing > 0;
  }

  get recordings(): number {
    return this.#recordings.size;
  }

  /** The peer says something: a stretch of 20 ms. */
  receive(sound: string): void {
    this.#capture('inbound');
    for (const listener of this.listeners) {
      listener.began();
      listener.audio(new Int16Array(160));
      listener.ended('pause');
    }
    this.other?.send(sound);
  }

  /** The peer presses a key. */
  receiveKey(key: DtmfKey): void {
    this.onKey?.(key);
    this.other?.send(`key ${key}`);
  }

  send(sound: string): void {
    if (this.closed || this.playing) return;
    this.#capture('outbound');
    this.onSent?.(sound);
  }

  #capture(track: 'inbound' | 'outbound'): void {
    for (const recording of this.#recordings) {
      const { track: wanted = 'inbound' } = recording.options;
      if (wanted === track || wanted === 'both') recording.heard = true;
    }
  }

  bridge(other: MediaLeg): void {
    if (!(other instanceof FakeMediaLeg) || this.closed || other.closed)
      throw new Error('not a leg of this host');
    this.unbridge();
    other.unbridge();
    this.other = other;
    other.other = this;
    this.onBridged?.();
  }

  unbridge(): void {
    const { other } = this;
    this.other = undefined;
    if (other?.other === this) other.other = undefined;
  }

  echo(on: boolean): void {
    this.echoing = on;
  }

  async play(clip: AudioClip, signal: AbortSignal, { loop = false }: PlayOptions = {}): Promise<void> {
    signal.throwIfAborted();
    const entry = { id: clip.id, finished: false };
    this.played.push(entry);
    if (clip.pcm.some((sample) => sample !== 0)) this.send(clip.id);
    this.#playing++;
    try {
      await sleep(this.#clock, loop ? Number.POSITIVE_INFINITY : clip.pcm.length / 8, signal);
      entry.finished = true;
    } finally {
      this.#playing--;
    }
  }

  async sendDigits(digits: string, signal: AbortSignal): Promise<void> {
    for (const digit of digits) {
      const ms = digit === 'w' ? 500 : digit === 'W' ? 1_000 : 160;
      await sleep(this.#clock, ms, signal);
      this.sent.push(digit);
    }
  }

  listen(_options: ListenOptions, listener: SpeechListener): Disposable {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => this.listeners.delete(listener) };
  }

  record(options: RecordOptions): ActiveRecording {
    const started = this.#clock.monotonic();
    let finish: (end: RecordingEnd) => void = () => {};
    const ended = new Promise<RecordingEnd>((resolve) => {
      finish = resolve;
    });
    const recording: FakeRecording = {
      options,
      heard: false,
      end: (reason) => {
        if (!this.#recordings.delete(recording)) return;
        timer.cancel();
        const durationMs = this.#clock.monotonic() - started;
        const { channels = 1 } = options;
        const path = this.spoolPath(options.recordingSid);
        finish({ reason, durationMs, storedMs: durationMs, channels, silent: !recording.heard, path });
      },
    };
    const timer = this.#clock.after(options.maxLengthMs, () => recording.end('max-length'));
    this.#recordings.add(recording);
    return {
      ended,
      stop: () => recording.end('stopped'),
      pause: (behavior) => this.paused.push(behavior),
      resume: () => this.paused.push('resumed'),
    };
  }

  spoolPath(recordingSid: string): string {
    return `/spool/${recordingSid}.wav`;
  }

  configure(format: MediaFormat): void {
    this.format = format;
  }

  async close(): Promise<void> {
    this.closes++;
    this.unbridge();
    for (const recording of [...this.#recordings]) recording.end('hangup');
  }
}
