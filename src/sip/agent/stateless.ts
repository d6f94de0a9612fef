import { createHmac } from 'node:crypto';
import type { Ids } from '../../core/ids.ts';
import { type ResponseParts, responseTo } from '../message/build.ts';
import { serialize } from '../message/serialize.ts';
import type { IncomingRequest } from '../transaction/incoming.ts';
import type { ServerTransaction } from '../transaction/server-transactions.ts';

/** Hexadecimal digits, as many as the tags of chance have. */
const TAG = 16;

/**
 * Answers of which nothing is kept (RFC 3261 §8.2.7): each goes out once, and a repetition of the request is asked and
 * answered anew. Its To tag follows from the request and a secret of this process, so that all answers to one request
 * belong together and nobody else can foretell it.
 */
export class StatelessAnswers {
  readonly #secret: string;

  constructor(ids: Ids) {
    this.#secret = ids.token(32);
  }

  /** The response's bytes. A request that has a To tag keeps it. */
  to(
    incoming: IncomingRequest,
    status: number,
    parts: ResponseParts & { readonly phrase?: string | undefined } = {},
  ): Buffer {
    const toTag = this.#tag(incoming);
    return serialize(responseTo(incoming.request, status, parts.phrase, { ...parts, toTag }));
  }

  /** Answers and forgets the request. */
  dismiss(
    transaction: ServerTransaction,
    ...[incoming, status, parts]: Parameters<StatelessAnswers['to']>
  ): void {
    transaction.dismiss(this.to(incoming, status, parts));
  }

  /** The same for an INVITE and its CANCEL (§9.2). */
  #tag(incoming: IncomingRequest): string {
    return createHmac('sha256', this.#secret)
      .update(`${incoming.transactionKey('')} ${incoming.callId}`, 'latin1')
      .digest('hex')
      .slice(0, TAG);
  }
}
