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
  /** An ordinary step on the way to a call: the peer is asked who it is. */
  readonly asks?: true;
}
