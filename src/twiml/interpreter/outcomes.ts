import type { CallStatus } from '../../call/record.ts';
import type { LegEndCause } from '../../leg/port.ts';
import type { CallEnd } from './world.ts';

/** What was going on when the leg ended. */
export interface LegEnding {
  readonly cause: LegEndCause;
  readonly answered: boolean;
  /** The verb that was running. */
  readonly running: string | undefined;
  readonly sipStatus: number | undefined;
  /** The peer is somebody we called. */
  readonly outgoing: boolean;
}

interface Rule {
  readonly by: 'peer' | 'application' | 'platform';
  readonly ringing: CallStatus;
  readonly answered: CallStatus;
  readonly says: string;
}

/**
 * How a call ends when its leg does, reference §4.1: a call that was answered is `completed`, whoever hangs up.
 * A caller who gives up while it rings leaves a `no-answer`; `canceled` is kept for calls that the API cancels.
 * An answer that was never acknowledged made no call: `failed`.
 */
const RULES: Readonly<Record<LegEndCause, Rule>> = {
  'peer-hangup': rule('peer', 'no-answer', 'completed', 'the caller hung up'),
  'peer-cancelled': rule('peer', 'no-answer', 'completed', 'the caller gave up before the call was answered'),
  'local-hangup': rule('application', 'no-answer', 'completed', 'the application hung up'),
  rejected: rule('application', 'failed', 'completed', 'the call was refused'),
  'no-ack': rule('peer', 'failed', 'failed', 'the caller never acknowledged the answer'),
  'media-timeout': rule('platform', 'failed', 'completed', 'no audio arrived from the caller for too long'),
  'edge-lost': rule('platform', 'failed', 'completed', 'the edge process that held the call is gone'),
  'epoch-lost': rule('platform', 'failed', 'completed', 'another worker took the call over'),
  'transport-failed': rule('platform', 'failed', 'completed', 'the connection to the caller failed'),
  unreachable: rule('peer', 'failed', 'completed', 'the caller could not be reached'),
  'not-placed': rule('platform', 'failed', 'completed', 'the call could not be made'),
  shutdown: rule('platform', 'failed', 'completed', 'the worker was shut down'),
};

function rule(by: Rule['by'], ringing: CallStatus, answered: CallStatus, says: string): Rule {
  return { by, ringing, answered, says };
}

/** The SIP status of a refusal, where it says more than `failed`: RFC 3261 §21.4.24, §21.6.1 */
const BUSY_STATUSES: readonly (number | undefined)[] = [486, 600];

/** The end of a call whose leg ended by itself, and whom the timeline names for it. */
export function endOfLeg(ending: LegEnding): CallEnd & { readonly by: Rule['by'] } {
  const { by, ringing, answered, says } = RULES[ending.cause];
  const busy = ending.cause === 'rejected' && BUSY_STATUSES.includes(ending.sipStatus);
  const status = ending.answered ? answered : busy ? 'busy' : ringing;
  const during = ending.running === undefined ? '' : ` during <${ending.running}>`;
  const cause = ending.outgoing ? says.replace('the caller', 'the called party') : says;
  return { by, status, cause: cause + during };
}

/** What `<Reject>` does: SIP status and call status, reference §1.15. */
export const REJECTIONS = {
  busy: { sip: 486, phrase: 'Busy Here', status: 'busy' },
  rejected: { sip: 404, phrase: 'Not Found', status: 'no-answer' },
} as const satisfies Record<string, { sip: number; phrase: string; status: CallStatus }>;
