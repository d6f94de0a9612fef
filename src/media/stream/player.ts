import type { FrameSource, OutgoingFrame } from './outgoing-frame.ts';

/**
 * What one leg has to send, in the order in which it was asked. One source plays at a time; `done` is told when
 * the last frame of a source has been taken, but not of a source that was cancelled.
 */
export class Player {
  readonly #queue = new Map<number, FrameSource>(); // insertion order is playing order
  readonly #done: (id: number) => void;

  constructor(done: (id: number) => void) {
    this.#done = done;
  }

  /** Whether something plays or waits. */
  get busy(): boolean {
    return this.#queue.size > 0;
  }

  add(id: number, source: FrameSource): void {
    this.#queue.set(id, source);
  }

  /** Takes `id` out, playing or waiting: its next frame is never made. */
  cancel(id: number): void {
    this.#queue.delete(id);
  }

  /** Everything not finished, taken out. */
  clear(): readonly number[] {
    const ids = [...this.#queue.keys()];
    this.#queue.clear();
    return ids;
  }

  /** Fills `frame` with the next 20 ms; false when there is nothing to send. */
  next(frame: OutgoingFrame): boolean {
    for (const [id, source] of this.#queue) {
      const state = source.next(frame);
      if (state !== 'more') {
        this.#queue.delete(id);
        this.#done(id);
      }
      if (state !== 'none') return true;
    }
    return false;
  }
}
