import { type Fork, type ForkEvent, newFork, step } from '../call/fork.ts';
import { LegEnded } from '../leg/port.ts';
import type { SimulatedCallee, SimulatedOutgoingLeg } from '../leg/simulated/simulated-outgoing-leg.ts';

/** Hears what becomes of the call that several devices share. */
export interface ForkObserver {
  rang(status: number, early: boolean): void;
  /** It is this device's from now on. */
  chose(branch: number): void;
  /** One device ended while the call went on. */
  branchEnded(branch: number, end: LegEnded): void;
}

/** Devices that ring for one simulated leg: what each of them does reaches the leg as the live fork has it. */
export class SimulatedFork {
  readonly #leg: SimulatedOutgoingLeg;
  readonly #count: number;
  readonly #observer: ForkObserver;
  #fork: Fork<LegEnded>;
  #chosen: number | undefined;

  constructor(leg: SimulatedOutgoingLeg, count: number, observer: ForkObserver) {
    this.#leg = leg;
    this.#count = count;
    this.#observer = observer;
    this.#fork = newFork(count);
    leg.ended.addEventListener('abort', () => this.#apply({ type: 'withdrawn' }), { once: true });
  }

  /** The far end of one of the devices. */
  device(branch: number): SimulatedCallee {
    const leg = this.#leg.peer;
    const ended = (end: LegEnded) => this.#ended(branch, end);
    const whenTalking = (act: () => void) => {
      if (this.#chosen === branch) act();
    };
    return {
      ring: (status, early) => this.#rings(status, early),
      answer: (headers) => {
        const before = this.#chosen;
        this.#apply({ type: 'answered', branch });
        if (before === undefined && this.#chosen === branch) leg.answer(headers);
      },
      refuse: (status, headers) => ended(new LegEnded('rejected', status, undefined, headers)),
      end: (cause, diagnostic) => ended(new LegEnded(cause, undefined, undefined, {}, diagnostic)),
      hangup: (headers) => whenTalking(() => leg.hangup(headers)),
      press: (key) => whenTalking(() => leg.press(key)),
      speak: (ms, word) => whenTalking(() => leg.speak(ms, word)),
      say: (text, ms, confidence) => whenTalking(() => leg.say(text, ms, confidence)),
      vanish: (ms) => whenTalking(() => leg.vanish(ms)),
      hold: () => whenTalking(() => leg.hold()),
      resume: () => whenTalking(() => leg.resume()),
      sounds: leg.sounds,
      refer: (referTo) => whenTalking(() => leg.refer(referTo)),
      whenReferred: (status, notifies) => whenTalking(() => leg.whenReferred(status, notifies)),
      dismissed: undefined,
    };
  }

  /** Several devices cannot be heard at once. */
  #rings(status: number, early: boolean): void {
    if (this.#fork.state !== 'ringing') return;
    const heard = early && this.#count === 1;
    this.#leg.peer.ring(status, heard);
    this.#observer.rang(status, heard);
  }

  #ended(branch: number, end: LegEnded): void {
    if (this.#chosen === branch) this.#end(end);
    if (this.#fork.state !== 'ringing') return;
    this.#apply({ type: 'ended', branch, end });
    if (this.#fork.state === 'ringing') this.#observer.branchEnded(branch, end);
  }

  #apply(event: ForkEvent<LegEnded>): void {
    const [after, effects] = step(this.#fork, event);
    this.#fork = after;
    for (const effect of effects) {
      if (effect.type === 'end') this.#end(effect.end);
      if (effect.type !== 'choose') continue;
      this.#chosen = effect.branch;
      this.#observer.chose(effect.branch);
    }
  }

  #end({ cause, sipStatus, headers, diagnostic }: LegEnded): void {
    if (cause === 'rejected' && sipStatus !== undefined) this.#leg.peer.refuse(sipStatus, headers);
    else this.#leg.peer.end(cause, diagnostic);
  }
}
