import type { Clock, Timer } from '../../core/clock.ts';
import type { ActiveRecording, RecordingEnd, RecordOptions } from '../port.ts';

/** What one direction of the line carries. */
export type Line = 'silence' | 'speech' | 'no-rtp';

export type Direction = 'inbound' | 'outbound';

/** Not shown with the rest. */
const VOICES = Symbol('what was said');

/** The end of a simulated recording, and the pieces of speech in it. */
interface SimulatedEnd extends RecordingEnd {
  readonly [VOICES]: readonly Int16Array[];
}

/** What the peer of a simulated leg said in a recording, piece by piece. */
export function voicesIn(end: RecordingEnd): readonly Int16Array[] {
  const { [VOICES]: voices = [] }: Partial<SimulatedEnd> = end;
  return voices;
}

/** A recording of a simulated leg: it knows when there was speech, and the words that a script has the peer say. */
export class SimulatedRecording implements ActiveRecording {
  readonly ended: Promise<SimulatedEnd>;
  readonly #voices: Int16Array[] = [];
  readonly #clock: Clock;
  readonly #options: RecordOptions;
  readonly #begun: number;
  readonly #length: Timer;
  readonly #lines: Record<Direction, Line>;
  #resolve: (end: SimulatedEnd) => void = () => {};
  #over = false;
  #line: Line = 'silence';
  #lineSince: number;
  #silence: Timer | undefined;
  /** Silence already counted when the line went dead: no RTP is no silence. */
  #silentFor = 0;
  #firstSpeech: number | undefined;
  #lastSpeech: number | undefined;
  #pause: { readonly behavior: 'skip' | 'silence'; readonly since: number } | undefined;
  /** Time that pauses left out. */
  #skipped = 0;

  constructor(clock: Clock, options: RecordOptions, lines: Readonly<Record<Direction, Line>>) {
    this.#clock = clock;
    this.#options = options;
    this.#begun = clock.monotonic();
    this.#lineSince = 0;
    this.#lines = { ...lines };
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#length = clock.after(options.maxLengthMs, () => this.end('max-length'));
    this.#update();
  }

  /** A direction carries something else from now on. */
  carry(direction: Direction, line: Line): void {
    this.#lines[direction] = line;
    this.#update();
  }

  /** The peer has said something. */
  hear(pcm: Int16Array): void {
    if (!this.#pause && this.#options.track !== 'outbound') this.#voices.push(pcm);
  }

  pause(behavior: 'skip' | 'silence'): void {
    if (this.#over || this.#pause) return;
    this.#close();
    this.#pause = { behavior, since: this.#clock.monotonic() };
    this.#update();
  }

  resume(): void {
    if (this.#over || !this.#pause) return;
    this.#close();
    this.#endPause();
    this.#update();
  }

  stop(): void {
    this.end('stopped');
  }

  end(reason: RecordingEnd['reason']): void {
    if (this.#over) return;
    this.#close();
    this.#endPause();
    this.#over = true;
    this.#length.cancel();
    const durationMs = this.#at();
    const storedMs = this.#options.trim ? this.#spokenMs() : durationMs;
    this.#resolve({
      reason,
      durationMs,
      storedMs,
      channels: this.#options.channels ?? 1,
      silent: this.#firstSpeech === undefined,
      path: storedMs > 0 ? `simulated:${this.#options.recordingSid}.wav` : undefined,
      [VOICES]: this.#voices,
    });
  }

  /** Milliseconds of the recording, pauses that are left out not counted. */
  #at(): number {
    const now = this.#clock.monotonic();
    const paused = this.#pause?.behavior === 'skip' ? now - this.#pause.since : 0;
    return now - this.#begun - this.#skipped - paused;
  }

  #endPause(): void {
    const pause = this.#pause;
    this.#pause = undefined;
    if (pause?.behavior === 'skip') this.#skipped += this.#clock.monotonic() - pause.since;
  }

  #heard(): Line {
    if (this.#pause) return this.#pause.behavior === 'skip' ? 'no-rtp' : 'silence';
    const { track = 'inbound' } = this.#options;
    const directions: readonly Direction[] = track === 'both' ? ['inbound', 'outbound'] : [track];
    const lines = directions.map((direction) => this.#lines[direction]);
    return lines.includes('speech') ? 'speech' : lines.includes('silence') ? 'silence' : 'no-rtp';
  }

  #update(): void {
    if (this.#over) return;
    this.#close();
    this.#line = this.#heard();
    this.#lineSince = this.#at();
    if (this.#line === 'speech') {
      this.#silentFor = 0;
      this.#firstSpeech ??= this.#lineSince;
    }
    const { silenceMs } = this.#options;
    if (this.#line === 'silence' && silenceMs > 0) {
      this.#silence = this.#clock.after(silenceMs - this.#silentFor, () => this.end('silence'));
    }
  }

  /** Closes the stretch that the line carried until now. */
  #close(): void {
    const now = this.#at();
    this.#silence?.cancel();
    this.#silence = undefined;
    if (this.#line === 'silence') this.#silentFor += now - this.#lineSince;
    if (this.#line === 'speech') this.#lastSpeech = now;
    this.#lineSince = now;
  }

  /** From the first speech to the last: what trimming leaves. */
  #spokenMs(): number {
    if (this.#firstSpeech === undefined || this.#lastSpeech === undefined) return 0;
    return this.#lastSpeech - this.#firstSpeech;
  }
}
