import type { LegEnded } from '../leg/port.ts';
import type { CallStatus } from './record.ts';

/** Why we ended a call that its callee had not answered. */
export type Withdrawal =
  | 'timeout' // it rang for too long
  | 'elsewhere' // another callee answered first
  | 'caller-gone' // the call that dialled it is over
  | 'api'; // cancelled or completed through the API

/**
 * What the callee's SIP status makes of a call, reference §2.7. Statuses that are not listed: `failed`. 603 is not
 * documented; our choice, with most engines, is that who declines is busy.
 */
const STATUSES: ReadonlyMap<number, CallStatus> = new Map([
  [408, 'no-answer'], // from the peer: it tried and got no answer
  [480, 'no-answer'],
  [487, 'no-answer'],
  [486, 'busy'],
  [600, 'busy'],
  [603, 'busy'],
]);

/**
 * The status of a call we made once its leg is over: Call.status, and DialCallStatus of the `<Dial>` that made it.
 * `rang`: a provisional response other than 100 came before.
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial#dialcallstatus-values
 */
export function outcomeOfOutgoing(
  end: Pick<LegEnded, 'cause' | 'sipStatus'>,
  answered: boolean,
  withdrawn: Withdrawal | undefined,
  rang = true,
): CallStatus {
  if (answered) return 'completed';
  if (withdrawn !== undefined) return withdrawn === 'timeout' ? 'no-answer' : 'canceled';
  if (end.cause !== 'rejected' || end.sipStatus === undefined) return 'failed';
  if (end.sipStatus === 408 && !rang) return 'failed'; // nobody was ever reached
  return STATUSES.get(end.sipStatus) ?? 'failed';
}
