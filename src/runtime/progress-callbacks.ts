import type { CallFacts } from '../call/facts.ts';
import type { OrderedCallback } from '../call/orders.ts';
import type { CallRecord } from '../call/record.ts';
import {
  completedCallbackId,
  type ProgressEvent,
  progressEvents,
  type StatusCallbackDetails,
  statusCallbackParameters,
} from '../call/status-callback.ts';
import { CALLBACK_ATTEMPTS, type CallbackTask } from '../call/tasks.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { TaskQueue } from '../queue/port.ts';
import { surely } from './surely.ts';

/** The status callbacks of one call that we make: those that were asked for, in order, counted from 0. */
export interface ProgressCallbacks {
  /** How many have been told: the number of the next one. */
  readonly told: number;
  /** Not waited for: what the queue cannot take yet is tried again, and the next one comes after it. */
  tell(event: ProgressEvent, record: CallRecord, details?: Partial<StatusCallbackDetails>): void;
  /** Resolves when the queue has taken all that were told. */
  settled(): Promise<void>;
}

export function createProgressCallbacks(options: {
  readonly asked: OrderedCallback | null;
  readonly facts: CallFacts;
  readonly callbacks: TaskQueue<CallbackTask>;
  readonly clock: Clock;
  readonly logger: Logger;
}): ProgressCallbacks {
  const { asked, facts, callbacks, clock, logger } = options;
  const events = progressEvents(asked?.events ?? []);
  let told = 0;
  let queued = Promise.resolve();

  return {
    get told() {
      return told;
    },
    tell(event, record, details = {}) {
      if (asked === null || !events.includes(event)) return;
      const sequence = told++;
      const params = statusCallbackParameters(facts, record, {
        at: clock.now(),
        sequence,
        ...(event === 'initiated' && { status: event }),
        ...details,
      });
      const task: CallbackTask = {
        kind: 'status-callback',
        accountSid: facts.accountSid,
        callSid: facts.callSid,
        url: asked.url,
        method: asked.method,
        params,
      };
      // Whoever else finds the call ended tells its end under the same name: it is told once.
      const id =
        event === 'completed' ? completedCallbackId(facts.callSid) : `progress-${facts.callSid}-${sequence}`;
      queued = queued.then(() =>
        surely(
          () => callbacks.add(task, { id, ...CALLBACK_ATTEMPTS }),
          clock,
          logger,
          'a status callback cannot be queued yet',
        ),
      );
    },
    settled: () => queued,
  };
}
