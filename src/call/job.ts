import type { EdgeId } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';

/** SIP facts of an inbound leg that webhooks and records mention. */
export interface SipFacts {
  readonly callId: string;
  readonly sourceIp: string;
  readonly sourcePort: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly requestUri: string;
  /** `X-…` and `User-to-User` headers as received. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What a call came from: kept from a call to those it leads to, so that numbers which dial each other come to an end. */
export interface CallChain {
  /** The call that all this began with. */
  readonly origin: string;
  /** Max-Forwards of its INVITE: how often the call may be passed on (RFC 3261 §8.1.1.6, RFC 7332). */
  readonly forwards: number;
}

interface AnyJob {
  readonly callSid: string;
  readonly epoch: number;
  readonly accountSid: string;
  readonly region: RegionId;
  /** E.164 when the caller could be normalised, otherwise as received. */
  readonly from: string;
  readonly to: string;
  /** When the INVITE arrived or the call was asked for, milliseconds since the Unix epoch. */
  readonly createdAt: number;
  /** What was noticed on the way, for the timeline: a host name that names another edge, for one. */
  readonly notes: readonly string[];
  /** Absent: the call begins a chain. A call made for another one has the other's. */
  readonly chain?: CallChain;
}

/** A SIP domain that was called, as the Region that is to execute the call has it. */
export interface CalledDomain {
  readonly sid: string;
  /** As a resource shows it: `acme.sip.twilio.com`. */
  readonly domainName: string;
  /** Whom the caller authenticated as; null where its address let it in. */
  readonly username: string | null;
}

/** What the route table said about a call. */
export interface CallRoute {
  /** The number that was called, or the bare name of the SIP domain. */
  readonly key: string;
  readonly record: 'explicit' | 'default';
  /** The record that decided, QQ and 32 hex digits; null or absent when none did. */
  readonly sid?: string | null;
  /** How long before the call the table was read, milliseconds. */
  readonly ageMs: number;
}

/** A call that waits at an edge. */
export interface InboundJob extends AnyJob {
  readonly direction: 'inbound';
  /** The number that was called; null for a call to a SIP domain. */
  readonly phoneNumberSid: string | null;
  /** The SIP domain that was called; null for a call to a number. */
  readonly domain: CalledDomain | null;
  readonly callerName: string | null;
  readonly forwardedFrom: string | null;
  readonly ingressEdge: EdgeId;
  readonly sip: SipFacts;
  /** The routing decision, for the timeline. */
  readonly route: CallRoute;
  /** Where to claim the call. */
  readonly edge: { readonly process: string; readonly host: string; readonly port: number };
}

/**
 * A call we make. `outbound-api` waits in the queue until a worker places it (what it is to say and do is its
 * journal in the Region's store); `outbound-dial` is placed by the worker of its parent and never queued.
 */
export interface OutboundJob extends AnyJob {
  readonly direction: 'outbound-api' | 'outbound-dial';
  readonly parentCallSid: string | null;
  /** Where it leaves; null until that is decided. */
  readonly egressEdge: EdgeId | null;
}

/**
 * The payload of a `calls-<region>` job: "this call wants a worker". Ids and addresses, never TwiML. The job id
 * is `<callSid>-<epoch>`.
 */
export type CallJob = InboundJob | OutboundJob;

export function jobId(callSid: string, epoch: number): string {
  return `${callSid}-${epoch}`;
}
