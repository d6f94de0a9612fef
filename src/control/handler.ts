import type { InboundJob } from '../call/job.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { LegEndCause } from '../leg/port.ts';
import type { Endpoint } from '../media/format.ts';
import type { RegionId } from '../region/region.ts';
import type { CommandResult } from './link.ts';
import type { DialRequest, LegCommand, LegGrant, RefusalReason } from './protocol.ts';
import type { WorkerLink } from './worker-session.ts';

export interface ClaimRequest {
  readonly callSid: string;
  readonly epoch: number;
  readonly worker: string;
  readonly region: RegionId;
  /** The worker's inner media socket. */
  readonly media: Endpoint;
}

export type ClaimAnswer =
  | { readonly granted: { readonly job: InboundJob; readonly leg: LegGrant } }
  | { readonly refused: RefusalReason };

/** `dialling`: the INVITE is on its way; otherwise nothing of the call is left at the edge. */
export type DialAnswer =
  | { readonly dialling: { readonly sipCallId: string; readonly leg: LegGrant } }
  | { readonly notDialled: Diagnostic };

/** How a leg ended at the edge. */
export interface EdgeEnd {
  readonly cause: LegEndCause;
  /** The SIP status that said so, where there is one. */
  readonly sipStatus?: number | undefined;
  /** `X-…` headers of the message that ended it; what is beyond the channel's bounds is left out. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly diagnostic?: Diagnostic | undefined;
}

/** What the edge does for its workers. */
export interface ControlHandler {
  /** Grants the call to this worker, or says why not. */
  claim(request: ClaimRequest, link: WorkerLink): ClaimAnswer;
  /**
   * Calls somebody; `media` is the worker's inner socket. The call is this worker's from now on: `release` or `lost`
   * may come before the answer, which is then told to nobody. What is notified meanwhile is sent after `dialling`. A
   * rejection is logged, and told as not dialled (12400): nothing of the call may be left then.
   */
  dial(request: DialRequest, media: Endpoint, link: WorkerLink): Promise<DialAnswer>;
  /** Whether one of two accounts is the other's parent; a rejection's message is what the worker is told. */
  related(accounts: readonly [string, string]): Promise<boolean>;
  /** Whether a SIP domain is, in some Region, the account's or a related one's; a rejection as that of `related`. */
  domainRelated(name: string, accountSid: string): Promise<boolean>;
  /** Carries out a command of the call's owner; a rejection's message is what the worker is told. */
  command(callSid: string, epoch: number, command: LegCommand): Promise<CommandResult>;
  /** The owner has finished with the call. */
  release(callSid: string, epoch: number): void;
  /** The connection of this worker is gone, and with it these calls: those that it claimed or dialled. */
  lost(worker: string, callSids: readonly string[]): void;
}
