import type { CallLink } from '../../control/link.ts';
import { abortable, link as linkSignals } from '../../core/abort.ts';
import { Mailbox } from '../../core/mailbox.ts';
import type { MediaFormat } from '../../media/format.ts';
import type { MediaHost, MediaLeg } from '../../media/threads/port.ts';
import type {
  ActiveRecording,
  AudioClip,
  DtmfKey,
  KeyStream,
  ListenOptions,
  PlayOptions,
  RecordOptions,
  SpeechStream,
} from '../port.ts';
import { SpeechFeed } from '../speech-feed.ts';
import { DeferredRecording, nothingRecorded } from './deferred-recording.ts';

/** A leg's call at its edge and its media here. */
export interface OpenLine {
  readonly link: CallLink;
  readonly media: MediaLeg;
  readonly format: MediaFormat;
}

/**
 * The audio of a remote leg. A leg that is being called has none until its edge has said where it is: what is asked of
 * it before that begins then.
 */
export class LegLine {
  readonly ended: AbortSignal;
  /** Told of every change that matters to a bridge. */
  onChange: (() => void) | undefined;
  readonly #opened: Promise<MediaLeg>;
  readonly #listeners = new Set<Mailbox<DtmfKey>>();
  readonly #speech = new Map<SpeechFeed, ListenOptions>();
  readonly #hearing = new Map<SpeechFeed, Disposable>();
  readonly #deferred = new Set<DeferredRecording>();
  #resolveOpened: (media: MediaLeg) => void = () => {};
  #open: OpenLine | undefined;
  #recordings = 0;
  #answered = false;
  #closed: Promise<void> | undefined;

  constructor(ended: AbortSignal) {
    this.ended = ended;
    this.#opened = new Promise((resolve) => {
      this.#resolveOpened = resolve;
    });
  }

  /** `undefined` until the edge has said where its audio is. */
  get open(): OpenLine | undefined {
    return this.#open;
  }

  /** Somebody here listens: its audio has to come to this worker. */
  get tapped(): boolean {
    return this.#recordings > 0 || this.#listeners.size > 0 || this.#speech.size > 0;
  }

  get answered(): boolean {
    return this.#answered;
  }

  markAnswered(): void {
    this.#answered = true;
    this.onChange?.();
  }

  /** Once; throws when the media host is of no more use. */
  openWith(link: CallLink, host: MediaHost): void {
    const media = host.open(link.leg.media);
    this.#open = { link, media, format: link.leg.media.format };
    media.onKey = (key) => {
      for (const keys of this.#listeners) keys.put(key);
    };
    link.onFormat = (format) => {
      this.#open = { link, media, format };
      media.configure(format);
      this.onChange?.();
    };
    for (const [feed, options] of this.#speech) this.#hearing.set(feed, media.listen(options, feed));
    for (const recording of this.#deferred) recording.begin(media);
    this.#deferred.clear();
    this.#resolveOpened(media);
    this.onChange?.();
  }

  async play(clip: AudioClip, signal: AbortSignal, options?: PlayOptions): Promise<void> {
    await this.#perform(signal, (media, either) => media.play(clip, either, options));
  }

  async sendDigits(digits: string, signal: AbortSignal): Promise<void> {
    await this.#perform(signal, (media, either) => media.sendDigits(digits, either));
  }

  async echo(signal: AbortSignal): Promise<never> {
    using either = linkSignals(this.ended, signal);
    either.signal.throwIfAborted();
    const media = this.#open?.media ?? (await abortable(this.#opened, either.signal));
    media.echo(true);
    try {
      return await abortable(new Promise<never>(() => {}), either.signal);
    } finally {
      media.echo(false);
    }
  }

  async #perform(
    signal: AbortSignal,
    work: (media: MediaLeg, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    using either = linkSignals(this.ended, signal);
    either.signal.throwIfAborted();
    const media = this.#open?.media ?? (await abortable(this.#opened, either.signal));
    await abortable(work(media, either.signal), either.signal);
  }

  keys(): KeyStream {
    const pressed = new Mailbox<DtmfKey>();
    const { ended } = this;
    this.#listeners.add(pressed);
    this.onChange?.();
    return {
      async next(signal) {
        return await pressed.take(ended, signal);
      },
      poll: () => pressed.poll(),
      [Symbol.dispose]: () => {
        if (this.#listeners.delete(pressed)) this.onChange?.();
      },
    };
  }

  listen(options: ListenOptions): SpeechStream {
    const feed: SpeechFeed = new SpeechFeed(this.ended, () => {
      this.#hearing.get(feed)?.[Symbol.dispose]();
      this.#hearing.delete(feed);
      if (this.#speech.delete(feed)) this.onChange?.();
    });
    if (feed.closed) return feed;
    this.#speech.set(feed, options);
    const media = this.#open?.media;
    if (media) this.#hearing.set(feed, media.listen(options, feed));
    this.onChange?.();
    return feed;
  }

  record(options: RecordOptions): ActiveRecording {
    if (this.ended.aborted) {
      const end = nothingRecorded(options, 'hangup');
      return { ended: Promise.resolve(end), stop() {}, pause() {}, resume() {} };
    }
    const active = this.#open?.media.record(options) ?? this.#recordLater(options);
    this.#recordings++;
    this.onChange?.();
    const over = () => {
      this.#recordings--;
      this.onChange?.();
    };
    active.ended.then(over, over);
    return active;
  }

  #recordLater(options: RecordOptions): ActiveRecording {
    const recording = new DeferredRecording(options);
    this.#deferred.add(recording);
    return recording;
  }

  /** With the leg. Resolves when its recordings are complete and nothing of it is left in the media host. */
  close(): Promise<void> {
    for (const recording of this.#deferred) recording.abandon('hangup');
    this.#deferred.clear();
    this.#closed ??= this.#open?.media.close() ?? Promise.resolve();
    return this.#closed;
  }
}
