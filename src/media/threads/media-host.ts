import { statSync } from 'node:fs';
import { join } from 'node:path';
import type {
  ActiveRecording,
  AudioClip,
  ListenOptions,
  PlayOptions,
  RecordingEnd,
  RecordOptions,
  SpeechListener,
} from '../../leg/port.ts';
import type { Endpoint, MediaFormat } from '../format.ts';
import { msOfSamples } from '../frame.ts';
import { wrongDigit } from '../stream/digit-frames.ts';
import { channelsOf } from '../stream/recorder.ts';
import { WAV_HEADER_BYTES } from '../wav.ts';
import { ClipCache } from './clip-cache.ts';
import { Listeners } from './listeners.ts';
import type { MediaCommand, MediaReport, MediaThreadData } from './messages.ts';
import type { MediaHost, MediaLeg } from './port.ts';
import { Pending, Thread } from './thread.ts';

export interface MediaHostOptions extends MediaThreadData {
  /** The compiled worker script that calls `runMediaThread`. */
  readonly script: URL;
  /** Bytes of clips the thread keeps for the next time they are played. Default: 64 MiB, over an hour of audio. */
  readonly clipBytes?: number;
}

const CLIP_BYTES = 64 * 2 ** 20;

/** Starts a worker's media thread; rejects when its inner socket cannot be bound on `address`. */
export async function createMediaHost(options: MediaHostOptions): Promise<MediaHost> {
  return ThreadedMediaHost.start(options);
}

class ThreadedMediaHost implements MediaHost {
  onFailed: ((error: Error) => void) | undefined;
  readonly #spoolDir: string;
  readonly #thread: Thread<MediaCommand, MediaReport>;
  readonly #clips: ClipCache;
  readonly #ready = new Pending<Endpoint>();
  readonly #playing = new Pending<void>();
  readonly #recording = new Pending<RecordingEnd>();
  readonly #listening: Listeners;
  readonly #closing = new Pending<void>();
  readonly #counting = new Pending<{ legs: number; recordings: number; clips: number }>();
  readonly #legs = new Map<number, ThreadedMediaLeg>();
  readonly #started: Promise<void>;
  #inner: Endpoint | undefined;
  #nextLeg = 1;
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;

  static async start(options: MediaHostOptions): Promise<MediaHost> {
    const host = new ThreadedMediaHost(options);
    await host.#started;
    return host;
  }

