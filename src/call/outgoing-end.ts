import type { LegEndCause, LegEnded } from '../leg/port.ts';
import type { TwimlChoices } from './choices.ts';
import { outcomeOfOutgoing, type Withdrawal } from './outcomes.ts';
import type { CallStatus } from './record.ts';

/** What is known of a call we made when its leg is over. */
export interface OutgoingEnding {
  readonly end: LegEnded;
  readonly answered: boolean;
  readonly withdrawn: Withdrawal | undefined;
  /** An INVITE was sent. */
  readonly placed: boolean;
  /** A provisional response other than 100 came. */
  readonly rang: boolean;
  readonly choices: TwimlChoices;
}

/** How it is written down. */
export interface OutgoingEnd {
  readonly status: CallStatus;
  /** One sentence. */
  readonly cause: string;
  readonly by: 'peer' | 'application' | 'platform';
  /** The final status of the INVITE, or 200 of the BYE. */
  readonly sipStatus: number | undefined;
}

type Account = Pick<OutgoingEnd, 'by' | 'cause'>;

const WITHDRAWN: Readonly<Record<Withdrawal, Account>> = {
  timeout: { by: 'platform', cause: 'nobody answered in time' },
  elsewhere: { by: 'platform', cause: 'another callee answered first' },
  'caller-gone': { by: 'platform', cause: 'the call that dialled it was over before the answer' },
  api: { by: 'application', cause: 'it was canceled through the API' },
};

/** The same of a call that had been answered. */
const ENDED_BY_US: Readonly<Record<Withdrawal, Account>> = {
  timeout: { by: 'platform', cause: 'it reached its time limit' },
  elsewhere: { by: 'platform', cause: 'another callee had answered first' },
  'caller-gone': { by: 'platform', cause: 'the call that dialled it was over' },
  api: { by: 'application', cause: 'it was ended through the API' },
};

const ENDED: Readonly<Record<LegEndCause, Account>> = {
  'peer-hangup': { by: 'peer', cause: 'the callee hung up' },
  'peer-cancelled': { by: 'peer', cause: 'the callee gave up' },
  'local-hangup': { by: 'application', cause: 'the application hung up' },
  rejected: { by: 'peer', cause: 'the callee refused the call' },
  'no-ack': { by: 'peer', cause: 'the callee never completed the answer' },
  'media-timeout': { by: 'platform', cause: 'no audio arrived from the callee for too long' },
  'edge-lost': { by: 'platform', cause: 'the edge process that held the call is gone' },
  'epoch-lost': { by: 'platform', cause: 'the edge ended the call without its worker' },
  'transport-failed': { by: 'platform', cause: 'the connection to the callee failed' },
  unreachable: { by: 'platform', cause: 'the callee could not be reached: no response' },
  'not-placed': { by: 'platform', cause: 'the call was not placed' },
  shutdown: { by: 'platform', cause: 'the worker was shut down' },
};

/** How a call ended that we made, when its leg says so and no document of its own does. */
export function outgoingEnd({
  end,
  answered,
  withdrawn,
  placed,
  rang,
  choices,
}: OutgoingEnding): OutgoingEnd {
  const status = outcomeOfOutgoing(end, answered, withdrawn, rang, choices);
  const sipStatus = end.sipStatus ?? (answered ? 200 : placed && withdrawn ? 487 : undefined); // RFC 3261 §9.2
  if (withdrawn !== undefined && end.cause === 'local-hangup') {
    return { status, sipStatus, ...(answered ? ENDED_BY_US : WITHDRAWN)[withdrawn] };
  }
  const { by, cause } = ENDED[end.cause];
  const because =
    end.cause === 'rejected' && end.sipStatus !== undefined
      ? ` with ${end.sipStatus}`
      : end.diagnostic
        ? `: ${end.diagnostic.message}`
        : '';
  return { status, sipStatus, by, cause: cause + because };
}
