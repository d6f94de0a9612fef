import type { Queue, Worker } from 'bullmq';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { TaskOptions, TaskQueue } from '../port.ts';
import { assertTaskId } from '../task-id.ts';
import { bullmq } from './bullmq.ts';
import { ADD_TIMEOUT_MS, bounded, connectQueue, type QueueConnection } from './connection.ts';

/** The contract keeps the last 1,000 finished jobs and every failed one for the dashboard (DESIGN §2). */
const KEPT = { removeOnComplete: { count: 1_000 }, removeOnFail: false } as const;

export interface BullTaskQueueOptions {
  /** Redis URL of the Region. */
  readonly connection: string;
  /** `region.queues.callbacks` or `region.queues.recordings`. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long `add` waits for Redis before it rejects. */
  readonly addTimeoutMs?: number;
}

/** A durable task queue on BullMQ. Tasks may run twice (a stalled worker): handlers are idempotent. */
export function createBullTaskQueue<T extends { readonly kind: string }>(
  options: BullTaskQueueOptions,
): TaskQueue<T> {
  return new BullTaskQueue<T>(options);
}

class BullTaskQueue<T extends { readonly kind: string }> implements TaskQueue<T> {
  readonly #options: BullTaskQueueOptions;
  readonly #connection: QueueConnection;
  readonly #queue: Queue<T, void, string, T, void, string>;
  readonly #running = new Set<Promise<void>>();
  #worker: Worker<T, void, string> | undefined;

  constructor(options: BullTaskQueueOptions) {
    this.#options = options;
    this.#connection = connectQueue(options.connection, options.name, options.logger);
    this.#queue = new bullmq.Queue<T, void, string, T, void, string>(options.name, {
      connection: this.#connection.redis,
      defaultJobOptions: KEPT,
    });
    this.#queue.on('error', (error) => this.#note(error));
  }

  async add(task: T, options: TaskOptions): Promise<void> {
    assertTaskId(options.id);
    const { clock, addTimeoutMs } = this.#options;
    await bounded(this.#connection, clock, addTimeoutMs ?? ADD_TIMEOUT_MS, () =>
      this.#queue.add(task.kind, task, {
        jobId: options.id,
        attempts: options.attempts,
        backoff: { type: 'exponential', delay: options.backoffMs },
      }),
    );
  }

  process(
    concurrency: number,
    handler: (task: T, attempt: { readonly number: number; readonly last: boolean }) => Promise<void>,
  ): void {
    if (this.#worker) throw new Error(`the tasks of ${this.#options.name} are already being processed here`);
    this.#worker = new bullmq.Worker<T, void, string>(
      this.#options.name,
      (job) => {
        const number = job.attemptsMade + 1;
        const run = handler(job.data, { number, last: number >= (job.opts.attempts ?? 1) });
        this.#running.add(run);
        return run.finally(() => this.#running.delete(run));
      },
      { connection: this.#connection.redis, concurrency },
    );
    this.#worker.on('error', (error) => this.#note(error));
    this.#worker.on('failed', (job, error) =>
      this.#options.logger.warn(
        { err: error, task: job?.id, kind: job?.name, attempt: job?.attemptsMade, queue: this.#options.name },
        'a task failed',
      ),
    );
  }

  async close(): Promise<void> {
    const closing = Promise.all([this.#worker?.close(), this.#queue.close()]);
    // Handlers may take their time; only what is left to write afterwards is bounded.
    await Promise.race([closing, this.#idle()]);
    await this.#connection.close(this.#options.clock, closing);
  }

  async #idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  #note(error: Error): void {
    this.#options.logger.debug({ err: error, queue: this.#options.name }, 'queue error');
  }
}
