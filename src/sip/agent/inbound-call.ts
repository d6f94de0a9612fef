import type { Timer } from '../../core/clock.ts';
import { calleeDialog } from '../dialog/dialog-state.ts';
import type { SipRequest } from '../message/message.ts';
import { dialogKey, type IncomingRequest } from '../transaction/incoming.ts';
import type { ServerTransaction } from '../transaction/server-transactions.ts';
import { partsOf } from './answers.ts';
import { ConfirmedDialog } from './confirmed-dialog.ts';
import { answerEarly } from './early-dialog.ts';
import { ended } from './ended.ts';
import { checkHeaders, withGiven } from './given.ts';
import type { Source } from './listener.ts';
import { flowBehindNat } from './nat.ts';
import type { InboundInvite, ResponseOptions, SipDialog, SipEnded } from './port.ts';
import type { Party, Stack } from './stack.ts';

/** RFC 3261 §13.3.1.1: a call that rings longer says so every minute, or proxies cancel it. */
const RINGING_REMINDER_MS = 60_000;

/** An INVITE being answered: from its arrival to a refusal, its CANCEL, or the dialog that `accept` makes of it. */
export class InboundCall implements InboundInvite, Party {
  readonly request: SipRequest;
  readonly source: Source;
  readonly localTag: string;
  readonly ended: AbortSignal;
  readonly #controller = new AbortController();
  readonly #stack: Stack;
  readonly #incoming: IncomingRequest;
  readonly #transaction: ServerTransaction;
  readonly #key: string;
  #dialog: ConfirmedDialog | undefined;
  #reminder: Timer | undefined;
  /** Claims that the peer has been told something, and may have stopped to repeat its INVITE. */
  #told = false;

  constructor(stack: Stack, incoming: IncomingRequest, transaction: ServerTransaction, source: Source) {
    this.#stack = stack;
    this.#incoming = incoming;
    this.#transaction = transaction;
    this.request = incoming.request;
    this.source = source;
    this.localTag = stack.ids.token(8);
    this.ended = this.#controller.signal;
    this.#key = dialogKey(incoming.callId, this.localTag, incoming.fromTag);
    transaction.onTold = (told) => {
      if (told.kind === 'transport-error') this.#end(ended('transport-error'));
    };
    stack.dialogs.set(this.#key, this); // requests of the early dialog (§12.1.1) carry this tag already
  }

  /** Claims that nobody has taken it so far, nor told the peer anything. */
  get screened(): boolean {
    return !this.#told;
  }

  trying(): void {
    if (this.#told || this.ended.aborted || this.#dialog) return;
    this.#told = true;
    this.#stack.respond(this.#transaction, this.request, 100);
  }

  respond(status: number, options: ResponseOptions = {}): void {
    if (status <= 100 || status > 699 || (status >= 200 && status < 300)) {
      throw new RangeError(
        `an INVITE is answered with 101–199 or 300–699, not ${status}; accept() sends 200`,
      );
    }
    if (this.ended.aborted || this.#dialog) return;
    if (status >= 300 && options.stateless && !this.#told) this.#dismiss(status, options);
    else this.#send(status, options);
    if (status >= 300) this.#end(ended('refused', status));
  }

  accept(body: string, options: { readonly headers?: Readonly<Record<string, string>> } = {}): SipDialog {
    this.ended.throwIfAborted();
    checkHeaders(options.headers ?? {});
    if (this.#dialog) throw new Error('this INVITE has been accepted before');
    this.#reminder?.cancel();
    this.#transaction.onTold = undefined; // from here on the missing ACK decides
    this.#dialog = new ConfirmedDialog({
      stack: this.#stack,
      state: calleeDialog(this.request, this.localTag),
      listener: this.source.listener,
      over: this.source.connection,
      flow: flowBehindNat(this.request, this.source),
      controller: this.#controller,
      caller: false,
    });
    const cseq = this.#incoming.cseq.number;
    this.#told = true;
    this.#dialog.answer(this.#transaction, this.request, cseq, body, options.headers);
    return this.#dialog;
  }

  /** CANCEL came. Without effect after a final response (§9.2). */
  cancel(request: SipRequest): void {
    this.#giveUp(ended('cancel', 487, request));
  }

  receive({ method, request }: IncomingRequest, transaction: ServerTransaction): void {
    if (method === 'BYE') {
      this.#stack.respond(transaction, request, 200); // §15: a caller may leave an early dialog by BYE
      this.#giveUp(ended('bye', 487, request));
    } else {
      const answer = answerEarly(method);
      this.#stack.respond(transaction, request, answer.status, partsOf(answer));
    }
  }

  /** The owner's handler threw: the peer is not left waiting, nor in a call that nobody holds. */
  abandon(): void {
    if (this.#dialog) {
      this.#dialog.bye().catch((error: unknown) => this.#stack.fault('ending an abandoned call', error));
    } else this.respond(500);
  }

  acknowledge(): void {} // an ACK before our 2xx acknowledges nothing

  shutDown(): void {
    if (!this.ended.aborted && !this.#dialog) this.#send(503, {});
    this.#end(ended('closed', 503));
  }

  #giveUp(reason: SipEnded): void {
    if (this.ended.aborted || this.#dialog) return;
    if (this.#told) this.#send(487, {});
    else this.#dismiss(487, {});
    this.#end(reason);
  }

  #dismiss(status: number, options: ResponseOptions): void {
    this.#transaction.onTold = undefined;
    this.#stack.stateless.dismiss(this.#transaction, this.#incoming, status, this.#parts(status, options));
  }

  #send(status: number, options: ResponseOptions): void {
    const parts = { toTag: this.localTag, ...this.#parts(status, options) };
    this.#stack.respond(this.#transaction, this.request, status, parts);
    this.#told = true;
    this.#reminder?.cancel();
    if (status >= 200) this.#transaction.onTold = undefined;
    else {
      this.#reminder = this.#stack.wheel.after(RINGING_REMINDER_MS, () => this.#send(status, options));
    }
  }

  #parts(status: number, { headers: given, body, contentType, phrase }: ResponseOptions) {
    const own = status < 200 ? { Contact: this.source.listener.contact } : { Server: this.#stack.userAgent };
    const typed = contentType === undefined ? {} : { 'Content-Type': contentType };
    const headers = withGiven({ ...own, ...typed }, given);
    return { phrase, ...partsOf({ status, headers, ...(body === undefined ? {} : { body }) }) };
  }

  #end(reason: SipEnded): void {
    if (this.ended.aborted) return;
    this.#reminder?.cancel();
    if (this.#stack.dialogs.get(this.#key) === this) this.#stack.dialogs.delete(this.#key);
    this.#controller.abort(reason);
  }
}
