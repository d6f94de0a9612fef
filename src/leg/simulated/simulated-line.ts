import type { Clock } from '../../core/clock.ts';
import type { SimulatedListening } from './listening.ts';
import type { Direction, Line, SimulatedRecording } from './recording.ts';

/** What goes over a simulated leg, in both directions, and who takes it in. */
export class SimulatedLine {
  readonly recordings = new Set<SimulatedRecording>();
  readonly listening = new Set<SimulatedListening>();
  readonly now: Record<Direction, Line> = { inbound: 'silence', outbound: 'silence' };
  /** Stretches of speech or absence that have begun: only the last one's end brings silence back. */
  readonly #stretches: Record<Direction, number> = { inbound: 0, outbound: 0 };
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The number of the stretch that began last. */
  stretch(direction: Direction): number {
    return this.#stretches[direction];
  }

  /** A stretch of `line` begins; silence follows it in `ms`, unless another one has begun. Its number. */
  carry(direction: Direction, line: Line, ms: number): number {
    const stretch = this.begin(direction, line);
    this.#clock.after(ms, () => {
      if (stretch === this.#stretches[direction]) this.set(direction, 'silence');
    });
    return stretch;
  }

  /** As `carry`, without an end; whatever was being said ends here. */
  begin(direction: Direction, line: Line): number {
    const stretch = ++this.#stretches[direction];
    this.set(direction, line);
    return stretch;
  }

  set(direction: Direction, line: Line): void {
    this.now[direction] = line;
    for (const recording of this.recordings) recording.carry(direction, line);
    if (direction === 'outbound') return;
    for (const listening of this.listening) listening.carry(line === 'speech');
  }

  /** A piece of what the peer says has been heard. */
  voice(pcm: Int16Array): void {
    for (const listening of this.listening) listening.hear(pcm);
    for (const recording of this.recordings) recording.hear(pcm);
  }
}
