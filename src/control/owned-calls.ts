import type { Logger } from '../core/logger.ts';
import { firstOffer, type Ownership, type OwnershipEvent, step, type Verdict } from './ownership.ts';
import type { EdgeMessage } from './protocol.ts';
import type { WorkerSession } from './worker-session.ts';

/** A call, and the worker's connection through which it is owned. */
export interface OwnedCall {
  ownership: Ownership;
  readonly session: WorkerSession;
  /** While a dialled call waits for the edge's answer: what is to be told after it. */
  unsaid: EdgeMessage[] | undefined;
}

/** The calls of an edge process that workers own, by CallSid. */
export class OwnedCalls {
  readonly #calls = new Map<string, OwnedCall>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get size(): number {
    return this.#calls.size;
  }

  get(callSid: string): OwnedCall | undefined {
    return this.#calls.get(callSid);
  }

  delete(callSid: string): void {
    this.#calls.delete(callSid);
  }

  hold(session: WorkerSession, callSid: string, epoch: number, unsaid?: EdgeMessage[]): OwnedCall {
    const [ownership] = step(firstOffer(epoch), { type: 'claim', epoch, worker: session.key });
    const held = { ownership, session, unsaid };
    this.#calls.set(callSid, held);
    return held;
  }

  /** Nobody owns its calls any more; returns which they were. */
  lose(session: WorkerSession): readonly string[] {
    const held = [...this.#calls].filter(([, call]) => call.session === session).map(([callSid]) => callSid);
    for (const callSid of held) this.#calls.delete(callSid);
    return held;
  }

  /** To the owner of the call, when it is owned in this epoch. */
  tell(message: Extract<EdgeMessage, { readonly callSid: string }>): void {
    const held = this.#calls.get(message.callSid);
    if (held?.ownership.epoch !== message.epoch) return;
    if (held.unsaid) held.unsaid.push(message);
    else held.session.send(message);
  }

  /** What becomes of a worker's act on a call, which may not be its own. */
  apply(session: WorkerSession, callSid: string, event: OwnershipEvent): Verdict {
    const held = this.#calls.get(callSid);
    if (!held) return 'gone';
    const [next, verdict] = step(held.ownership, event);
    held.ownership = next;
    if (verdict !== 'ok') {
      const fields = { CallSid: callSid, worker: session.link?.worker, event: event.type, verdict };
      this.#logger.warn(fields, 'a worker acted on a call that it does not own');
    }
    return verdict;
  }
}
