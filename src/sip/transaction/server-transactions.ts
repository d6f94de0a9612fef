import type { ServerEvent, ServerTold } from './effect.ts';
import type { IncomingRequest } from './incoming.ts';
import * as inviteServer from './invite-server.ts';
import * as nonInviteServer from './non-invite-server.ts';
import { type Machine, Running } from './running.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { TransactionSettings } from './timers.ts';

export interface ServerOptions {
  readonly settings: TransactionSettings;
  /** Sends a response where the request's Via says. */
  readonly send: (response: Buffer) => void;
}

/** One request being answered. */
export class ServerTransaction {
  readonly key: string;
  /** Set where a copy of the request could arrive by another path: it has no To tag. */
  readonly mergeKey: string | undefined;
  /** Another transaction runs for a copy of this request (RFC 3261 §8.2.2.2). */
  merged = false;
  readonly send: (response: Buffer) => void;
  /** Hears what happens to the responses. */
  onTold: ((told: ServerTold) => void) | undefined;
  readonly #machine: Machine<ServerEvent, ServerTold>;
  readonly #table: ServerTransactions;
  /** Called once, with the final response or an end without one. */
  onSettled: (() => void) | undefined;
  #answered = false;
  #over = false;

  constructor(
    table: ServerTransactions,
    wheel: TimerWheel,
    incoming: IncomingRequest,
    options: ServerOptions,
  ) {
    this.key = incoming.ownKey;
    this.mergeKey = incoming.toTag === '' ? incoming.mergeKey : undefined;
    this.send = options.send;
    this.#table = table;
    const running = {
      wheel,
      send: options.send,
      tell: (told: ServerTold) => this.onTold?.(told),
      gone: () => this.#gone(),
    };
    this.#machine =
      incoming.method === 'INVITE'
        ? new Running(inviteServer.start(options.settings), inviteServer.step, running)
        : new Running(nonInviteServer.start(options.settings), nonInviteServer.step, running);
  }

  /** Claims a final response was sent. */
  get answered(): boolean {
    return this.#answered;
  }

  /** The request came again. */
  repeat(): void {
    this.#machine.feed({ kind: 'request' });
  }

  acknowledge(): void {
    this.#machine.feed({ kind: 'ack' });
  }

  /** Without effect once the transaction is over: an answer that took too long. */
  respond(status: number, message: Buffer): void {
    if (this.#over) return;
    if (status >= 200 && !this.#answered) {
      this.#answered = true;
      this.#table.settle(this);
      this.onSettled?.();
      this.onSettled = undefined;
    }
    this.#machine.feed({ kind: 'respond', status, message });
  }

  /** Sends a final response and keeps nothing: a repetition will be a new request (RFC 3261 §8.2.7). */
  dismiss(message: Buffer): void {
    if (this.#over || this.#answered) return;
    this.send(message);
    this.abandon();
  }

  /** The last response could not be sent. */
  fail(): void {
    this.#machine.feed({ kind: 'transport-error' });
  }

  abandon(): void {
    this.#machine.abandon();
  }

  #gone(): void {
    this.#over = true;
    this.#table.remove(this);
    if (!this.#answered) this.onSettled?.();
  }
}

/**
 * Every server transaction of an agent. Answered ones stay for up to 64·T1 to absorb repetitions; of those at most
 * `maxSettled` are kept, and the oldest go first: a repetition of one is then taken for a new request.
 */
export class ServerTransactions {
  readonly #wheel: TimerWheel;
  readonly #maxSettled: number;
  readonly #all = new Map<string, ServerTransaction>();
  readonly #merges = new Map<string, ServerTransaction>();
  readonly #settled = new Set<ServerTransaction>();

  constructor(wheel: TimerWheel, maxSettled: number) {
    this.#wheel = wheel;
    this.#maxSettled = maxSettled;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Those without a final response. */
  get pending(): number {
    return this.#all.size - this.#settled.size;
  }

  find(key: string): ServerTransaction | undefined {
    return this.#all.get(key);
  }

  start(incoming: IncomingRequest, options: ServerOptions): ServerTransaction {
    const transaction = new ServerTransaction(this, this.#wheel, incoming, options);
    this.#all.set(transaction.key, transaction);
    const { mergeKey } = transaction;
    if (mergeKey !== undefined) {
      if (this.#merges.has(mergeKey)) transaction.merged = true;
      else this.#merges.set(mergeKey, transaction);
    }
    return transaction;
  }

  /** Called by a transaction that sends its final response. */
  settle(transaction: ServerTransaction): void {
    this.#settled.add(transaction);
    if (this.#settled.size <= this.#maxSettled) return;
    for (const oldest of this.#settled) {
      oldest.abandon();
      return;
    }
  }

  /** Called by a transaction that has ended. */
  remove(transaction: ServerTransaction): void {
    this.#all.delete(transaction.key);
    this.#settled.delete(transaction);
    const { mergeKey } = transaction;
    if (mergeKey !== undefined && this.#merges.get(mergeKey) === transaction) this.#merges.delete(mergeKey);
  }

  clear(): void {
    for (const transaction of this.#all.values()) transaction.abandon();
  }
}
