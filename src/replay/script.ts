import type { Clock } from '../core/clock.ts';
import type { Sounds } from '../leg/simulated/sounds.ts';
import { Hearing, heardPattern } from './hearing.ts';

/** Our choice: nobody acts in the very moment in which a word ends, and what was said may lead to the next verb. */
export const REACTION_MS = 200;

/** What every step of a script may have; the rest is for whoever performs it. */
interface Step {
  readonly at?: number | undefined;
  readonly wait?: number;
  readonly hears?: string;
}

export interface ScriptOptions<S> {
  readonly clock: Clock;
  /** What the party hears. */
  readonly sounds: Sounds;
  /** Does a step; how long it takes until the next one follows, in ms. */
  perform(step: S): number;
}

/**
 * What a party of a scenario does: a step with a time of its own happens then; any other one follows when the step
 * before it is done.
 */
export class Script<S extends object> {
  readonly #steps: readonly S[];
  readonly #clock: Clock;
  readonly #hearing: Hearing;
  readonly #perform: (step: S) => number;
  #listening: number | undefined;
  #begun = 0;

  constructor(steps: readonly S[], { clock, sounds, perform }: ScriptOptions<S>) {
    this.#steps = steps;
    this.#clock = clock;
    this.#hearing = new Hearing(sounds, clock);
    this.#perform = perform;
    for (const [index, step] of steps.entries()) {
      const { at = index === 0 ? 0 : undefined }: Step = step;
      if (at !== undefined) clock.after(at, () => this.#begin(index), describeStep(step));
    }
  }

  /** The step that still waits to hear something, as people write it; undefined when none does. */
  get unheard():
    | { readonly step: string; readonly place: number; readonly after: readonly string[] }
    | undefined {
    const index = this.#listening;
    const step = index === undefined ? undefined : this.#steps[index];
    if (index === undefined || step === undefined) return undefined;
    const following = this.#steps.slice(index + 1);
    const timed = following.findIndex(({ at }: Step) => at !== undefined);
    const after = timed < 0 ? following : following.slice(0, timed);
    return { step: describeStep(step), place: index + 1, after: after.map(describeStep) };
  }

  /** Where it stands, in a few words that follow the party's name. */
  get standing(): string {
    if (this.unheard) return `waits in step ${this.unheard.place} (${this.unheard.step})`;
    if (this.#steps.length === 0) return 'does nothing';
    const left = this.#steps.length - this.#begun;
    return left > 0 ? `has ${left} of ${this.#steps.length} steps before it` : 'has done all its steps';
  }

  #begin(index: number): void {
    const step = this.#steps[index];
    if (!step) return;
    this.#begun++;
    const { wait, hears }: Step = step;
    if (hears !== undefined) return this.#listen(index, hears);
    this.#follow(index, wait ?? this.#perform(step));
  }

  #listen(index: number, hears: string): void {
    this.#listening = index;
    this.#hearing.when(heardPattern(hears), () => {
      this.#listening = undefined;
      this.#follow(index, REACTION_MS);
    });
  }

  /** Begins the step after this one, which takes `ms`, unless it has a time of its own. */
  #follow(index: number, ms: number): void {
    const next: Step | undefined = this.#steps[index + 1];
    if (!next || next.at !== undefined) return;
    if (ms === 0) this.#begin(index + 1);
    else this.#clock.after(ms, () => this.#begin(index + 1), describeStep(next));
  }
}

/** A step in a few words: `press: 12`. */
function describeStep(step: object): string {
  const entries = Object.entries(step).filter(([name, value]) => name !== 'every' && value !== undefined);
  return entries.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ');
}
