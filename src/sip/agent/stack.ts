import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Endpoint } from '../../media/format.ts';
import { makeRequest, type ResponseParts, responseTo } from '../message/build.ts';
import type { SipRequest } from '../message/message.ts';
import { serialize } from '../message/serialize.ts';
import { parseUri } from '../message/uri.ts';
import { type ClientTransaction, ClientTransactions } from '../transaction/client-transactions.ts';
import { cancelOf } from '../transaction/companion.ts';
import type { ClientTold } from '../transaction/effect.ts';
import { type IncomingRequest, MAGIC_COOKIE } from '../transaction/incoming.ts';
import { type ServerTransaction, ServerTransactions } from '../transaction/server-transactions.ts';
import { TimerWheel } from '../transaction/timer-wheel.ts';
import type { TimerValues } from '../transaction/timers.ts';
import type { Connection, SendOptions } from '../transport/port.ts';
import { type Lookup, resolveTarget, transportOf } from '../transport/resolve.ts';
import type { Listener } from './listener.ts';
import { StatelessAnswers } from './stateless.ts';

/** Methods this agent answers by itself or hands to the owner of a dialog (RFC 3261 §20.5). */
export const ALLOW = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY';

/** RFC 3261 §8.1.1.6. */
const MAX_FORWARDS = '70';

/** Whoever holds a dialog, or an INVITE that may become one. */
export interface Party {
  /** A request within the dialog, other than ACK, with the transaction that answers it. */
  receive(incoming: IncomingRequest, transaction: ServerTransaction): void;
  acknowledge(incoming: IncomingRequest): void;
  /** The agent closes: say goodbye to the peer, end, hold nothing. */
  shutDown(): void;
}

/** A request to be sent, without what its hop adds (Via, Max-Forwards, Route). */
export interface Outgoing {
  readonly listener: Listener;
  readonly method: string;
  readonly uri: string;
  readonly routes: readonly string[];
  /** The URI that says where to send it. */
  readonly nextHop: string;
  /** Overrides `nextHop`. */
  readonly destination?: Endpoint | undefined;
  /** Overrides both: from this listener, over TCP only on a connection that is open already (RFC 5626 §5.3). */
  readonly flow?: Endpoint | undefined;
  /** A connection to prefer: the one the dialog came in on. */
  readonly over?: Connection | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
}

export interface StackOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly lookup: Lookup;
  readonly userAgent: string;
  readonly timers: TimerValues;
  readonly maxSettled: number;
}

/** What the parts of one agent share: transactions, dialogs, timers, and the way out. */
export class Stack {
  readonly ids: Ids;
  readonly logger: Logger;
  readonly timers: TimerValues;
  readonly userAgent: string;
  readonly wheel: TimerWheel;
  readonly servers: ServerTransactions;
  readonly clients: ClientTransactions;
  readonly stateless: StatelessAnswers;
  /** By `dialogKey`. */
  readonly dialogs = new Map<string, Party>();
  /** INVITEs sent and without a final response. */
  readonly outbound = new Set<Pick<Party, 'shutDown'>>();
  readonly listeners: Listener[] = [];
  readonly #lookup: Lookup;

  constructor(options: StackOptions) {
    this.ids = options.ids;
    this.logger = options.logger;
    this.timers = options.timers;
    this.userAgent = options.userAgent;
    this.wheel = new TimerWheel(options.clock, (error) => this.fault('a SIP timer', error));
    this.servers = new ServerTransactions(this.wheel, options.maxSettled);
    this.clients = new ClientTransactions(this.wheel);
    this.stateless = new StatelessAnswers(options.ids);
    this.#lookup = options.lookup;
  }

  /** A handler of the owner, or this agent itself, failed: logged, never thrown at the socket. */
  fault(where: string, error: unknown): void {
    this.logger.error({ err: error }, `${where} failed`);
  }

