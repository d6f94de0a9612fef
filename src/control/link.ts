import type { CallJob, InboundJob } from '../call/job.ts';
import type { LegEnded } from '../leg/port.ts';
import type { MediaFormat } from '../media/format.ts';
import type { LegCommand, LegGrant } from './protocol.ts';

/** The edge did not carry out a command: `message` says what it found. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** A call that this worker owns, for as long as it does. */
export interface CallLink {
  readonly job: CallJob;
  /** Names the leg at its edge: the CallSid, or more where a call has several. */
  readonly id: string;
  /** Names the edge process that holds it: legs of one process may be bridged there. */
  readonly process: string;
  /** The leg as it was granted. */
  readonly leg: LegGrant;
  /**
   * Resolves when the edge has carried it out; rejects with CommandFailed, or with the reason of `lost` when the
   * connection goes first.
   */
  command(command: LegCommand): Promise<CommandResult>;
  /**
   * Gives the call back: its record is safe. Resolves when that is on its way, or when the connection is gone and
   * there is nobody to tell. Idempotent.
   */
  release(): Promise<void>;
  /** Called once, when the leg ended at the edge or the connection was lost; at once if that has already been. */
  onEnded: ((end: LegEnded) => void) | undefined;
  /** REFER from the peer; kept until somebody listens. */
  onRefer: ((referTo: string) => void) | undefined;
  /** NOTIFYs of the REFER we sent. */
  onReferred: ((status: number, final: boolean) => void) | undefined;
  /** Called for every change of codec; at once for one that nobody has seen. */
  onFormat: ((format: MediaFormat) => void) | undefined;
  /** Aborted with a LegEnded (`edge-lost` or `shutdown`) when the connection is gone: the call is not ours any more. */
  readonly lost: AbortSignal;
}

/** What the edge says of a command that it carried out. */
export interface CommandResult {
  /** The peer's SIP status, where the command asked the peer something. */
  readonly status?: number | undefined;
}

/** A call that waited at an edge and was granted. */
export interface InboundLink extends CallLink {
  readonly job: InboundJob;
}

/** A call that an edge makes for this worker. Events are kept until somebody listens. */
export interface OutgoingLink extends CallLink {
  readonly sipCallId: string;
  /**
   * Of a call that rings at several devices: resolves when one has answered, and `leg`, `id`, `process` and
   * `sipCallId` are that one's. Until then it can be hung up and nothing else. Absent: the call has one leg.
   */
  readonly chosen?: Promise<void> | undefined;
  onProgress: ((status: number, early: boolean) => void) | undefined;
  onAnswered: ((headers: Readonly<Record<string, string>>) => void) | undefined;
}
