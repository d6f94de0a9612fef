import type { Timer } from '../../core/clock.ts';
import type { Effect } from './effect.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { TimerName } from './timers.ts';

interface TimerEvent {
  readonly kind: 'timer';
  readonly timer: TimerName;
}

/** A machine in motion whose state is its own affair. */
export interface Machine<Event, Told> {
  feed(event: Event): void;
  /** Carries out effects: those a machine starts with come from outside. */
  perform(effects: readonly Effect<Told>[]): void;
  /** Ends it without a word: shut-down, or making room. */
  abandon(): void;
}

type Step<State, Event, Told> = (
  state: State,
  event: Event | TimerEvent,
) => readonly [State, readonly Effect<Told>[]];

export interface RunningOptions<Told> {
  readonly wheel: TimerWheel;
  readonly send: (message: Buffer) => void;
  readonly tell: (told: Told) => void;
  /** Called once, when the machine terminates or is abandoned. */
  readonly gone: () => void;
}

/** A transaction machine in motion: keeps its state and carries out its effects. */
export class Running<State, Event, Told> implements Machine<Event, Told> {
  #state: State;
  readonly #step: Step<State, Event, Told>;
  readonly #options: RunningOptions<Told>;
  #armed: { readonly name: TimerName; readonly timer: Timer }[] = [];
  #gone = false;

  constructor(state: State, step: Step<State, Event, Told>, options: RunningOptions<Told>) {
    this.#state = state;
    this.#step = step;
    this.#options = options;
  }

  feed(event: Event | TimerEvent): void {
    if (this.#gone) return;
    const [state, effects] = this.#step(this.#state, event);
    this.#state = state;
    this.perform(effects);
  }

  perform(effects: readonly Effect<Told>[]): void {
    if (this.#gone) return;
    for (const effect of effects) {
      if (this.#gone) return; // sending failed at once
      switch (effect.kind) {
        case 'send':
          this.#options.send(effect.message);
          break;
        case 'arm':
          this.#arm(effect.timer, effect.ms);
          break;
        case 'disarm':
          this.#disarm(effect.timer);
          break;
        case 'tell':
          this.#options.tell(effect.event);
          break;
        case 'terminate':
          this.abandon();
          break;
      }
    }
  }

  abandon(): void {
    if (this.#gone) return;
    this.#gone = true;
    for (const { timer } of this.#armed) timer.cancel();
    this.#armed = [];
    this.#options.gone();
  }

  #arm(name: TimerName, ms: number): void {
    this.#disarm(name);
    const timer = this.#options.wheel.after(ms, () => {
      this.#forget(name);
      this.feed({ kind: 'timer', timer: name });
    });
    this.#armed.push({ name, timer });
  }

  #disarm(name: TimerName): void {
    this.#forget(name)?.cancel();
  }

  #forget(name: TimerName): Timer | undefined {
    for (let i = 0; i < this.#armed.length; i++) {
      if (this.#armed[i]?.name === name) return this.#armed.splice(i, 1)[0]?.timer;
    }
    return undefined;
  }
}
