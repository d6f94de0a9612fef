import { abortable, link } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import type { DtmfKey, HeardSpeech, KeyStream, SpeechStream } from '../../leg/port.ts';

/** What a caller does in a `<Gather>`. */
export type Input =
  | { readonly kind: 'key'; readonly key: DtmfKey }
  | { readonly kind: 'speech'; readonly speech: HeardSpeech };

const SPENT = Symbol('somebody else was first');

/** Keys and speech, whichever comes first. What is not listened for never comes. */
export class GatherInputs {
  readonly #keys: KeyStream | undefined;
  readonly #speech: SpeechStream | undefined;

  constructor(keys: KeyStream | undefined, speech: SpeechStream | undefined) {
    this.#keys = keys;
    this.#speech = speech;
  }

  /** The next input; rejects with the signal's reason. */
  async next(signal: AbortSignal): Promise<Input> {
    if (this.#keys && !this.#speech) return { kind: 'key', key: await this.#keys.next(signal) };
    using waiting = link(signal);
    const first = [
      this.#keys?.next(waiting.signal).then((key): Input => ({ kind: 'key', key })),
      this.#speech?.next(waiting.signal).then((speech): Input => ({ kind: 'speech', speech })),
      abortable(new Promise<never>(() => {}), waiting.signal),
    ].filter((wait) => wait !== undefined);
    try {
      return await Promise.race(first);
    } finally {
      waiting.abort(SPENT); // what comes later stays for the next one who asks
    }
  }

  /** The next input, or undefined when none comes within `ms`. */
  within(ms: number, clock: Clock, signal: AbortSignal): Promise<Input | undefined> {
    return within(ms, clock, signal, (patience) => this.next(patience));
  }

  /** The next key, or undefined when none comes within `ms`. */
  async keyWithin(ms: number, clock: Clock, signal: AbortSignal): Promise<DtmfKey | undefined> {
    return within(ms, clock, signal, async (patience) => await this.#keys?.next(patience));
  }
}

async function within<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  ask: (patience: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  using patience = link(signal);
  const timer = clock.after(ms, () => patience.abort());
  try {
    return await abortable(ask(patience.signal), patience.signal);
  } catch (error) {
    if (signal.aborted || !patience.signal.aborted) throw error;
    return undefined;
  } finally {
    timer.cancel();
  }
}
