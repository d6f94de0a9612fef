import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { SipMessage, SipRequest } from '../message/message.ts';
import { parseMessage } from '../message/parse.ts';
import { topVia, type Via } from '../message/via.ts';
import { IncomingRequest } from '../transaction/incoming.ts';
import type { ServerTransaction } from '../transaction/server-transactions.ts';
import { lifetime, RFC_TIMERS, type TimerValues } from '../transaction/timers.ts';
import type { Origin, Transports } from '../transport/port.ts';
import { type Lookup, lookupA } from '../transport/resolve.ts';
import { bindTcp } from '../transport/tcp.ts';
import { bindUdp } from '../transport/udp.ts';
import { type Answer, answerToMethod, objectionTo, partsOf } from './answers.ts';
import { InboundCall } from './inbound-call.ts';
import { type AgentLimits, LIMITS } from './limits.ts';
import { Listener, noteSource, replyAddress, Source } from './listener.ts';
import { OutboundCall } from './outbound-call.ts';
import type {
  AgentCensus,
  InviteOptions,
  OutboundInvite,
  RequestReply,
  SipAgent,
  SipListener,
  SipSource,
} from './port.ts';
import { Stack } from './stack.ts';

/** Seconds a refused peer is asked to wait (our choice; RFC 3261 §21.5.4). */
const RETRY_AFTER = '5';

export interface SipAgentOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Addresses of host names; the system's A records when absent. */
  readonly lookup?: Lookup;
  /** User-Agent and Server header. */
  readonly userAgent?: string;
  readonly timers?: TimerValues;
  readonly limits?: Partial<AgentLimits>;
  /** Real sockets when absent. */
  readonly transports?: Transports;
}

/** A SIP user agent without listeners yet. */
export function createSipAgent(options: SipAgentOptions): SipAgent {
  return new Agent(options);
}

class Agent implements SipAgent {
  onInvite: SipAgent['onInvite'];
  screens = false;
  onRequest: SipAgent['onRequest'];
  onMalformed: SipAgent['onMalformed'];
  onDisconnected: SipAgent['onDisconnected'];
  readonly #clock: Clock;
  readonly #stack: Stack;
  readonly #limits: AgentLimits;
  readonly #transports: Transports;
  /** By the key of the INVITE's server transaction, until it has a final response: what a CANCEL looks for. */
  readonly #ringing = new Map<string, InboundCall>();
  #draining = false;
  #closed = false;

