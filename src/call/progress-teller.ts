import type { Clock } from '../core/clock.ts';
import type { CallFacts } from './facts.ts';
import type { OrderedCallback } from './orders.ts';
import type { CallRecord } from './record.ts';
import {
  completedCallbackId,
  type ProgressEvent,
  progressEvents,
  type StatusCallbackDetails,
  statusCallbackParameters,
} from './status-callback.ts';
import type { CallbackTask } from './tasks.ts';

export interface ProgressTellerOptions {
  readonly asked: OrderedCallback | null;
  readonly facts: CallFacts;
  readonly clock: Clock;
  /** Queues a callback under its name. */
  readonly queue: (task: CallbackTask, id: string) => void;
}

/** The status callbacks of one call that we make: those that were asked for, in order, counted from 0. */
export class ProgressTeller {
  readonly #o: ProgressTellerOptions;
  readonly #events: readonly ProgressEvent[];
  #told = 0;

  constructor(options: ProgressTellerOptions) {
    this.#o = options;
    this.#events = progressEvents(options.asked?.events ?? []);
  }

  /** How many have been told: the number of the next one. */
  get told(): number {
    return this.#told;
  }

  tell(
    event: ProgressEvent,
    record: Pick<CallRecord, 'status' | 'duration'>,
    details: Partial<StatusCallbackDetails> = {},
  ): void {
    const { asked, facts, clock, queue } = this.#o;
    if (asked === null || !this.#events.includes(event)) return;
    const { accountSid, callSid } = facts;
    const sequence = this.#told++;
    const params = statusCallbackParameters(facts, record, {
      at: clock.now(),
      sequence,
      ...(event === 'initiated' && { status: event }),
      ...details,
    });
    const { url, method } = asked;
    const task: CallbackTask = { kind: 'status-callback', accountSid, callSid, url, method, params };
    // Whoever else finds the call ended tells its end under the same name: it is told once.
    queue(task, event === 'completed' ? completedCallbackId(callSid) : `progress-${callSid}-${sequence}`);
  }
}
