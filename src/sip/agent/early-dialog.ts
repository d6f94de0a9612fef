import type { IncomingRequest } from '../transaction/incoming.ts';
import type { ServerTransaction } from '../transaction/server-transactions.ts';
import { type Answer, answerToMethod, partsOf } from './answers.ts';
import type { Party, Stack } from './stack.ts';

/** The answer to a request in a dialog whose INVITE has no final response yet, BYE apart. */
export function answerEarly(method: string): Answer {
  // RFC 3261 §14.2, RFC 3311 §5.2: the first offer is still unanswered
  if (method === 'INVITE' || method === 'UPDATE') return { status: 500, headers: { 'Retry-After': '1' } };
  return method === 'INFO' ? { status: 200 } : answerToMethod(method);
}

/** The caller's dialog with one fork that rings (RFC 3261 §12.1.2): its requests are known, and answered. */
export class EarlyDialog implements Party {
  readonly #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  receive({ method, request }: IncomingRequest, transaction: ServerTransaction): void {
    // §15: a callee must not say BYE in an early dialog, it refuses the INVITE
    const answer = method === 'BYE' ? { status: 481 } : answerEarly(method);
    this.#stack.respond(transaction, request, answer.status, partsOf(answer));
  }

  acknowledge(): void {} // nothing of ours waits for an ACK yet

  shutDown(): void {} // its INVITE does what there is to do
}
