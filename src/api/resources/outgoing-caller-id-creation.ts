import { type CallerIdStores, settled, validationDocument } from '../../call/caller-id-validation.ts';
import type { OutboundOrder } from '../../call/orders.ts';
import type { OutgoingCallerId } from '../../config/applications.ts';
import { invalid } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { queueCall } from './call-creation.ts';
import { asE164 } from './call-parties.ts';
import { friendlyName, friendlyNameOf } from './number-configuration.ts';

const LONGEST_DELAY_S = 60; // https://www.twilio.com/docs/voice/api/outgoing-caller-ids#add-an-outgoing-caller-id
const RING_MS = 60_000;
const LONGEST_CALL_MS = 180_000; // our choice: a prompt, and six keys with a quarter of a minute each

/**
 * Calls a number, so that the code in the answer can be typed there: the number is verified as soon as it was.
 *
 * The call is made from the account's oldest number, and StatusCallback is told its end and whether the code was typed.
 *
 * @throws ApiError
 */
export async function requestValidation(
  options: RegionOptions,
  accountSid: string,
  form: Parameters,
): Promise<object> {
  const to = readNumber(form);
  const name = friendlyName(form) || friendlyNameOf(to);
  const delayMs = (form.integer('CallDelay', 21454, { min: 0, max: LONGEST_DELAY_S }) ?? 0) * 1_000;
  const asked = { sendDigits: readExtension(form), statusCallback: readCallback(form) };
  await refuseKnown(options, accountSid, to);
  const [from] = await options.ownership.list(accountSid);
  if (!from) {
    throw invalid(21210, `${to} is called from a number of this account, and it has none: create one first.`);
  }
  const code = String(100_000 + (options.ids.uint32() % 900_000));
  const order: Omit<OutboundOrder, 'callSid'> = {
    accountSid,
    to,
    from: from.phoneNumber,
    document: { kind: 'twiml', twiml: validationDocument(code) },
    timeoutMs: RING_MS,
    timeLimitMs: LONGEST_CALL_MS,
    recording: null,
    credentials: null,
    machineDetection: false,
    validationCode: code,
    ...asked,
  };
  const call = await queueCall(options, order, { delayMs });
  await remember(options, accountSid, to, name, { callSid: call.sid, code });
  return {
    account_sid: accountSid,
    call_sid: call.sid,
    friendly_name: name,
    phone_number: to,
    validation_code: code,
  };
}

export function storesOf({ config, store }: RegionOptions): CallerIdStores {
  return { callerIds: config.records.callerIds, store };
}

/** A second request for the same number takes the place of the first. */
async function remember(
  { config, ids, clock }: RegionOptions,
  accountSid: string,
  phoneNumber: string,
  name: string,
  validation: NonNullable<OutgoingCallerId['validation']>,
): Promise<void> {
  const { callerIds } = config.records;
  const now = clock.now();
  const fresh: OutgoingCallerId = {
    sid: ids.sid('PN'),
    accountSid,
    phoneNumber,
    friendlyName: name,
    validation,
    createdAt: now,
    updatedAt: now,
  };
  if ((await callerIds.create(fresh)) === 'created') return;
  const pending = await callerIds.find(`${accountSid} ${phoneNumber}`);
  if (!pending) return;
  await callerIds.change(pending.sid, (before) =>
    before.validation ? { ...before, friendlyName: name, validation, updatedAt: now } : before,
  );
}

function readNumber(form: Parameters): string {
  const given = form.filled('PhoneNumber')?.trim();
  const number = given === undefined ? undefined : asE164(given);
  if (number) return number;
  const found = given === undefined ? 'is required' : `'${given}' is not valid; give it`;
  throw invalid(21401, `PhoneNumber ${found} in E.164 form (+15105550100).`);
}

function readExtension(form: Parameters): string {
  const digits = form.filled('Extension') ?? '';
  if (/^[0-9*#wW]{0,32}$/.test(digits)) return digits;
  throw invalid(21206, `Extension is '${digits}'; it must be up to 32 of 0-9 * # w W.`);
}

function readCallback(form: Parameters): OutboundOrder['statusCallback'] {
  const url = form.callback('StatusCallback', 21456);
  const method = form.method('StatusCallbackMethod', 21403) ?? 'POST';
  return url ? { url, method, events: ['completed'] } : null;
}

async function refuseKnown(options: RegionOptions, accountSid: string, number: string): Promise<void> {
  if ((await options.ownership.byNumber(number))?.accountSid === accountSid) {
    throw invalid(21449, `${number} is a number of this account: it can be shown as it is.`);
  }
  const found = await options.config.records.callerIds.find(`${accountSid} ${number}`);
  const known = found && (await settled(storesOf(options), found));
  if (known && !known.validation) {
    throw invalid(21450, `${number} has been verified for this account already (${known.sid}).`);
  }
}
