import type { Endpoint } from '../../media/format.ts';
import { type DialogState, received, refreshed } from '../dialog/dialog-state.ts';
import type { Credentials } from '../digest/digest.ts';
import { responseTo } from '../message/build.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { serialize } from '../message/serialize.ts';
import { dialogKey, type IncomingRequest } from '../transaction/incoming.ts';
import type { ServerTransaction } from '../transaction/server-transactions.ts';
import type { Connection } from '../transport/port.ts';
import { type Answer, answerToMethod, partsOf } from './answers.ts';
import { DialogRequests } from './dialog-requests.ts';
import { ended } from './ended.ts';
import { checkHeaders, withGiven } from './given.ts';
import type { Listener } from './listener.ts';
import type { GivenHeaders, OfferReply, SipDialog, SipEnded } from './port.ts';
import { ALLOW, type Party, type Stack } from './stack.ts';
import { Unacknowledged } from './unacknowledged.ts';

export interface DialogOptions {
  readonly stack: Stack;
  readonly state: DialogState;
  readonly listener: Listener;
  /** The connection the dialog came in on. */
  readonly over?: Connection | undefined;
  /** The flow of a registered device, or of a caller behind NAT: the only way to it. */
  readonly flow?: Endpoint | undefined;
  /** Ends with the dialog. */
  readonly controller: AbortController;
  /** This side sent the INVITE, and so chose the Call-ID. */
  readonly caller: boolean;
  readonly credentials?: Credentials | undefined;
}

/** A confirmed dialog (RFC 3261 §12): requests both ways until one side says BYE. */
export class ConfirmedDialog implements SipDialog, Party {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly listener: Listener;
  readonly ended: AbortSignal;
  onOffer: SipDialog['onOffer'];
  onAnswer: SipDialog['onAnswer'];
  onRequest: SipDialog['onRequest'];
  readonly #stack: Stack;
  readonly #controller: AbortController;
  readonly #key: string;
  readonly #requests: DialogRequests;
  /** Our 2xx that no ACK has come for. */
  #unacknowledged: Unacknowledged | undefined;
  #goodbye: Promise<number> | undefined;

