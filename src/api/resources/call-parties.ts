import { verifiedCallerId } from '../../call/caller-id-validation.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { isE164 } from '../../core/e164.ts';
import { readSipTarget } from '../../twiml/verbs/sip-uri.ts';
import { invalid } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';

/** Who calls whom. */
export interface CallParties {
  readonly to: string;
  readonly from: string;
  readonly credentials: { readonly username: string; readonly password: string } | null;
  readonly warnings: readonly Diagnostic[];
}

/** What makes a SIP URI unusable for a call from the API; anything else about it is a warning. */
const URI_FAULTS: ReadonlyMap<number, number> = new Map([
  [13243, 21211],
  [13251, 21227],
  [13253, 21227],
  [13252, 21228],
  [32112, 21229],
]);

const LONGEST_CREDENTIAL = 255;

/** What a SIP callee may be called from. @see https://www.twilio.com/docs/voice/api/call-resource#from */
const CALLER_NAME = /^[A-Za-z0-9+\-_.]{1,100}$/;

/** Reads To, From and the login of a SIP callee. @throws ApiError */
export async function readParties(
  options: RegionOptions,
  accountSid: string,
  form: Parameters,
): Promise<CallParties> {
  const to = form.filled('To')?.trim();
  if (!to) throw invalid(21201, 'No To: give a number in E.164 such as +12025550143, or a SIP URI.');
  const from = (form.filled('CallerId') ?? form.filled('From'))?.trim();
  if (!from) throw invalid(21213, 'No From: give the number or the name that the call is made from.');
  return /^sips?:/i.test(to) || to.includes('@')
    ? sipParties(to, from, form)
    : await numberParties(to, from, accountSid, options);
}

async function numberParties(
  to: string,
  from: string,
  accountSid: string,
  options: RegionOptions,
): Promise<CallParties> {
  const number = asE164(to);
  if (!number) {
    const expected = 'a number in E.164 such as +12025550143, or a SIP URI such as sip:alice@example.com';
    throw invalid(21211, `To is '${to}'; it must be ${expected}.`);
  }
  const caller = asE164(from);
  if (!caller) throw invalid(21212, `From is '${from}'; a number is called from one in E.164.`);
  const owner = await options.ownership.byNumber(caller);
  const stores = { callerIds: options.config.records.callerIds, store: options.store };
  if (owner?.accountSid !== accountSid && !(await verifiedCallerId(stores, accountSid, caller))) {
    throw invalid(21210, `From ${caller} is not a number of this account; create it, or use one that is.`);
  }
  return { to: number, from: caller, credentials: null, warnings: [] };
}

function sipParties(to: string, from: string, form: Parameters): CallParties {
  const { target, diagnostics } = readSipTarget(to, { devices: true });
  for (const { code, message } of diagnostics) {
    const fault = URI_FAULTS.get(code);
    if (fault !== undefined) throw invalid(fault, `To cannot be called: ${message}`);
  }
  if (!target) throw invalid(21211, `To cannot be called: ${diagnostics.at(-1)?.message ?? 'no SIP URI'}`);
  const caller = /^sips?:([^@;]+)@/i.exec(from)?.[1] ?? from;
  if (!CALLER_NAME.test(caller)) {
    throw invalid(21212, `From is '${from}'; it may hold letters, digits, + - _ and dots.`);
  }
  return { to, from: caller, credentials: readCredentials(form), warnings: diagnostics };
}

/** @see https://www.twilio.com/docs/api/errors/21221 and the four that follow */
function readCredentials(form: Parameters): CallParties['credentials'] {
  const username = form.filled('SipAuthUsername');
  const password = form.filled('SipAuthPassword');
  if (username === undefined && password === undefined) return null;
  if (username === undefined) throw invalid(21222, 'SipAuthPassword was given without SipAuthUsername.');
  if (password === undefined) throw invalid(21225, 'SipAuthUsername was given without SipAuthPassword.');
  checkCredential('SipAuthUsername', username, 21221, 21222);
  checkCredential('SipAuthPassword', password, 21223, 21224);
  return { username, password };
}

/** Printable, without quotes and backslashes, which end or escape in a quoted string (RFC 3261 §25.1). */
function checkCredential(name: string, value: string, tooLong: number, illegal: number): void {
  if (value.length > LONGEST_CREDENTIAL) {
    throw invalid(tooLong, `${name} has ${value.length} characters; it may have ${LONGEST_CREDENTIAL}.`);
  }
  if (/[\x00-\x1f\x7f"\\]/.test(value)) {
    throw invalid(illegal, `${name} holds a quote, a backslash or a control character.`);
  }
}

/** As given, or a North American number written without its prefix. */
export function asE164(text: string): string | undefined {
  const digits = text.replace(/[\s().-]/g, '');
  if (isE164(digits)) return digits;
  if (/^1?[2-9]\d{9}$/.test(digits)) return `+${digits.length === 10 ? '1' : ''}${digits}`;
  return undefined;
}