  /** Answers a request. */
  respond(
    transaction: ServerTransaction,
    request: SipRequest,
    status: number,
    parts: ResponseParts & { readonly phrase?: string | undefined } = {},
  ): void {
    transaction.respond(status, serialize(responseTo(request, status, parts.phrase, parts)));
  }

  /** Sends a request in a transaction of its own; `tell` hears of responses, timeout and failure. */
  request(outgoing: Outgoing, tell: (told: ClientTold) => void): ClientTransaction {
    const listener = this.listenerFor(outgoing);
    const branch = MAGIC_COOKIE + this.ids.token(12);
    let to: Endpoint | undefined;
    const transaction = this.clients.create(this.#make(outgoing, listener, branch), {
      settings: { reliable: listener.reliable, timers: this.timers },
      branch,
      send: (message) => to && listener.socket.send(message, to, options),
      tell,
    });
    const options = { ...wayOf(outgoing), failed: () => transaction.fail() };
    this.#target(
      outgoing,
      (found) => {
        to = found;
        transaction.begin();
      },
      () => transaction.fail(),
    );
    return transaction;
  }

  /** Sends the CANCEL of an INVITE by the way the INVITE took (RFC 3261 §9.1); its responses tell nothing. */
  cancel(invite: ClientTransaction): void {
    const { settings, branch, send } = invite.options;
    const transaction = this.clients.create(cancelOf(invite.request), {
      settings,
      branch,
      send,
      tell: () => {},
    });
    transaction.begin();
    invite.cancelled();
  }

  /** Sends a request outside any transaction, the ACK of a 2xx (RFC 3261 §17): the result sends it again. */
  transmit(outgoing: Outgoing): () => void {
    const listener = this.listenerFor(outgoing);
    const bytes = serialize(this.#make(outgoing, listener, MAGIC_COOKIE + this.ids.token(12)));
    let to: Endpoint | undefined;
    const send = () => to && listener.socket.send(bytes, to, wayOf(outgoing));
    this.#target(
      outgoing,
      (found) => {
        to = found;
        send();
      },
      () => {},
    );
    return send;
  }

  #make(outgoing: Outgoing, listener: Listener, branch: string): SipRequest {
    const headers = {
      Via: listener.via(branch),
      'Max-Forwards': MAX_FORWARDS,
      Route: outgoing.routes,
      ...outgoing.headers,
    };
    return makeRequest(outgoing.method, outgoing.uri, headers, outgoing.body, outgoing.contentType);
  }

  /** The listener of the same owner for the transport the next hop asks for, where there is one. */
  listenerFor({
    listener,
    nextHop,
    destination,
    flow,
  }: Pick<Outgoing, 'listener' | 'nextHop' | 'destination' | 'flow'>): Listener {
    const uri = (flow ?? destination) ? undefined : parseUri(nextHop);
    const wanted = uri && transportOf(uri);
    if (wanted === undefined || wanted === listener.transport) return listener;
    return this.listeners.find((l) => l.label === listener.label && l.transport === wanted) ?? listener;
  }

  #target(outgoing: Outgoing, found: (to: Endpoint) => void, failed: () => void): void {
    const chosen = outgoing.flow ?? outgoing.destination;
    if (chosen) {
      found(chosen);
      return;
    }
    const uri = parseUri(outgoing.nextHop);
    if (!uri) {
      failed();
      return;
    }
    const to = resolveTarget(uri, this.#lookup);
    if (!(to instanceof Promise)) {
      found(to);
      return;
    }
    to.then(found, (error: unknown) => {
      this.logger.warn({ err: error, host: uri.host }, 'the host of a SIP target was not found');
      failed();
    }).catch((error: unknown) => this.fault('sending a SIP request', error));
  }
}

/** Over which connections it may be sent. */
function wayOf({ over, flow }: Outgoing): Pick<SendOptions, 'over' | 'established'> {
  return { over, established: flow !== undefined };
}
