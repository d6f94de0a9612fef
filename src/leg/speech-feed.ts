import { link } from '../core/abort.ts';
import { Mailbox } from '../core/mailbox.ts';
import type { HeardSpeech, SpeechEnd, SpeechListener, SpeechStream } from './port.ts';

/** What a leg hears, on its way to whoever listens: told piece by piece, read stretch by stretch. */
export class SpeechFeed implements SpeechStream, SpeechListener {
  readonly #legEnded: AbortSignal;
  readonly #onClosed: () => void;
  readonly #stretches = new Mailbox<HeardSpeech>();
  #current: GrowingSpeech | undefined;
  #closed = false;

  /** `onClosed`: nobody listens any more, or the leg is over. Once; not for a leg that is over already: `closed`. */
  constructor(legEnded: AbortSignal, onClosed: () => void) {
    this.#legEnded = legEnded;
    this.#onClosed = onClosed;
    if (legEnded.aborted) this.#closed = true;
    else legEnded.addEventListener('abort', this.#hungUp, { once: true });
  }

  get closed(): boolean {
    return this.#closed;
  }

  began(): void {
    if (this.#closed || this.#current) return;
    this.#current = new GrowingSpeech();
    this.#stretches.put(this.#current);
  }

  audio(pcm: Int16Array): void {
    this.#current?.add(pcm);
  }

  ended(why: SpeechEnd): void {
    this.#current?.end(why);
    this.#current = undefined;
  }

  async next(signal: AbortSignal): Promise<HeardSpeech> {
    using waiting = link(this.#legEnded, signal);
    return await this.#stretches.take(waiting.signal);
  }

  [Symbol.dispose](): void {
    this.#close('stopped');
  }

  readonly #hungUp = () => this.#close('hangup');

  #close(why: SpeechEnd): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#legEnded.removeEventListener('abort', this.#hungUp);
    this.ended(why);
    this.#onClosed();
  }
}

/** A stretch of speech that is still being heard. */
class GrowingSpeech implements HeardSpeech {
  readonly audio: AsyncIterable<Int16Array>;
  readonly ended: Promise<SpeechEnd>;
  readonly #pieces = new Mailbox<Int16Array | typeof END>();
  #resolve: (why: SpeechEnd) => void = () => {};

  constructor() {
    this.audio = piecesOf(this.#pieces);
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  add(pcm: Int16Array): void {
    this.#pieces.put(pcm);
  }

  end(why: SpeechEnd): void {
    this.#pieces.put(END);
    this.#resolve(why);
  }
}

const END = Symbol('end of speech');
/** Every stretch ends, so its reader is never left waiting. */
const UNTIL_THE_END = new AbortController().signal;

async function* piecesOf(box: Mailbox<Int16Array | typeof END>): AsyncGenerator<Int16Array> {
  for (;;) {
    const piece = await box.take(UNTIL_THE_END);
    if (piece === END) return;
    yield piece;
  }
}
