import type { CommandResult, OutgoingLink } from '../control/link.ts';
import type { LegCommand } from '../control/protocol.ts';

/** Hears what becomes of a call before its leg does. */
export interface LinkObserver {
  progress(status: number, early: boolean): void;
  answered(): void;
}

/**
 * The link of a call we make as its leg uses it. A leg has one listener for its progress, the verb that rings it;
 * the call's own record needs to hear of it too, and first.
 */
export class ObservedLink implements OutgoingLink {
  readonly #link: OutgoingLink;
  readonly #observer: LinkObserver;
  #onProgress: OutgoingLink['onProgress'];
  #onAnswered: OutgoingLink['onAnswered'];

  constructor(link: OutgoingLink, observer: LinkObserver) {
    this.#link = link;
    this.#observer = observer;
  }

  get job() {
    return this.#link.job;
  }

  get process() {
    return this.#link.process;
  }

  get id() {
    return this.#link.id;
  }

  get chosen() {
    return this.#link.chosen;
  }

  get leg() {
    return this.#link.leg;
  }

  get sipCallId() {
    return this.#link.sipCallId;
  }

  get lost() {
    return this.#link.lost;
  }

  command(command: LegCommand): Promise<CommandResult> {
    return this.#link.command(command);
  }

  release(): Promise<void> {
    return this.#link.release();
  }

  get onEnded() {
    return this.#link.onEnded;
  }

  set onEnded(listener) {
    this.#link.onEnded = listener;
  }

  get onRefer() {
    return this.#link.onRefer;
  }

  set onRefer(listener) {
    this.#link.onRefer = listener;
  }

  get onReferred() {
    return this.#link.onReferred;
  }

  set onReferred(listener) {
    this.#link.onReferred = listener;
  }

  get onFormat() {
    return this.#link.onFormat;
  }

  set onFormat(listener) {
    this.#link.onFormat = listener;
  }

  get onProgress() {
    return this.#onProgress;
  }

  set onProgress(listener) {
    this.#onProgress = listener;
    this.#link.onProgress = (status, early) => {
      this.#observer.progress(status, early);
      this.#onProgress?.(status, early);
    };
  }

  get onAnswered() {
    return this.#onAnswered;
  }

  set onAnswered(listener) {
    this.#onAnswered = listener;
    this.#link.onAnswered = (headers) => {
      this.#observer.answered();
      this.#onAnswered?.(headers);
    };
  }
}
