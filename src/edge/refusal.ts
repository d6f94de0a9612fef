import type { GivenHeaders } from '../sip/agent/port.ts';

/** An INVITE that gets no call: what the peer is told and why. */
export interface Refusal {
  readonly status: number;
  /** For the log, and for the peer unless `secret`. */
  readonly reason: string;
  readonly headers?: GivenHeaders;
  /** The peer is told the status alone: the reason is the customer's, not a stranger's. */
  readonly secret?: true;
  /** The SIP domain that was called, where there is one: its owner is to find the refusal. */
  readonly of?: {
    readonly accountSid: string;
    readonly domainSid: string;
    /** Twilio's error code: 32201, 32202 … */
    readonly code: number;
  };
  /**
   * The peer had proved who it is, which it can do once with one nonce count: a repetition must not be asked again, so
   * the answer is kept for it. Whatever else is refused leaves nothing (RFC 3261 §26.3.2.4).
   */
  readonly proved?: true;
  /** An ordinary step on the way to a call: the peer is asked who it is. */
  readonly asks?: true;
}

/** As the text of a Reason or a Warning: what a quoted string may hold. */
export const quotable = (text: string) =>
  text
    .replaceAll('\\', '')
    .replaceAll('"', "'")
    .replace(/[^\x20-\x7e]/g, '?');
