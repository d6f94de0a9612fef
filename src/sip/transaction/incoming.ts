import { type CSeq, parseCSeq } from '../message/cseq.ts';
import type { SipRequest } from '../message/message.ts';
import { tagOf } from '../message/name-addr.ts';
import type { Via } from '../message/via.ts';

/** Branches of RFC 3261 begin with it (§8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

const NO_CSEQ: CSeq = { number: 0, method: '' };

/** A request that arrived, with what matching reads of it, each read once. */
export class IncomingRequest {
  readonly callId: string;
  #cseq: CSeq | undefined;
  #fromTag: string | undefined;
  #toTag: string | undefined;
  #ownKey: string | undefined;

  constructor(
    readonly request: SipRequest,
    /** Its topmost Via. */
    readonly via: Via,
  ) {
    this.callId = request.headers.get('call-id') ?? '';
  }

  get method(): string {
    return this.request.method;
  }

  get cseq(): CSeq {
    this.#cseq ??= parseCSeq(this.request.headers.get('cseq') ?? '') ?? NO_CSEQ;
    return this.#cseq;
  }

  /** '' when there is none, which RFC 2543 allowed. */
  get fromTag(): string {
    this.#fromTag ??= tagOf(this.request.headers.get('from') ?? '') ?? '';
    return this.#fromTag;
  }

  /** '' when there is none: the request is not within a dialog. */
  get toTag(): string {
    this.#toTag ??= tagOf(this.request.headers.get('to') ?? '') ?? '';
    return this.#toTag;
  }

  /**
   * Equal for the requests of one server transaction: RFC 3261 §17.2.3. `method` is that of the transaction, so an
   * ACK and a CANCEL find their INVITE with `INVITE`.
   */
  transactionKey(method: string): string {
    const { branch, host, port } = this.via;
    if (branch?.startsWith(MAGIC_COOKIE)) return `${branch} ${host}:${port ?? ''} ${method}`;
    // RFC 2543 peers: everything that repeats. The To tag is left out, because the ACK's was ours to choose.
    const via = `${host}:${port ?? ''} ${branch ?? ''}`;
    return `${this.callId} ${this.cseq.number} ${this.fromTag} ${this.request.uri} ${via} ${method}`;
  }

  /** The key of this request's own transaction. */
  get ownKey(): string {
    this.#ownKey ??= this.transactionKey(this.method);
    return this.#ownKey;
  }

  /** Equal for copies of a request that took different paths: RFC 3261 §8.2.2.2. */
  get mergeKey(): string {
    return `${this.callId} ${this.cseq.number} ${this.method} ${this.fromTag}`;
  }

  /** Names the dialog this request belongs to, from our side: the To tag is ours. */
  get dialogKey(): string {
    return dialogKey(this.callId, this.toTag, this.fromTag);
  }
}

/** Equal for what belongs to one dialog (RFC 3261 §12). */
export function dialogKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId} ${localTag} ${remoteTag}`;
}
