import { CallbackDelivery } from '../call/callback-delivery.ts';
import { CALLBACK_ATTEMPTS, type CallbackTask } from '../call/tasks.ts';
import type { Clock } from '../core/clock.ts';
import { createMemoryTaskQueue, type MemoryTaskQueue } from '../queue/memory/task-queue.ts';
import type { WebhookSession } from '../webhook/port.ts';
import type { Chronicle } from './chronicle.ts';

/** The callbacks of one call in virtual time: queued, ordered and tried again as those of a Region are. */
export class SimulatedCallbacks {
  readonly #queue: MemoryTaskQueue<CallbackTask>;
  /** Those that are not over, each with what resolves its promise. */
  readonly #open = new Map<CallbackTask, { readonly over: Promise<void>; readonly end: () => void }>();
  #added = 0;

  /** `webhooks` makes a session for one request. */
  constructor(clock: Clock, webhooks: () => WebhookSession, chronicle: Chronicle) {
    this.#queue = createMemoryTaskQueue(clock);
    const delivery = new CallbackDelivery({
      clock,
      webhooks,
      onResult: async () => {}, // the application has seen them
      onRefused: async (_, diagnostic) => chronicle.report(diagnostic),
    });
    this.#queue.process(Number.POSITIVE_INFINITY, async (task, attempt) => {
      let isOver = attempt.last;
      try {
        await delivery.deliver(task, attempt);
        isOver = true;
      } finally {
        if (isOver) this.#end(task);
      }
    });
  }

  add(task: CallbackTask): void {
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#open.set(task, { over, end });
    void this.#queue.add(task, { id: `callback-${this.#added++}`, ...CALLBACK_ATTEMPTS });
  }

  /** Resolves when nobody is being told of anything any more. */
  async settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all([...this.#open.values()].map(({ over }) => over));
    for (const { error } of this.#queue.failed) throw error; // an application's refusal is no failure
  }

  #end(task: CallbackTask): void {
    this.#open.get(task)?.end();
    this.#open.delete(task);
  }
}
