/**
 * SIP messages as values. Text is latin1 throughout: one byte is one character, so nothing a peer sends can fail
 * to decode or change its length; bodies and header values that are UTF-8 are decoded by whoever reads them.
 */

/** One header line as received, unfolded: name as written, value trimmed. */
export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/**
 * The headers of a message, in order. Names compare without case and compact forms are the long ones
 * (`v` is `Via`, RFC 3261 §7.3.3). Values are not split or parsed until somebody asks.
 */
export interface SipHeaders {
  /** The first value, or undefined. */
  get(name: string): string | undefined;
  /** Every line of this name, not split at commas. */
  all(name: string): readonly string[];
  /** Every element of a comma-separated list header (Via, Route, Contact …), in order over all its lines. */
  list(name: string): readonly string[];
  has(name: string): boolean;
  readonly lines: readonly HeaderLine[];
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  /** The Request-URI as received. */
  readonly uri: string;
  readonly headers: SipHeaders;
  /** latin1; cut to Content-Length. */
  readonly body: string;
}

export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly phrase: string;
  readonly headers: SipHeaders;
  readonly body: string;
}

export type SipMessage = SipRequest | SipResponse;

/**
 * What the parser makes of a datagram or a framed piece of a stream. `answerable` is a best-effort request with
 * enough of Via, From, To, Call-ID and CSeq to send a 400 (RFC 3261 §21.4.1, RFC 4475); without it the message
 * is dropped.
 */
export type ParseResult =
  | { readonly ok: true; readonly message: SipMessage }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly answerable: SipRequest | undefined;
      readonly status: number;
    };
