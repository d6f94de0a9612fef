import type { ListenOptions, SpeechListener } from '../../leg/port.ts';
import type { MediaCommand, SpeechReport } from './messages.ts';

/** Who listens to which leg of a media thread. */
export class Listeners {
  readonly #post: (command: MediaCommand) => void;
  readonly #listeners = new Map<number, SpeechListener>();
  #next = 1;

  constructor(post: (command: MediaCommand) => void) {
    this.#post = post;
  }

  add(leg: number, options: ListenOptions, listener: SpeechListener): Disposable {
    const request = this.#next++;
    this.#listeners.set(request, listener);
    this.#post({ type: 'listen', request, leg, options });
    return {
      [Symbol.dispose]: () => {
        if (this.#listeners.delete(request)) this.#post({ type: 'unlisten', request, leg });
      },
    };
  }

  heard(request: number, speech: SpeechReport): void {
    const listener = this.#listeners.get(request); // none: what the thread said before it was told to stop
    if (speech.kind === 'began') listener?.began();
    else if (speech.kind === 'audio') listener?.audio(speech.pcm);
    else listener?.ended(speech.why);
  }

  /** The thread is gone: what was being said is not heard to its end. */
  fail(): void {
    for (const listener of this.#listeners.values()) listener.ended('failed');
    this.#listeners.clear();
  }
}
