import type { Job, Queue, Worker } from 'bullmq';
import { type CallJob, jobId } from '../../call/job.ts';
import { type Clock, sleep } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { Region } from '../../region/region.ts';
import type { CallQueue, TakenCall } from '../port.ts';
import { bullmq } from './bullmq.ts';
import { ADD_TIMEOUT_MS, bounded, connectQueue, type QueueConnection } from './connection.ts';

/** The contract keeps the last 1,000 finished jobs and every failed one for the dashboard (DESIGN §2). */
const KEPT = { removeOnComplete: { count: 1_000 }, removeOnFail: false, attempts: 1 } as const;

/** States of a job that no worker has. */
const UNTAKEN: ReadonlySet<string> = new Set(['waiting', 'delayed']);

/**
 * Our choice: a worker holds a job only for the claim, well under a second. A worker that died in between is
 * noticed after this long and the job offered again, while the caller still hears ringing.
 */
const CLAIM_LOCK_MS = 5_000;

/** Our choice: pause before asking again when Redis refused a fetch. */
const FETCH_RETRY_MS = 200;

export interface BullCallQueueOptions {
  /** Redis URL of the Region. */
  readonly connection: string;
  readonly region: Region;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long `add` waits for Redis before it rejects. */
  readonly addTimeoutMs?: number;
}

/**
 * The dispatch queue on BullMQ. Jobs are fetched by hand, never processed by BullMQ: no lock is renewed, and a
 * process that only adds opens no blocking connection.
 *
 * @see https://docs.bullmq.io/patterns/manually-fetching-jobs
 */
export function createBullCallQueue(options: BullCallQueueOptions): CallQueue {
  return new BullCallQueue(options);
}

interface Taker {
  deliver(job: Job<CallJob>, token: string): void;
  dismiss(): void;
}

class BullCallQueue implements CallQueue {
  readonly #options: BullCallQueueOptions;
  readonly #connection: QueueConnection;
  readonly #queue: Queue<CallJob>;
  readonly #takers: Taker[] = [];
  #worker: Worker<CallJob> | undefined;
  #pump: Promise<void> | undefined;
  #tokens = 0;
  #closed = false;

  constructor(options: BullCallQueueOptions) {
    this.#options = options;
    const name = options.region.queues.calls;
    this.#connection = connectQueue(options.connection, name, options.logger);
    this.#queue = new bullmq.Queue<CallJob>(name, {
      connection: this.#connection.redis,
      defaultJobOptions: KEPT,
    });
    this.#queue.on('error', (error) => options.logger.debug({ err: error, queue: name }, 'queue error'));
  }

  async add(job: CallJob, { delayMs = 0 }: { readonly delayMs?: number } = {}): Promise<void> {
    const id = jobId(job.callSid, job.epoch);
    await this.#soon(() =>
      this.#queue.add('call', job, { jobId: id, ...(delayMs > 0 && { delay: delayMs }) }),
    );
  }

  async withdraw(callSid: string, epoch: number): Promise<boolean> {
    const id = jobId(callSid, epoch);
    return this.#soon(async () => {
      if (!UNTAKEN.has(await this.#queue.getJobState(id))) return false;
      // A job that was taken between the two commands is locked, and removing it then reports 0.
      return (await this.#queue.remove(id)) === 1;
    });
  }

  async holds(callSid: string, epoch: number): Promise<boolean> {
    const state = await this.#soon(() => this.#queue.getJobState(jobId(callSid, epoch)));
    return state === 'active' || UNTAKEN.has(state);
  }

  waiting(): Promise<number> {
    return this.#soon(() => this.#queue.getWaitingCount());
  }

  take(signal: AbortSignal): Promise<TakenCall | undefined> {
    if (signal.aborted || this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const leave = () => {
        const place = this.#takers.indexOf(taker);
        if (place >= 0) this.#takers.splice(place, 1);
        resolve(undefined);
      };
      const taker: Taker = {
        deliver: (job, token) => {
          signal.removeEventListener('abort', leave);
          resolve(this.#taken(job, token));
        },
        dismiss: () => {
          signal.removeEventListener('abort', leave);
          resolve(undefined);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#takers.push(taker);
      this.#pump ??= this.#fetch();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const taker of this.#takers.splice(0)) taker.dismiss();
    // Forced: a polite close waits for the blocking read to run out.
    await this.#worker?.close(true);
    await this.#connection.close(this.#options.clock, Promise.all([this.#pump, this.#queue.close()]));
  }

  #soon<T>(work: () => Promise<T>): Promise<T> {
    return bounded(this.#connection, this.#options.clock, this.#options.addTimeoutMs ?? ADD_TIMEOUT_MS, work);
  }

  /** Fetches for as long as somebody wants a job; one blocking read at a time serves all takers in order. */
  async #fetch(): Promise<void> {
    try {
      while (this.#takers.length > 0 && !this.#closed) await this.#fetchOne();
    } finally {
      // In the same turn as the last look at the takers: one who comes in the next turn starts a new pump.
      this.#pump = undefined;
    }
  }

  async #fetchOne(): Promise<void> {
    const worker = this.#blockingWorker();
    const token = `${worker.id}:${this.#tokens++}`;
    try {
      const job = await worker.getNextJob(token);
      if (!job) return;
      const taker = this.#takers.shift();
      if (taker) taker.deliver(job, token);
      // Whoever asked has gone: the job returns to the head of the queue for another worker.
      else await job.moveToWait(token);
    } catch (error) {
      if (this.#closed) return;
      this.#options.logger.warn({ err: error, queue: this.#queue.name }, 'fetching the next call failed');
      await sleep(this.#options.clock, FETCH_RETRY_MS);
    }
  }

  #blockingWorker(): Worker<CallJob> {
    if (this.#worker) return this.#worker;
    const { logger } = this.#options;
    const worker = new bullmq.Worker<CallJob>(this.#queue.name, null, {
      connection: this.#connection.redis,
      autorun: false,
      skipLockRenewal: true,
      lockDuration: CLAIM_LOCK_MS,
      stalledInterval: CLAIM_LOCK_MS,
    });
    worker.on('error', (error) => logger.debug({ err: error, queue: worker.name }, 'queue error'));
    worker.on('stalled', (id) =>
      logger.warn({ job: id, queue: worker.name }, 'a claimed call was offered again'),
    );
    worker
      .startStalledCheckTimer()
      .catch((error: unknown) => logger.error({ err: error, queue: worker.name }, 'stalled check'));
    this.#worker = worker;
    return worker;
  }

  #taken(job: Job<CallJob>, token: string): TakenCall {
    return {
      job: job.data,
      complete: (result) => this.#settle(job, () => job.moveToCompleted(result, token, false)),
      fail: (reason) => this.#settle(job, () => job.moveToFailed(new Error(reason), token, false)),
    };
  }

  /** A lock that ran out means that the call was offered again: the edge's epoch decides, not this job. */
  async #settle(job: Job<CallJob>, move: () => Promise<unknown>): Promise<void> {
    try {
      await move();
    } catch (error) {
      this.#options.logger.warn(
        { err: error, CallSid: job.data.callSid, region: job.data.region, queue: this.#queue.name },
        'the job could not be closed; the edge decides who owns the call',
      );
    }
  }
}