  constructor(options: DialogOptions) {
    const { stack, state, controller } = options;
    this.#stack = stack;
    this.#controller = controller;
    this.callId = state.callId;
    this.localTag = state.localTag;
    this.remoteTag = state.remoteTag;
    this.listener = options.listener;
    this.ended = controller.signal;
    this.#key = dialogKey(state.callId, state.localTag, state.remoteTag);
    this.#requests = new DialogRequests(options, {
      idle: async () => this.#unacknowledged?.settled(),
      lost: (cause, response) => this.#lose(cause, response),
    });
    stack.dialogs.set(this.#key, this);
  }

  get state(): DialogState {
    return this.#requests.state;
  }

  reinvite(body: string): Promise<SipResponse> {
    return this.#requests.reinvite(body);
  }

  request(method: string, options: Parameters<SipDialog['request']>[1] = {}): Promise<SipResponse> {
    return this.#requests.request(method, options);
  }

  async bye(headers?: Readonly<Record<string, string>>): Promise<number> {
    if (headers) checkHeaders(headers);
    this.#end(ended('local-bye'));
    return this.#sayGoodbye(headers);
  }

  /** Acknowledges a 2xx to the INVITE with this CSeq number; the result does so again. */
  sendAck(cseq: number, authorization: Readonly<Record<string, string>>): () => void {
    return this.#requests.acknowledge(cseq, authorization);
  }

  /** Sends a 2xx to an INVITE and repeats it until its ACK comes. */
  answer(
    transaction: ServerTransaction,
    request: SipRequest,
    cseq: number,
    body: string | undefined,
    headers: GivenHeaders = {},
  ): void {
    const own = { Contact: this.listener.contact, Allow: ALLOW, Server: this.#stack.userAgent };
    const response = responseTo(request, 200, undefined, {
      toTag: this.localTag,
      ...partsOf({ status: 200, headers: withGiven(own, headers), ...(body === undefined ? {} : { body }) }),
    });
    const message = serialize(response);
    this.#unacknowledged?.stop();
    this.#unacknowledged = new Unacknowledged(
      cseq,
      request.body === '',
      this.#stack.wheel,
      this.#stack.timers,
      () => transaction.send(message),
      () => this.#lose('no-ack'),
    );
    transaction.respond(200, message);
  }

  receive(incoming: IncomingRequest, transaction: ServerTransaction): void {
    const { method, request } = incoming;
    const advanced = received(this.#requests.state, incoming.cseq.number);
    if (!advanced) {
      this.#stack.respond(transaction, request, 500, { phrase: 'CSeq Out Of Order' }); // §12.2.2
      return;
    }
    this.#requests.state = advanced;
    if (method === 'BYE') this.#receiveBye(request, transaction);
    else if (this.ended.aborted) this.#stack.respond(transaction, request, 481);
    else if (method === 'INVITE' || method === 'UPDATE') this.#receiveOffer(incoming, transaction);
    else this.#receiveOther(incoming, transaction);
  }

  acknowledge(incoming: IncomingRequest): void {
    const waiting = this.#unacknowledged;
    if (!waiting || waiting.cseq !== incoming.cseq.number) return;
    this.#unacknowledged = undefined;
    waiting.stop();
    const { body } = incoming.request;
    if (!waiting.expectsAnswer || body === '' || this.ended.aborted) return;
    this.#guard('the handler of an SDP answer', () => this.onAnswer?.(body));
  }

  shutDown(): void {
    this.#unacknowledged?.stop();
    if (!this.ended.aborted) this.#requests.farewell();
    this.#end(ended('closed'));
    this.#leave();
  }

  #receiveBye(request: SipRequest, transaction: ServerTransaction): void {
    this.#stack.respond(transaction, request, 200);
    this.#unacknowledged?.stop();
    this.#leave();
    this.#end(ended('bye', undefined, request));
  }

  /** A re-INVITE or UPDATE (RFC 3261 §14.2, RFC 3311 §5.2). */
  #receiveOffer(incoming: IncomingRequest, transaction: ServerTransaction): void {
    const { request, method } = incoming;
    if (this.#requests.inviting) {
      this.#stack.respond(transaction, request, 491);
      return;
    }
    const offer = request.body === '' ? undefined : request.body;
    const refreshOnly = method === 'UPDATE' && offer === undefined;
    const reply: OfferReply = refreshOnly
      ? { status: 200 }
      : (this.#guard('the handler of an SDP offer', () => this.onOffer?.(offer) ?? { status: 488 }) ?? {
          status: 500,
        });
    if (reply.status >= 200 && reply.status < 300) {
      this.#requests.state = refreshed(this.#requests.state, request);
      if (method === 'INVITE') {
        this.answer(transaction, request, incoming.cseq.number, reply.body, reply.headers);
        return;
      }
    }
    const contact = { Contact: this.listener.contact };
    const headers = reply.status < 300 ? withGiven(contact, reply.headers) : reply.headers;
    this.#reply(transaction, request, { ...reply, ...(headers ? { headers } : {}) });
  }

  #receiveOther({ method, request }: IncomingRequest, transaction: ServerTransaction): void {
    if (method === 'OPTIONS') {
      this.#reply(transaction, request, answerToMethod(method));
      return;
    }
    const handler = this.onRequest;
    const unhandled: Answer = method === 'INFO' ? { status: 200 } : answerToMethod(method);
    const reply = handler ? this.#guard('the handler of a request', () => handler(request)) : unhandled;
    this.#reply(transaction, request, reply ?? { status: 500 });
  }

  #reply(transaction: ServerTransaction, request: SipRequest, reply: OfferReply): void {
    const status = reply.status >= 200 && reply.status < 700 ? reply.status : 500;
    this.#stack.respond(transaction, request, status, partsOf(reply));
  }

  /** The result, or undefined when the handler threw. */
  #guard<T>(what: string, call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.#stack.fault(what, error);
      return undefined;
    }
  }

  /** The peer no longer takes part: no ACK, no answer, or it does not know the dialog (§12.2.1.2). */
  #lose(cause: 'no-ack' | 'timeout' | 'rejected', response?: SipResponse): void {
    if (this.ended.aborted) return;
    this.#end(ended(cause, response?.status, response));
    this.#sayGoodbye().catch((error: unknown) => this.#stack.fault('ending a SIP dialog', error));
  }

  #end(reason: SipEnded): void {
    if (!this.ended.aborted) this.#controller.abort(reason);
  }

  /** BYE, once our 2xx is acknowledged or given up (RFC 3261 §15: not before). */
  #sayGoodbye(headers?: Readonly<Record<string, string>>): Promise<number> {
    this.#goodbye ??= (async () => {
      await this.#unacknowledged?.settled();
      if (this.#stack.dialogs.get(this.#key) !== this) return 481; // the peer was first
      const { status } = await this.#requests.request('BYE', headers ? { headers } : {});
      this.#leave();
      return status;
    })();
    return this.#goodbye;
  }

  #leave(): void {
    if (this.#stack.dialogs.get(this.#key) === this) this.#stack.dialogs.delete(this.#key);
  }
}