  private constructor(options: MediaHostOptions) {
    const { script, address, spoolDir } = options;
    this.#spoolDir = spoolDir;
    this.#started = this.#ready.begin().answer.then((inner) => {
      this.#inner = inner;
    });
    const data: MediaThreadData = { address, spoolDir };
    this.#thread = new Thread(
      script,
      data,
      (report) => this.#heard(report),
      (error) => this.#failed(error),
    );
    this.#listening = new Listeners((command) => this.#thread.post(command));
    this.#clips = new ClipCache(
      options.clipBytes ?? CLIP_BYTES,
      (clip, pcm) => this.#thread.post({ type: 'clip', clip, pcm }),
      (clip) => this.#thread.post({ type: 'drop-clip', clip }),
    );
  }

  get inner(): Endpoint {
    if (!this.#inner) throw new Error('the media host has not started');
    return this.#inner;
  }

  open(leg: { readonly handle: number; readonly edge: Endpoint; readonly format: MediaFormat }): MediaLeg {
    this.#check();
    const id = this.#nextLeg++;
    const { handle, edge, format } = leg;
    this.#thread.post({ type: 'open', leg: id, handle, edge, format });
    const opened = new ThreadedMediaLeg(id, this.#links(id));
    this.#legs.set(id, opened);
    return opened;
  }

  async census(): Promise<{ readonly legs: number; readonly recordings: number; readonly clips: number }> {
    this.#check();
    const { request, answer } = this.#counting.begin();
    this.#thread.post({ type: 'census', request });
    return answer;
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    await Promise.allSettled([...this.#legs.values()].map((leg) => leg.close()));
    await this.#thread.terminate();
    this.#rejectAll(new Error('the media host is closed'));
  }

  #links(id: number): LegLinks {
    return {
      post: (command) => this.#thread.post(command),
      begin: () => {
        if (this.#failure) throw this.#failure;
        return this.#playing.begin();
      },
      settle: (request, error) => this.#playing.reject(request, error),
      hold: (clip) => this.#clips.hold(clip),
      listen: (options, listener) => this.#listening.add(id, options, listener),
      record: (options) => this.#record(id, options),
      isOpen: (leg) => this.#legs.get(leg.id) === leg,
      close: () => this.#closeLeg(id),
    };
  }

  async #closeLeg(id: number): Promise<void> {
    this.#legs.delete(id);
    if (this.#failure) return;
    const { request, answer } = this.#closing.begin();
    this.#thread.post({ type: 'close', request, leg: id });
    await answer.catch(() => {}); // the thread died: nothing is left to close
  }

  #record(leg: number, options: RecordOptions): ActiveRecording {
    if (this.#failure) return overAlready(this.#rescued(options, this.#failure));
    const { request, answer } = this.#recording.begin();
    this.#thread.post({ type: 'record', request, leg, options });
    return {
      ended: answer.catch((error: unknown) => this.#rescued(options, error)),
      stop: () => this.#thread.post({ type: 'stop', request, leg }),
      pause: (behavior) => this.#thread.post({ type: 'pause', request, leg, behavior }),
      resume: () => this.#thread.post({ type: 'resume', request, leg }),
    };
  }

  /** What a recording came to whose thread died: the spool file is valid up to the last second written. */
  #rescued(options: RecordOptions, error: unknown): RecordingEnd {
    const path = join(this.#spoolDir, `${options.recordingSid}.wav`);
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const channels = channelsOf(options);
    const storedMs = msOfSamples(Math.floor(Math.max(0, bytes - WAV_HEADER_BYTES) / (2 * channels)));
    return {
      reason: 'failed',
      durationMs: storedMs,
      storedMs,
      channels,
      silent: storedMs === 0,
      path: storedMs > 0 ? path : undefined,
      error: error instanceof Error ? error.message : String(error),
    };
  }

  #heard(report: MediaReport): void {
    switch (report.type) {
      case 'ready':
        this.#ready.resolve(1, report.inner);
        break;
      case 'played':
        this.#playing.resolve(report.request, undefined);
        break;
      case 'recorded':
        this.#recording.resolve(report.request, report.end);
        break;
      case 'speech':
        this.#listening.heard(report.request, report.speech);
        break;
      case 'closed':
        this.#closing.resolve(report.request, undefined);
        break;
      case 'counted':
        this.#counting.resolve(report.request, report.census);
        break;
      case 'key':
        this.#legs.get(report.leg)?.onKey?.(report.key);
        break;
    }
  }

  #failed(error: Error): void {
    this.#failure = error;
    this.#rejectAll(error);
    this.onFailed?.(error);
  }

  #rejectAll(error: Error): void {
    this.#listening.fail();
    for (const pending of [this.#ready, this.#playing, this.#recording, this.#closing, this.#counting]) {
      pending.rejectAll(error);
    }
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closed !== undefined) throw new Error('the media host is closed');
  }
}

function overAlready(end: RecordingEnd): ActiveRecording {
  return { ended: Promise.resolve(end), stop() {}, pause() {}, resume() {} };
}

/** What a leg needs of its host. */
interface LegLinks {
  post(command: MediaCommand): void;
  begin(): { readonly request: number; readonly answer: Promise<void> };
  settle(request: number, error: unknown): void;
  hold(clip: AudioClip): () => void;
  listen(options: ListenOptions, listener: SpeechListener): Disposable;
  record(options: RecordOptions): ActiveRecording;
  /** Whether it is a leg of this host's that has not been closed. */
  isOpen(leg: ThreadedMediaLeg): boolean;
  close(): Promise<void>;
}

class ThreadedMediaLeg implements MediaLeg {
  onKey: MediaLeg['onKey'];
  readonly id: number;
  readonly #links: LegLinks;
  readonly #playing = new Set<number>();
  #closed: Promise<void> | undefined;

  constructor(id: number, links: LegLinks) {
    this.id = id;
    this.#links = links;
  }

  async play(clip: AudioClip, signal: AbortSignal, options: PlayOptions = {}): Promise<void> {
    signal.throwIfAborted();
    this.#check();
    const release = this.#links.hold(clip);
    try {
      const [leg, loop] = [this.id, options.loop === true];
      await this.#send(signal, (request) => ({ type: 'play', request, leg, clip: clip.id, loop }));
    } finally {
      release();
    }
  }

  async sendDigits(digits: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#check();
    const wrong = wrongDigit(digits);
    if (wrong !== undefined) {
      throw new RangeError(`"${wrong}" in "${digits}" cannot be sent: expected 0-9 * # A-D w W`);
    }
    if (digits === '') return;
    await this.#send(signal, (request) => ({ type: 'digits', request, leg: this.id, digits }));
  }

  bridge(other: MediaLeg): void {
    if (!(other instanceof ThreadedMediaLeg) || !(other.#closed || this.#links.isOpen(other))) {
      throw new Error('only legs of the same media host can be bridged here');
    }
    if (this.#closed || other.#closed) return; // closing one of them would end the bridge
    this.#links.post({ type: 'bridge', leg: this.id, other: other.id });
  }

  echo(on: boolean): void {
    if (!this.#closed) this.#links.post({ type: 'echo', leg: this.id, on });
  }

  unbridge(): void {
    if (!this.#closed) this.#links.post({ type: 'unbridge', leg: this.id });
  }

  configure(format: MediaFormat): void {
    if (!this.#closed) this.#links.post({ type: 'configure', leg: this.id, format });
  }

  listen(options: ListenOptions, listener: SpeechListener): Disposable {
    this.#check();
    return this.#links.listen(options, listener);
  }

  record(options: RecordOptions): ActiveRecording {
    this.#check();
    return this.#links.record(options);
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = this.#links.close();
      for (const request of this.#playing) this.#links.settle(request, new Error('the media leg is closed'));
    }
    return this.#closed;
  }

  async #send(signal: AbortSignal, command: (request: number) => MediaCommand): Promise<void> {
    const { request, answer } = this.#links.begin();
    const onAbort = () => {
      this.#links.post({ type: 'cancel', request, leg: this.id });
      this.#links.settle(request, signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#playing.add(request);
    this.#links.post(command(request));
    try {
      await answer;
    } finally {
      this.#playing.delete(request);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #check(): void {
    if (this.#closed !== undefined) throw new Error('the media leg is closed');
  }
}
