import type { LegEnded } from '../leg/port.ts';
import type { TwimlChoices } from './choices.ts';
import type { CallStatus } from './record.ts';

/** Why we ended a call that its callee had not answered. */
export type Withdrawal =
  | 'timeout' // it rang for too long
  | 'elsewhere' // another callee answered first
  | 'caller-gone' // the call that dialled it is over
  | 'api'; // cancelled or completed through the API

/**
 * What the callee's SIP status makes of a call, reference §2.7. Statuses that are not listed: `failed`. 408 and 603
 * are not documented: they are choices.
 */
const STATUSES: ReadonlyMap<number, CallStatus> = new Map([
  [480, 'no-answer'],
  [487, 'no-answer'],
  [486, 'busy'],
  [600, 'busy'],
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
  rang: boolean,
  choices: TwimlChoices,
): CallStatus {
  if (answered) return 'completed';
  if (withdrawn !== undefined) return withdrawn === 'timeout' ? 'no-answer' : 'canceled';
  if (end.cause !== 'rejected' || end.sipStatus === undefined) return 'failed';
  if (end.sipStatus === 603) return choices.declined;
  if (end.sipStatus === 408) return outcomeOfTimeout(rang, choices);
  return STATUSES.get(end.sipStatus) ?? 'failed';
}

/** A peer that rang has tried and got no answer; one that did not was never reached. */
function outcomeOfTimeout(rang: boolean, { requestTimeout }: TwimlChoices): CallStatus {
  if (requestTimeout !== 'as-it-rang') return requestTimeout;
  return rang ? 'no-answer' : 'failed';
}
