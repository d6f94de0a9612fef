import type { CallJob } from '../call/job.ts';
import type { CallOrder, OrderReply } from '../call/orders.ts';

/** A call job in a worker's hands. Exactly one of the two is called, once. */
export interface TakenCall {
  readonly job: CallJob;
  /** The worker was granted the call (or the call no longer exists): the job is done. */
  complete(result: 'granted' | 'gone' | 'superseded'): Promise<void>;
  fail(reason: string): Promise<void>;
}

/** The Region's dispatch queue, `calls-<region>`. */
export interface CallQueue {
  /** `delayMs`: workers see it that much later. */
  add(job: CallJob, options?: { readonly delayMs?: number }): Promise<void>;
  /** Takes a job that no worker has back out; false when it is gone or already taken. */
  withdraw(callSid: string, epoch: number): Promise<boolean>;
  /** Whether the job waits, is delayed, or is in a worker's hands. */
  holds(callSid: string, epoch: number): Promise<boolean>;
  /** Waits for the next job; resolves undefined when the signal is aborted. */
  take(signal: AbortSignal): Promise<TakenCall | undefined>;
  waiting(): Promise<number>;
  close(): Promise<void>;
}

export interface TaskOptions {
  /** Makes adding idempotent: a task with an id that exists is not added again. */
  readonly id: string;
  /** Attempts in all, at least 1. */
  readonly attempts: number;
  /** First delay between attempts; doubles each time. */
  readonly backoffMs: number;
}

/** A durable queue of small tasks: `callbacks-<region>` and `recordings-<region>`. */
export interface TaskQueue<T extends { readonly kind: string }> {
  add(task: T, options: TaskOptions): Promise<void>;
  /**
   * Starts taking tasks, `concurrency` at a time. A handler that rejects is retried as its options say;
   * `attempt` counts from 1, `last` is true on the final one.
   */
  process(
    concurrency: number,
    handler: (task: T, attempt: { readonly number: number; readonly last: boolean }) => Promise<void>,
  ): void;
  /** Waits for running handlers. */
  close(): Promise<void>;
}

/**
 * Orders from the REST API to the worker that runs a call, and the answers: small, at most once, seconds at most.
 * The worker is the one that the call's record names.
 */
export interface OrderSender {
  /** Rejects with OrderUnanswered when the worker does not answer in time. */
  send(worker: string, order: CallOrder): Promise<OrderReply>;
  close(): Promise<void>;
}

export interface OrderReceiver {
  /** Handles the orders to `worker` as they come, several at a time; a rejection is answered as `wrong-state`. */
  receive(worker: string, handler: (order: CallOrder) => Promise<OrderReply>): void;
  close(): Promise<void>;
}

/** No answer within the time given: the worker is gone, or its Redis is. */
export class OrderUnanswered extends Error {
  override readonly name = 'OrderUnanswered';
}

/**
 * How fast an account's calls from the REST API leave; those that are too many wait as `queued`.
 * @see https://www.twilio.com/docs/voice/api/call-resource#calls-per-second
 */
export interface CallPace {
  /** Takes the account's next free moment; resolves with how long it is until then, milliseconds. */
  next(accountSid: string): Promise<number>;
}
