import { parseCSeq } from '../message/cseq.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { serialize } from '../message/serialize.ts';
import { topVia } from '../message/via.ts';
import { ackOf } from './companion.ts';
import type { ClientEvent, ClientTold, Effect } from './effect.ts';
import * as inviteClient from './invite-client.ts';
import * as nonInviteClient from './non-invite-client.ts';
import { type Machine, Running } from './running.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { TransactionSettings } from './timers.ts';

export interface ClientOptions {
  readonly settings: TransactionSettings;
  readonly branch: string;
  readonly send: (request: Buffer) => void;
  readonly tell: (told: ClientTold) => void;
}

/** One request waiting for its responses. */
export class ClientTransaction {
  readonly key: string;
  readonly request: SipRequest;
  readonly options: ClientOptions;
  readonly #first: readonly Effect<ClientTold>[];
  /** The request was sent; before, its host is being looked up. */
  begun = false;
  readonly #machine: Machine<ClientEvent, ClientTold>;

  constructor(table: ClientTransactions, wheel: TimerWheel, request: SipRequest, options: ClientOptions) {
    this.key = `${options.branch} ${request.method}`;
    this.request = request;
    this.options = options;
    const { settings, send, tell } = options;
    const running = { wheel, send, tell, gone: () => table.remove(this) };
    const bytes = serialize(request);
    if (request.method === 'INVITE') {
      const [state, effects] = inviteClient.start(bytes, settings);
      this.#machine = new Running(state, inviteClient.step, running);
      this.#first = effects;
    } else {
      const [state, effects] = nonInviteClient.start(bytes, settings);
      this.#machine = new Running(state, nonInviteClient.step, running);
      this.#first = effects;
    }
  }

  /** Sends the request for the first time. */
  begin(): void {
    this.begun = true;
    this.#machine.perform(this.#first);
  }

  receive(response: SipResponse): void {
    const refused = response.status >= 300 && this.request.method === 'INVITE';
    this.#machine.feed({
      kind: 'response',
      response,
      ...(refused ? { ack: serialize(ackOf(this.request, response)) } : {}),
    });
  }

  /** A CANCEL for it was sent: it does not wait for ever any more. */
  cancelled(): void {
    this.#machine.feed({ kind: 'cancelled' });
  }

  /** The request could not be sent. */
  fail(): void {
    this.#machine.feed({ kind: 'transport-error' });
  }

  abandon(): void {
    this.#machine.abandon();
  }
}

/** Every client transaction of an agent, found by branch and method (RFC 3261 §17.1.3). */
export class ClientTransactions {
  readonly #wheel: TimerWheel;
  readonly #all = new Map<string, ClientTransaction>();

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
  }

  get size(): number {
    return this.#all.size;
  }

  /** A new transaction; `begin` sends the request. */
  create(request: SipRequest, options: ClientOptions): ClientTransaction {
    const transaction = new ClientTransaction(this, this.#wheel, request, options);
    this.#all.set(transaction.key, transaction);
    return transaction;
  }

  /** False when it answers nothing that was asked. */
  receive(response: SipResponse): boolean {
    const branch = topVia(response)?.branch;
    const method = parseCSeq(response.headers.get('cseq') ?? '')?.method;
    const transaction = this.#all.get(`${branch} ${method}`);
    transaction?.receive(response);
    return transaction !== undefined;
  }

  /** Called by a transaction that has ended. */
  remove(transaction: ClientTransaction): void {
    this.#all.delete(transaction.key);
  }

  /** Ends all of them; who still waits for a response is told that there was a failure. */
  clear(): void {
    for (const transaction of this.#all.values()) {
      transaction.fail();
      transaction.abandon();
    }
  }
}
