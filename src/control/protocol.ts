import type { InboundJob, OutboundJob } from '../call/job.ts';
import type { Flow } from '../config/registrations.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { LegEndCause } from '../leg/port.ts';
import type { Endpoint, MediaFormat } from '../media/format.ts';
import type { EdgeId } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';

/**
 * The control channel: one TCP connection from a worker to each edge process whose calls it holds. Frames are a
 * 32-bit big-endian length and that many bytes of UTF-8 JSON, at most 256 KiB. The edge opens with a `challenge`;
 * the worker answers with `hello` carrying its proof of the shared secret (proof.ts); the edge proves itself the same
 * way in `welcome`. Both sides then send `ping` when idle; a side that hears nothing for three intervals closes.
 *
 * Calls are named by CallSid. One that rings at several devices has a leg at the edge for each of them, named by the
 * CallSid, a dash and the number of its fork (leg-id.ts); everything below that names a call names such a leg then.
 */

/** Whom an edge is to call. */
export type DialledParty =
  /** A number: back in through this edge when it is one of this installation's, else to the carrier. */
  | { readonly kind: 'number'; readonly number: string }
  /** A Request-URI, without headers. */
  | { readonly kind: 'sip'; readonly uri: string }
  /** A registered device: its Contact, over the flow it registered by and no other way. */
  | {
      readonly kind: 'device';
      /** Whose SIP domain it is registered with: the account that calls, or a related one. */
      readonly accountSid: string;
      readonly uri: string;
      /** The address that it is registered under: To. */
      readonly address: string;
      readonly path: readonly string[];
      readonly flow: Flow;
    };

/** An INVITE to be sent from `edge`. */
export interface DialRequest {
  /** The child call; also what its end is recorded with when its worker is lost. */
  readonly job: OutboundJob;
  /** Tells apart the legs of a call that rings at several devices; absent: it has this one. */
  readonly fork?: number;
  readonly edge: EdgeId;
  readonly party: DialledParty;
  /** The user part of From and the number or name it was made from; the host is the edge's. */
  readonly from: string;
  /** Caller id checks: the numbers (E.164) of the call that dials; empty for a call from the API. */
  readonly onBehalfOf: readonly string[];
  /** Headers of the INVITE beside the edge's own; values as SIP messages hold them, one character a byte. */
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials?: { readonly username: string; readonly password: string };
}

/** The state of a leg as the edge hands it to a worker. */
export interface LegGrant {
  readonly state: 'ringing' | 'answered';
  /** The handle of the leg's media on the inner hop, and where to send it. */
  readonly media: { readonly handle: number; readonly edge: Endpoint; readonly format: MediaFormat };
}

export type WorkerMessage =
  | {
      readonly type: 'hello';
      readonly worker: string;
      readonly region: RegionId;
      readonly nonce: string;
      readonly mac: string;
    }
  | { readonly type: 'ping' }
  /** Asks for a call; answered by `granted` or `refused`. `media` is the worker's inner socket. */
  | { readonly type: 'claim'; readonly callSid: string; readonly epoch: number; readonly media: Endpoint }
  /**
   * Calls somebody; answered by `dialling` or `not-dialled`, then by `progress`, `answered` and `ended`. The worker
   * owns the call with the job's epoch from the start.
   */
  | { readonly type: 'dial'; readonly media: Endpoint; readonly request: DialRequest }
  /** A command to a held call; answered by `done` or `failed` with the same `id`. */
  | {
      readonly type: 'command';
      readonly callSid: string;
      readonly epoch: number;
      readonly id: number;
      readonly command: LegCommand;
    }
  /** Whether one of two accounts is the other's parent, which is known globally; answered by `related` or `failed`. */
  | { readonly type: 'ask-related'; readonly id: number; readonly accounts: readonly [string, string] }
  /**
   * Whether a SIP domain of that name is, in some Region, the account's or a related one's, which is known globally;
   * answered by `related` or `failed`.
   */
  | {
      readonly type: 'ask-domain-related';
      readonly id: number;
      readonly name: string;
      readonly accountSid: string;
    }
  /** The worker has finished with the call and its record is safe; the edge forgets it. */
  | { readonly type: 'release'; readonly callSid: string; readonly epoch: number };

