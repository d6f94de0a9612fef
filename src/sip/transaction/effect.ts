import type { SipResponse } from '../message/message.ts';
import type { TimerName } from './timers.ts';

/**
 * What a transaction machine asks its driver to do, in order. `Told` is what it may tell the transaction user.
 * After `terminate` the transaction is gone and none of its timers is armed.
 */
export type Effect<Told> =
  | { readonly kind: 'send'; readonly message: Buffer }
  | { readonly kind: 'arm'; readonly timer: TimerName; readonly ms: number }
  | { readonly kind: 'disarm'; readonly timer: TimerName }
  | { readonly kind: 'tell'; readonly event: Told }
  | { readonly kind: 'terminate' };

/** What a client transaction tells: a response, or that there will be none. */
export type ClientTold =
  | { readonly kind: 'response'; readonly response: SipResponse }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'transport-error' };

/** What a server transaction tells; `ack` acknowledges a refusal, or a 2xx from an RFC 2543 peer. */
export type ServerTold =
  | { readonly kind: 'ack' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'transport-error' };

/**
 * What reaches a client transaction. `response` comes with the ACK to send should it refuse an INVITE; `cancelled`
 * says that a CANCEL was sent, so that an INVITE without final response within 64·T1 is given up (RFC 3261 §9.1).
 */
export type ClientEvent =
  | { readonly kind: 'response'; readonly response: SipResponse; readonly ack?: Buffer }
  | { readonly kind: 'timer'; readonly timer: TimerName }
  | { readonly kind: 'transport-error' }
  | { readonly kind: 'cancelled' };

/** What reaches a server transaction: from the peer, from the transaction user (`respond`), from the driver. */
export type ServerEvent =
  | { readonly kind: 'request' }
  | { readonly kind: 'ack' }
  | { readonly kind: 'respond'; readonly status: number; readonly message: Buffer }
  | { readonly kind: 'timer'; readonly timer: TimerName }
  | { readonly kind: 'transport-error' };

export const TERMINATE = { kind: 'terminate' } as const;
export const TELL_TIMEOUT = { kind: 'tell', event: { kind: 'timeout' } } as const;
export const TELL_TRANSPORT_ERROR = { kind: 'tell', event: { kind: 'transport-error' } } as const;
export const NOTHING: readonly never[] = [];

export const send = (message: Buffer) => ({ kind: 'send', message }) as const;
export const arm = (timer: TimerName, ms: number) => ({ kind: 'arm', timer, ms }) as const;
export const disarm = (timer: TimerName) => ({ kind: 'disarm', timer }) as const;
export const tell = (response: SipResponse) =>
  ({ kind: 'tell', event: { kind: 'response', response } }) as const;