  constructor(options: SipAgentOptions) {
    this.#clock = options.clock;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#transports = options.transports ?? { udp: bindUdp, tcp: bindTcp };
    this.#stack = new Stack({
      clock: options.clock,
      ids: options.ids,
      logger: options.logger,
      lookup: options.lookup ?? lookupA,
      userAgent: options.userAgent ?? 'Trunkline',
      timers: options.timers ?? RFC_TIMERS,
      maxSettled: this.#limits.settledRequests,
    });
  }

  async listen(options: Parameters<SipAgent['listen']>[0]): Promise<SipListener> {
    if (this.#closed) throw new Error('this SIP agent is closed');
    let listener: Listener | undefined;
    const source = (from: Origin) =>
      listener && new Source(from.address, from.port, listener, from.connection);
    const socket = await this.#transports[options.transport]({
      host: options.host,
      port: options.port,
      clock: this.#clock,
      limits: this.#limits.transport,
      receive: (message, from) => this.#receive(message, source(from)),
      malformed: (reason, from) => this.#malformed(reason, source(from)),
      closed: (from) => this.#disconnected(source({ ...from, connection: undefined })),
      error: (error) => this.#stack.fault(`the ${options.transport} listener ${options.label}`, error),
    });
    listener = new Listener(socket, options.label, options.advertise);
    this.#stack.listeners.push(listener);
    return listener;
  }

  invite(options: InviteOptions): OutboundInvite {
    const { listener } = options;
    if (this.#closed) throw new Error('this SIP agent is closed');
    if (!(listener instanceof Listener)) throw new TypeError('the listener is not one of this SIP agent');
    return new OutboundCall(this.#stack, listener, options);
  }

  census(): AgentCensus {
    const { servers, clients, dialogs, wheel, listeners } = this.#stack;
    return {
      serverTransactions: servers.size,
      clientTransactions: clients.size,
      dialogs: dialogs.size,
      timers: wheel.size,
      connections: listeners.reduce((sum, listener) => sum + listener.socket.connections, 0),
    };
  }

  drain(): void {
    this.#draining = true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const { dialogs, outbound, servers, clients, wheel, listeners } = this.#stack;
    for (const party of [...outbound, ...dialogs.values()]) party.shutDown();
    await Promise.all(listeners.splice(0).map((listener) => listener.socket.close()));
    servers.clear();
    clients.clear();
    wheel.clear();
  }

  /** The only entry for what peers send: nothing thrown below leaves it. */
  #receive(bytes: Buffer, source: Source | undefined): void {
    if (!source || this.#closed) return;
    try {
      const parsed = parseMessage(bytes);
      if (parsed.ok) this.#message(parsed.message, source);
      else {
        const via = parsed.answerable && topVia(parsed.answerable);
        if (via) this.#refuse(noted(parsed.answerable, via, source), parsed.status, source);
        this.#malformed(parsed.reason, source);
      }
    } catch (error) {
      this.#stack.fault('a SIP message', error);
    }
  }

  #malformed(reason: string, source: SipSource | undefined): void {
    if (!source) return;
    try {
      this.onMalformed?.(reason, source);
    } catch (error) {
      this.#stack.fault('the handler of malformed messages', error);
    }
  }

  #disconnected(source: SipSource | undefined): void {
    if (!source) return;
    try {
      this.onDisconnected?.(source);
    } catch (error) {
      this.#stack.fault('the handler of closed connections', error);
    }
  }

  #message(message: SipMessage, source: Source): void {
    if (message.kind === 'response') {
      this.#stack.clients.receive(message); // one that answers nothing is dropped (§18.1.2)
      return;
    }
    const via = topVia(message);
    if (!via) return;
    const incoming = noted(message, via, source);
    if (message.method === 'ACK') this.#acknowledge(incoming);
    else if (message.method === 'CANCEL') this.#cancel(incoming, source);
    else this.#request(incoming, source);
  }

  /** An ACK belongs to the transaction of a refusal, or to the dialog of a 2xx (RFC 3261 §17.1.1.3, §13.2.2.4). */
  #acknowledge(incoming: IncomingRequest): void {
    const transaction = this.#stack.servers.find(incoming.transactionKey('INVITE'));
    if (transaction) transaction.acknowledge();
    this.#stack.dialogs.get(incoming.dialogKey)?.acknowledge(incoming);
  }

  #request(incoming: IncomingRequest, source: Source): void {
    const { servers, dialogs } = this.#stack;
    const repeated = servers.find(incoming.ownKey);
    if (repeated) {
      repeated.repeat();
      return;
    }
    if (servers.pending >= this.#limits.pendingRequests) {
      this.#refuse(incoming, 503, source);
      return;
    }
    const transaction = this.#start(incoming, source);
    const { method } = incoming;
    try {
      // §8.2.2.2
      const objection = transaction.merged ? { status: 482 } : objectionTo(incoming);
      if (objection) this.#dismiss(transaction, incoming, objection);
      else if (incoming.toTag !== '') {
        const party = dialogs.get(incoming.dialogKey);
        if (party) party.receive(incoming, transaction);
        else this.#dismiss(transaction, incoming, { status: 481 });
      } else if (method === 'INVITE') this.#invite(incoming, transaction, source);
      else this.#outOfDialog(incoming, transaction, source);
    } catch (error) {
      this.#stack.fault(`the handler of ${method}`, error);
      if (!transaction.answered) this.#answer(transaction, incoming, { status: 500 });
    }
  }

  #start(incoming: IncomingRequest, source: Source): ServerTransaction {
    const { listener, connection } = source;
    const to = replyAddress(incoming.via, source);
    const transaction = this.#stack.servers.start(incoming, {
      settings: { reliable: listener.reliable, timers: this.#stack.timers },
      send: (message) => listener.socket.send(message, to, options),
    });
    const options = { over: connection, failed: () => transaction.fail() };
    return transaction;
  }

  #invite(incoming: IncomingRequest, transaction: ServerTransaction, source: Source): void {
    if (this.#draining) {
      const headers = { 'Retry-After': RETRY_AFTER };
      this.#dismiss(transaction, incoming, { status: 503, headers });
      return;
    }
    if (!this.onInvite) {
      this.#dismiss(transaction, incoming, { status: 480 });
      return;
    }
    const call = new InboundCall(this.#stack, incoming, transaction, source);
    this.#ringing.set(transaction.key, call);
    transaction.onSettled = () => this.#ringing.delete(transaction.key);
    if (!this.screens) call.trying();
    try {
      this.onInvite(call);
    } catch (error) {
      this.#stack.fault('the handler of INVITE', error);
      call.abandon();
    }
  }

  #outOfDialog(incoming: IncomingRequest, transaction: ServerTransaction, source: Source): void {
    const { request, method } = incoming;
    const reply =
      method === 'BYE' ? { status: 481, stateless: true as const } : this.onRequest?.(request, source);
    if (reply instanceof Promise) this.#answerLater(transaction, incoming, reply);
    else if (reply) this.#answer(transaction, incoming, reply);
    else this.#dismiss(transaction, incoming, answerToMethod(method));
  }

  #answerLater(
    transaction: ServerTransaction,
    incoming: IncomingRequest,
    reply: Promise<RequestReply>,
  ): void {
    const { wheel, timers } = this.#stack;
    const givenUp = wheel.after(lifetime(timers), () => transaction.abandon());
    reply
      .then((answer) => this.#answer(transaction, incoming, answer))
      .catch((error: unknown) => {
        this.#stack.fault(`the handler of ${incoming.method}`, error);
        if (!transaction.answered) this.#answer(transaction, incoming, { status: 500 });
      })
      .finally(() => givenUp.cancel());
  }

  /** RFC 3261 §9.2: 200 when there is an INVITE, whatever has become of it, and 487 to one still unanswered. */
  #cancel(incoming: IncomingRequest, source: Source): void {
    const { servers } = this.#stack;
    const repeated = servers.find(incoming.transactionKey('CANCEL'));
    if (repeated) {
      repeated.repeat();
      return;
    }
    const invite = servers.find(incoming.transactionKey('INVITE'));
    const call = invite && this.#ringing.get(invite.key);
    const transaction = this.#start(incoming, source);
    if (!invite || call?.screened) this.#dismiss(transaction, incoming, { status: invite ? 200 : 481 });
    else this.#answer(transaction, incoming, { status: 200 }, call?.localTag);
    call?.cancel(incoming.request);
  }

  /** Answers a request outside of dialogs, and its repetitions with the same unless it is said to be stateless. */
  #answer(
    transaction: ServerTransaction,
    incoming: IncomingRequest,
    answer: RequestReply,
    toTag = this.#stack.ids.token(8),
  ): void {
    if (answer.stateless) this.#dismiss(transaction, incoming, answer);
    else {
      const parts = { ...partsOf(answer), phrase: answer.phrase, toTag };
      this.#stack.respond(transaction, incoming.request, answer.status, parts);
    }
  }

  /** Answers what can be asked and answered anew as often as it comes. */
  #dismiss(transaction: ServerTransaction, incoming: IncomingRequest, answer: Answer): void {
    const parts = { ...partsOf(answer), phrase: answer.phrase };
    this.#stack.stateless.dismiss(transaction, incoming, answer.status, parts);
  }

  /** Answers without a transaction: what is malformed, or one request too many. */
  #refuse(incoming: IncomingRequest, status: number, source: Source): void {
    const headers = status === 503 ? { 'Retry-After': RETRY_AFTER } : {};
    const response = this.#stack.stateless.to(incoming, status, { headers });
    source.listener.socket.send(response, replyAddress(incoming.via, source), { over: source.connection });
  }
}

/** The request with its source in its topmost Via, which is `via`. */
function noted(request: SipRequest, via: Via, source: Source): IncomingRequest {
  return new IncomingRequest(noteSource(request, via, source), via);
}