export type LegCommand =
  | { readonly verb: 'answer' }
  | { readonly verb: 'reject'; readonly status: number; readonly phrase?: string }
  /** BYE; CANCEL to a callee that has not answered. */
  | { readonly verb: 'hangup' }
  /** 183 with SDP to a caller that still waits. */
  | { readonly verb: 'progress' }
  /**
   * The peers of this leg and of that call's, both at this edge process, hear each other without the worker. `gently`:
   * the worker joins them, and each direction changes over in a pause of its talker.
   */
  | { readonly verb: 'bridge'; readonly with: string; readonly gently?: true }
  /** Both legs' audio goes through the worker again, without a gap. `gently`: as for `bridge`. */
  | { readonly verb: 'unbridge'; readonly gently?: true }
  /** REFER; `done` carries its status. NOTIFYs come as `referred`. */
  | { readonly verb: 'refer'; readonly to: string }
  /** NOTIFY to a peer whose REFER was accepted. */
  | { readonly verb: 'notify'; readonly status: number };

export type RefusalReason = 'gone' | 'superseded' | 'taken' | 'wrong-region' | 'draining';

export type EdgeMessage =
  | { readonly type: 'challenge'; readonly process: string; readonly nonce: string }
  | { readonly type: 'welcome'; readonly mac: string }
  | { readonly type: 'denied'; readonly reason: string }
  | { readonly type: 'ping' }
  | {
      readonly type: 'granted';
      readonly callSid: string;
      readonly epoch: number;
      readonly job: InboundJob;
      readonly leg: LegGrant;
    }
  /** The INVITE is on its way; the leg's format is a guess until its peer has answered. */
  | {
      readonly type: 'dialling';
      readonly callSid: string;
      readonly epoch: number;
      readonly sipCallId: string;
      readonly leg: LegGrant;
    }
  /** It was not sent: nothing of the call is left at the edge. */
  | {
      readonly type: 'not-dialled';
      readonly callSid: string;
      readonly epoch: number;
      readonly diagnostic: Diagnostic;
    }
  | {
      readonly type: 'progress';
      readonly callSid: string;
      readonly epoch: number;
      readonly status: number;
      /** An SDP came with it: the peer's audio can be heard. */
      readonly early: boolean;
    }
  | {
      readonly type: 'answered';
      readonly callSid: string;
      readonly epoch: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** The peer sent REFER, which was accepted with 202 and NOTIFY 100. */
  | { readonly type: 'refer'; readonly callSid: string; readonly epoch: number; readonly referTo: string }
  /** A NOTIFY of the REFER we sent; `final`: no more will come. */
  | {
      readonly type: 'referred';
      readonly callSid: string;
      readonly epoch: number;
      readonly status: number;
      readonly final: boolean;
    }
  | {
      readonly type: 'refused';
      readonly callSid: string;
      readonly epoch: number;
      readonly reason: RefusalReason;
    }
  | { readonly type: 'done'; readonly id: number; readonly status?: number }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string }
  | { readonly type: 'related'; readonly id: number; readonly related: boolean }
  /** The leg ended at the edge. */
  | {
      readonly type: 'ended';
      readonly callSid: string;
      readonly epoch: number;
      readonly cause: LegEndCause;
      readonly sipStatus?: number;
      /** `X-…` headers of the message that ended it. */
      readonly headers?: Readonly<Record<string, string>>;
      readonly diagnostic?: Diagnostic;
    }
  /** A re-INVITE changed the codec. */
  | {
      readonly type: 'format';
      readonly callSid: string;
      readonly epoch: number;
      readonly format: MediaFormat;
    };
