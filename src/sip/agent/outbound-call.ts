import type { Timer } from '../../core/clock.ts';
import { callerDialog, contactOf, contactsOf, type RequestRoute, routeOf } from '../dialog/dialog-state.ts';
import type { SipResponse } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import type { ClientTransaction } from '../transaction/client-transactions.ts';
import type { ClientTold } from '../transaction/effect.ts';
import { dialogKey } from '../transaction/incoming.ts';
import { Challenges } from './authorization.ts';
import { ConfirmedDialog } from './confirmed-dialog.ts';
import { EarlyDialog } from './early-dialog.ts';
import { ended } from './ended.ts';
import { addressOf, checkTarget, type InviteTarget, withGiven } from './given.ts';
import type { Listener } from './listener.ts';
import type { InviteOptions, OutboundInvite, SipDialog, SipEnded } from './port.ts';
import { ALLOW, type Stack } from './stack.ts';

/** Forks heard per INVITE: enough for any forking proxy, few enough to hold (our choice). */
const MAX_FORKS = 16;

interface Answered {
  readonly dialog: SipDialog;
  readonly response: SipResponse;
}

/** An INVITE sent: provisional responses, forks, challenges, one redirection, CANCEL, until a dialog or an end. */
export class OutboundCall implements OutboundInvite {
  readonly callId: string;
  readonly answered: Promise<Answered>;
  onProgress: OutboundInvite['onProgress'];
  readonly #stack: Stack;
  readonly #options: InviteOptions;
  /** The one asked for, or its owner's for the transport that the URI names. */
  #listener: Listener;
  #target: InviteTarget;
  readonly #localTag: string;
  readonly #from: string;
  readonly #to: string;
  #settle: { resolve: (answered: Answered) => void; reject: (reason: SipEnded) => void };
  #transaction: ClientTransaction;
  #cseq = 1;
  #challenges: Challenges;
  #authorization: Readonly<Record<string, string>> = {};
  /** A provisional response came: CANCEL may be sent (§9.1). */
  #proceeding = false;
  /** Cancelled, or the peer was silent for too long: whatever comes now is declined. */
  #givenUp = false;
  #finished = false;
  #redirected = false;
  #silence: Timer | undefined;
  /** Dialogs of forks that ring, by key. */
  readonly #early = new Set<string>();
  /** By remote tag: what acknowledges that fork's 2xx once more. */
  readonly #acknowledged = new Map<string, () => void>();

  constructor(stack: Stack, listener: Listener, options: InviteOptions) {
    this.#stack = stack;
    this.#options = options;
    this.#listener = listener;
    this.#target = options;
    checkTarget(options);
    this.callId = stack.ids.token(16);
    this.#localTag = stack.ids.token(8);
    this.#from = `${addressOf(options.from, 'from')};tag=${this.#localTag}`;
    this.#to = options.to === undefined ? `<${options.uri}>` : addressOf(options.to, 'to');
    this.#challenges = this.#newChallenges();
    this.#settle = { resolve: () => {}, reject: () => {} };
    this.answered = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.answered.catch(() => {}); // an owner that only watches progress need not handle the end
    this.#transaction = this.#send();
  }

  cancel(): void {
    this.#giveUp(ended('local-cancel', 487));
  }

