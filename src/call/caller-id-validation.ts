import type { OutgoingCallerId } from '../config/applications.ts';
import type { Records } from '../config/records/port.ts';
import type { CallStore } from '../storage/ports.ts';
import type { CallFacts } from './facts.ts';
import { TERMINAL_STATUSES } from './record.ts';

/** Where caller ids are kept, and the calls in which they are verified. */
export interface CallerIdStores {
  readonly callerIds: Records<OutgoingCallerId>;
  readonly store: CallStore;
}

/**
 * What is said to whoever answers, and the keys that are waited for, one after the other. A key that is not the next of
 * the code is an answer without an `action`, which ends the call.
 */
export function validationDocument(code: string): string {
  const gathers = [...code].map((key, n) => {
    const prompt = n === 0 ? '<Say>Please enter the verification code that you were given.</Say>' : '';
    return `<Gather finishOnKey="${key}" numDigits="1" timeout="15">${prompt}</Gather>`;
  });
  return `<Response>${gathers.join('')}<Say>Thank you. Goodbye.</Say></Response>`;
}

/**
 * The caller id as its validation call left it: the keys that were typed are in that call's timeline, written by the
 * worker that heard them. Undefined when the call is over without the code; one that is not over leaves it as it is.
 */
export async function settled(
  { callerIds, store }: CallerIdStores,
  callerId: OutgoingCallerId,
): Promise<OutgoingCallerId | undefined> {
  const { validation, sid } = callerId;
  if (!validation) return callerId;
  const call = await store.fetch(validation.callSid); // before the timeline, which is complete once it is over
  if ((await keysOf(store, validation.callSid)).includes(validation.code)) {
    const changed = await callerIds.change(sid, (before) =>
      before.validation?.callSid === validation.callSid ? { ...before, validation: null } : before,
    );
    return changed === 'taken' ? undefined : changed;
  }
  if (call && !TERMINAL_STATUSES.has(call.status)) return callerId;
  await callerIds.remove(sid);
  return undefined;
}

async function keysOf(store: CallStore, callSid: string): Promise<string> {
  const events = await store.timeline(callSid);
  return events.map((event) => (event.type === 'dtmf' ? event.digit : '')).join('');
}

/**
 * What the last status callback of a validation call says beside the others; also of one that nobody answered.
 *
 * @param code what was to be typed in it
 * @see https://www.twilio.com/docs/voice/api/outgoing-caller-ids#add-an-outgoing-caller-id
 */
export async function validationResult(
  stores: CallerIdStores,
  call: Pick<CallFacts, 'callSid' | 'accountSid' | 'to'>,
  code: string,
): Promise<Readonly<Record<string, string>>> {
  const typed = (await keysOf(stores.store, call.callSid)).includes(code);
  const found = await stores.callerIds.find(`${call.accountSid} ${call.to}`);
  const callerId = found && (await settled(stores, found));
  // Another request for the number may have taken this one's place, or the caller id may be gone again.
  if (!typed || !callerId || callerId.validation) return { VerificationStatus: 'failed' };
  return { VerificationStatus: 'success', OutgoingCallerIdSid: callerId.sid };
}

/** Whether the account may show a number that isn't its own. */
export async function verifiedCallerId(
  stores: CallerIdStores,
  accountSid: string,
  phoneNumber: string,
): Promise<boolean> {
  const found = await stores.callerIds.find(`${accountSid} ${phoneNumber}`);
  const callerId = found && (await settled(stores, found));
  return callerId !== undefined && !callerId.validation;
}
