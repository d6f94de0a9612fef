import type { Clock } from '../../core/clock.ts';
import { type LegEndCause, LegEnded } from '../port.ts';
import type { AnyPeer } from './any-peer.ts';
import { SimulatedBase } from './base-leg.ts';

/** The far end of a simulated leg that calls us. */
export interface SimulatedPeer extends AnyPeer {
  /** BYE when the call was answered, CANCEL while it rings. */
  hangup(): void;
  /** Any other end, such as a lost edge. */
  end(cause: LegEndCause): void;
}

/** A leg that calls us: it rings until it is answered, refused or gives up. */
export class SimulatedLeg extends SimulatedBase {
  readonly peer: SimulatedPeer;
  #progressed = false;

  constructor(clock: Clock) {
    super(clock);
    this.peer = {
      ...this.anyPeer,
      hangup: () => this.end(new LegEnded(this.state === 'ringing' ? 'peer-cancelled' : 'peer-hangup')),
      end: (cause) => this.end(new LegEnded(cause)),
    };
  }

  async answer(): Promise<void> {
    this.ended.throwIfAborted();
    if (this.state === 'ringing') this.markAnswered();
  }

  async reject(status: number): Promise<void> {
    if (this.state === 'answered') return this.hangup();
    this.end(new LegEnded('rejected', status));
  }

  async hangup(): Promise<void> {
    this.end(new LegEnded('local-hangup', this.state === 'ringing' ? 603 : undefined));
  }

  async progress(): Promise<void> {
    this.ended.throwIfAborted();
    if (this.#progressed || this.state !== 'ringing') return;
    this.#progressed = true;
    this.heard.push({ at: this.at(), kind: 'progress', status: 183 });
  }

  protected override get audible(): boolean {
    return this.state === 'answered' || (this.state === 'ringing' && this.#progressed);
  }
}
