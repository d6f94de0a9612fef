import type { CallFacts } from '../call/facts.ts';
import type { OrderedCallback } from '../call/orders.ts';
import { ProgressTeller } from '../call/progress-teller.ts';
import type { CallRecord } from '../call/record.ts';
import type { ProgressEvent, StatusCallbackDetails } from '../call/status-callback.ts';
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
  let queued = Promise.resolve();
  const queue = (task: CallbackTask, id: string) => {
    const add = () => callbacks.add(task, { id, ...CALLBACK_ATTEMPTS });
    queued = queued.then(() => surely(add, clock, logger, 'a status callback cannot be queued yet'));
  };
  const teller = new ProgressTeller({ asked, facts, clock, queue });
  return {
    get told() {
      return teller.told;
    },
    tell: (event, record, details) => teller.tell(event, record, details),
    settled: () => queued,
  };
}