  shutDown(): void {
    if (this.#proceeding && !this.#givenUp) this.#sendCancel();
    this.#finish(ended('closed'));
  }

  #send(): ClientTransaction {
    const { body, headers, silentMs } = this.#options;
    const { destination, flow } = this.#target;
    const route = this.#route();
    const cseq = this.#cseq;
    this.#listener = this.#stack.listenerFor({ listener: this.#listener, ...route, destination, flow });
    const own = {
      From: this.#from,
      To: this.#to,
      'Call-ID': this.callId,
      CSeq: `${cseq} INVITE`,
      Contact: this.#listener.contact,
      Allow: ALLOW,
      'User-Agent': this.#stack.userAgent,
    };
    const outgoing = {
      listener: this.#listener,
      method: 'INVITE',
      ...route,
      destination,
      flow,
      headers: { ...withGiven(own, headers), ...this.#authorization },
      body,
      contentType: body === undefined ? undefined : 'application/sdp',
    };
    this.#proceeding = false;
    this.#stack.outbound.add(this);
    if (silentMs !== undefined) {
      this.#silence = this.#stack.wheel.after(silentMs, () => this.#giveUp(ended('unreachable', 408)));
    }
    return this.#stack.request(outgoing, (told) => this.#told(told, cseq));
  }

  #route(): RequestRoute {
    return routeOf({ remoteTarget: this.#target.uri, routeSet: this.#target.routes ?? [] });
  }

  #giveUp(reason: SipEnded): void {
    if (this.#givenUp || this.#finished) return;
    this.#givenUp = true;
    this.#silence?.cancel();
    this.#settle.reject(reason);
    if (this.#proceeding) this.#sendCancel();
    else if (!this.#transaction.begun) this.#transaction.fail(); // nothing was sent, and nothing will be
  }

  #told(told: ClientTold, cseq: number): void {
    this.#silence?.cancel();
    if (told.kind === 'response') this.#response(told.response, cseq);
    else if (told.kind === 'timeout') this.#finish(ended('timeout', 408));
    else this.#finish(ended('transport-error', 503));
  }

  #response(response: SipResponse, cseq: number): void {
    if (response.status < 200) this.#provisional(response);
    else if (response.status < 300) this.#accepted(response, cseq);
    else if (!this.#tryAgain(response)) this.#finish(ended('rejected', response.status, response));
  }

  #provisional(response: SipResponse): void {
    if (!this.#proceeding) {
      this.#proceeding = true;
      if (this.#givenUp) this.#sendCancel();
    }
    this.#noteEarlyDialog(response);
    // 100 says nothing of the callee, and 199 that one fork has given up (RFC 6228 §4)
    if (response.status === 100 || response.status === 199 || this.#givenUp || this.#finished) return;
    try {
      this.onProgress?.(response);
    } catch (error) {
      this.#stack.fault('the handler of a provisional response', error);
    }
  }

  #noteEarlyDialog(response: SipResponse): void {
    const tag = tagOf(response.headers.get('to') ?? '');
    if (tag === undefined || this.#finished) return;
    const key = dialogKey(this.callId, this.#localTag, tag);
    if (response.status === 199) this.#forgetEarly(key);
    else if (!this.#early.has(key) && this.#early.size < MAX_FORKS) this.#addEarly(key);
  }

  #addEarly(key: string): void {
    this.#early.add(key);
    this.#stack.dialogs.set(key, new EarlyDialog(this.#stack));
  }

  #forgetEarly(key: string): void {
    this.#early.delete(key);
    if (this.#stack.dialogs.get(key) instanceof EarlyDialog) this.#stack.dialogs.delete(key);
  }

  /**
   * Every 2xx is acknowledged; one dialog is kept, further forks and those after CANCEL end with BYE (§13.2.2.4). So
   * does one whose Contact cannot be used, by way of the Request-URI; our choice: without any, that one will do.
   */
  #accepted(response: SipResponse, cseq: number): void {
    const tag = tagOf(response.headers.get('to') ?? '') ?? '';
    const again = this.#acknowledged.get(tag);
    if (again) {
      again();
      return;
    }
    if (this.#acknowledged.size >= MAX_FORKS) return;
    const lost = response.headers.has('contact') && contactOf(response) === undefined;
    const wanted = !this.#finished && !this.#givenUp && !lost;
    const dialog = new ConfirmedDialog({
      stack: this.#stack,
      state: callerDialog(this.#transaction.request, response),
      listener: this.#listener,
      flow: this.#target.flow,
      controller: new AbortController(),
      caller: true,
      credentials: this.#options.credentials,
    });
    this.#acknowledged.set(tag, dialog.sendAck(cseq, this.#authorization));
    this.#finish(lost ? ended('no-target', response.status, response) : undefined);
    if (wanted) this.#settle.resolve({ dialog, response });
    else dialog.bye().catch((error: unknown) => this.#stack.fault('ending an unwanted dialog', error));
  }

  /** In a new transaction of the same dialog-to-be (RFC 3261 §8.1.3.4, §8.1.3.5, §22.2). */
  #tryAgain(response: SipResponse): boolean {
    if (this.#givenUp || this.#finished) return false;
    if (!this.#challenges.take(response) && !this.#follow(response)) return false;
    this.#authorization = this.#challenges.headers({ method: 'INVITE', uri: this.#route().uri });
    this.#cseq++;
    for (const key of this.#early) this.#forgetEarly(key); // they were the old transaction's
    this.#transaction = this.#send();
    return true;
  }

  /** Takes the way a 3xx shows, when it is the first and the owner wants to go there. */
  #follow(response: SipResponse): boolean {
    const { redirect } = this.#options;
    const contacts = contactsOf(response);
    if (response.status >= 400 || !redirect || this.#redirected || contacts.length === 0) return false;
    this.#redirected = true;
    try {
      const target = redirect(contacts);
      if (!target || this.#givenUp) return false;
      checkTarget(target);
      this.#target = target;
    } catch (error) {
      this.#stack.fault('the handler of a redirection', error);
      return false;
    }
    this.#challenges = this.#newChallenges();
    return true;
  }

  #newChallenges(): Challenges {
    return new Challenges(this.#options.credentials, () => this.#stack.ids.token(8));
  }

  #sendCancel(): void {
    this.#stack.cancel(this.#transaction);
  }

  #finish(reason: SipEnded | undefined): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#stack.outbound.delete(this);
    for (const key of this.#early) this.#forgetEarly(key);
    if (reason) this.#settle.reject(reason);
  }
}
