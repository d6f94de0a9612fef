import { type LinkedSignal, link } from '../../../core/abort.ts';
import type { Timer } from '../../../core/clock.ts';
import { Mailbox } from '../../../core/mailbox.ts';
import type { Bridge, ReceivedRefer } from '../../../leg/port.ts';
import type { CallScope } from '../call-scope.ts';
import type { ChildCall } from '../ports.ts';

/** What ends a conversation, or asks to. */
export type Happening =
  /** The child is over. */
  | { readonly kind: 'over' }
  /** The child has got a document of its own. */
  | { readonly kind: 'departed' }
  /** A peer wants to be replaced: the child's, or that of the call that dialled it. */
  | { readonly kind: 'refer'; readonly by: 'called' | 'caller'; readonly refer: ReceivedRefer };

export interface ConversationRules {
  readonly timeLimitMs: number;
  readonly hangupOnStar: boolean;
}

/**
 * A call connected to a child: from the bridge until the child is over, the time limit or the caller's `*` ends it,
 * or the child leaves.
 */
export class Conversation {
  readonly #call: CallScope;
  readonly #child: ChildCall;
  readonly #happenings = new Mailbox<Happening>();
  readonly #watching: LinkedSignal;
  readonly #limit: Timer;
  #bridge: Bridge | undefined;
  /** Their timelines say that they hear each other. */
  #together = false;

  constructor(call: CallScope, child: ChildCall, bridge: Bridge, rules: ConversationRules) {
    this.#call = call;
    this.#child = child;
    this.#bridge = bridge;
    this.#watching = link(call.world.leg.ended);
    this.#tellTogether();
    this.#limit = call.world.clock.after(rules.timeLimitMs, () => {
      this.#note(`the conversation reached its limit of ${rules.timeLimitMs / 1000} s`);
      this.#hangUp();
    });
    void child.end.then(() => this.#happenings.put({ kind: 'over' })); // never rejects
    for (const { ended } of [child.leg, call.world.leg]) {
      ended.addEventListener('abort', this.#tellApart, { once: true });
      if (ended.aborted) this.#tellApart();
    }
    child.departed.addEventListener('abort', this.#onDeparture, { once: true });
    if (child.departed.aborted) this.#onDeparture();
    child.leg.onRefer = (refer) => this.#happenings.put({ kind: 'refer', by: 'called', refer });
    call.world.leg.onRefer = (refer) => this.#happenings.put({ kind: 'refer', by: 'caller', refer });
    if (rules.hangupOnStar) void this.#watchForStar(); // never rejects
  }

  /** What happens next; rejects with the signal's reason. */
  next(signal: AbortSignal): Promise<Happening> {
    return this.#happenings.take(signal);
  }

  /** The parties do not hear each other, until `resume` or for good. */
  async suspend(): Promise<void> {
    const bridge = this.#bridge;
    if (!bridge) return;
    this.#bridge = undefined;
    await bridge.end();
    this.#tellApart();
  }

  resume(): void {
    if (this.#bridge || this.#child.leg.state === 'ended') return;
    this.#bridge = this.#child.join?.('connected') ?? this.#call.world.leg.bridge(this.#child.leg);
    this.#tellTogether();
  }

  /** Nothing is watched any more and the bridge is over. Idempotent. */
  async end(): Promise<void> {
    this.#limit.cancel();
    this.#watching.abort();
    this.#child.leg.onRefer = undefined;
    this.#call.world.leg.onRefer = undefined;
    this.#child.departed.removeEventListener('abort', this.#onDeparture);
    await this.suspend();
    for (const { ended } of [this.#child.leg, this.#call.world.leg]) {
      ended.removeEventListener('abort', this.#tellApart);
    }
  }

  readonly #onDeparture = () => this.#happenings.put({ kind: 'departed' });

  async #watchForStar(): Promise<void> {
    using keys = this.#call.world.leg.keys();
    try {
      while ((await keys.next(this.#watching.signal)) !== '*') {}
      this.#call.world.timeline.add({ type: 'dtmf', digit: '*' });
      this.#hangUp();
    } catch {
      // the conversation, or the call, ended first
    }
  }

  #hangUp(): void {
    // A hang-up that fails is the edge's to bring to an end: the child is over in any case.
    this.#child.leg.hangup().catch(() => {});
  }

  #note(message: string): void {
    this.#call.world.timeline.add({ type: 'note', message });
  }

  #tellTogether(): void {
    this.#together = true;
    this.#tell('bridged');
  }

  /** At once when a leg is over: a call's timeline is closed soon after. */
  readonly #tellApart = () => {
    if (!this.#together) return;
    this.#together = false;
    this.#tell('unbridged');
  };

  /** Both calls' timelines name the other one. */
  #tell(type: 'bridged' | 'unbridged'): void {
    this.#call.world.timeline.add({ type, call: this.#child.callSid });
    this.#child.world.timeline.add({ type, call: this.#call.world.facts.callSid });
  }
}
