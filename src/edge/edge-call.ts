import type { CallJob } from '../call/job.ts';
import type { CommandResult } from '../control/link.ts';
import type { LegCommand } from '../control/protocol.ts';
import type { ControlServer, EdgeEnd } from '../control/server.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { LegEndCause } from '../leg/port.ts';
import type { RelayHost, RelayLeg } from '../media/threads/port.ts';
import { SipEnded } from '../sip/agent/port.ts';
import type { Dispatch } from './dispatch.ts';
import type { EdgeLeg } from './edge-leg.ts';
import type { MediaSession } from './media-session.ts';
import { returnedHeaders } from './parties.ts';

/** Tells the worker that holds a call what happens to it; nobody when none does. */
export type OwnerLine = Pick<
  ControlServer,
  'notifyEnded' | 'notifyFormat' | 'notifyProgress' | 'notifyAnswered' | 'notifyRefer' | 'notifyReferred'
>;

/** What a call at its edge works with. */
export interface EdgeCallOptions {
  readonly relay: RelayHost;
  readonly relayLeg: RelayLeg;
  readonly media: MediaSession;
  readonly dispatch: Dispatch;
  readonly owner: OwnerLine;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The call is over and nothing of it is left here. */
  readonly onGone: () => void;
}

/** Finds the leg that another one is to be bridged with. @throws Error when this worker has no such leg here */
export type PartnerOf = (callSid: string, worker: string) => EdgeLeg;

/** A call at its edge, whichever side began it. */
export interface EdgeCall {
  readonly job: CallJob;
  /** Carries out a command of the call's owner; rejects with what it found. */
  command(epoch: number, command: LegCommand, partnerOf: PartnerOf): Promise<CommandResult>;
  /** The owner's record is safe. A leg that still runs is ended. */
  release(epoch: number): void;
  /** The owner's connection is gone. */
  lost(worker: string): void;
  /** Ends the call because this process stops. */
  shutDown(): void;
  /** Its leg, when it runs and this worker holds it. */
  legHeldBy(worker: string): EdgeLeg | undefined;
}

const CAUSES: Readonly<Record<SipEnded['cause'], LegEndCause>> = {
  bye: 'peer-hangup',
  cancel: 'peer-cancelled',
  'local-bye': 'local-hangup',
  'local-cancel': 'local-hangup',
  refused: 'rejected',
  rejected: 'rejected',
  'no-target': 'transport-failed',
  'no-ack': 'no-ack',
  unreachable: 'unreachable',
  timeout: 'transport-failed',
  'transport-error': 'transport-failed',
  closed: 'shutdown',
};

/** How a leg ended whose dialog or INVITE ended with this reason. */
export function endOf(reason: unknown): EdgeEnd {
  if (!(reason instanceof SipEnded)) return { cause: 'transport-failed' };
  const headers = reason.message_ ? returnedHeaders(reason.message_) : {};
  return {
    cause: CAUSES[reason.cause],
    ...(reason.status === undefined ? {} : { sipStatus: reason.status }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  };
}
