import type { OutgoingLink } from '../control/link.ts';
import { PassedLink } from './passed-link.ts';

/** Hears what becomes of a call before its leg does. */
export interface LinkObserver {
  progress(status: number, early: boolean): void;
  answered(): void;
}

/**
 * The link of a call we make as its leg uses it. A leg has one listener for its progress, the verb that rings it;
 * the call's own record needs to hear of it too, and first.
 */
export class ObservedLink extends PassedLink {
  protected readonly link: OutgoingLink;
  readonly #observer: LinkObserver;
  #onProgress: OutgoingLink['onProgress'];
  #onAnswered: OutgoingLink['onAnswered'];

  constructor(link: OutgoingLink, observer: LinkObserver) {
    super();
    this.link = link;
    this.#observer = observer;
  }

  override get onProgress() {
    return this.#onProgress;
  }

  override set onProgress(listener) {
    this.#onProgress = listener;
    this.link.onProgress = (status, early) => {
      this.#observer.progress(status, early);
      this.#onProgress?.(status, early);
    };
  }

  override get onAnswered() {
    return this.#onAnswered;
  }

  override set onAnswered(listener) {
    this.#onAnswered = listener;
    this.link.onAnswered = (headers) => {
      this.#observer.answered();
      this.#onAnswered?.(headers);
    };
  }
}
