import type { MediaLeg } from '../../media/threads/port.ts';
import type { ActiveRecording, RecordingEnd, RecordOptions } from '../port.ts';

/** A recording of a leg that has no media yet: it begins when there is some. */
export class DeferredRecording implements ActiveRecording {
  readonly ended: Promise<RecordingEnd>;
  readonly #options: RecordOptions;
  #resolve: (end: RecordingEnd | PromiseLike<RecordingEnd>) => void = () => {};
  #active: ActiveRecording | undefined;
  #over = false;
  #pause: 'skip' | 'silence' | undefined;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  begin(media: MediaLeg): void {
    if (this.#over || this.#active) return;
    const active = media.record(this.#options);
    this.#active = active;
    if (this.#pause) active.pause(this.#pause);
    this.#resolve(active.ended);
  }

  /** Ends it if it has not begun: nothing was captured. */
  abandon(reason: 'stopped' | 'hangup'): void {
    if (this.#over || this.#active) return;
    this.#over = true;
    this.#resolve(nothingRecorded(this.#options, reason));
  }

  stop(): void {
    if (this.#active) this.#active.stop();
    else this.abandon('stopped');
  }

  pause(behavior: 'skip' | 'silence'): void {
    this.#pause = behavior;
    this.#active?.pause(behavior);
  }

  resume(): void {
    this.#pause = undefined;
    this.#active?.resume();
  }
}

/** The end of a recording that never began. */
export function nothingRecorded(options: RecordOptions, reason: 'stopped' | 'hangup'): RecordingEnd {
  return {
    reason,
    durationMs: 0,
    storedMs: 0,
    channels: options.channels ?? 1,
    silent: true,
    path: undefined,
  };
}
