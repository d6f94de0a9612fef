import type { NumberConfig, OwnedNumber } from '../../config/port.ts';
import { invalid } from '../api-error.ts';
import type { OperationParameters } from '../operation.ts';
import type { Parameters } from '../parameters.ts';

const LONGEST_NAME = 64; // https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource

/** @see https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource */
export const NUMBER_PARAMETERS: OperationParameters = {
  ApiVersion: 'string',
  FriendlyName: 'string',
  SmsApplicationSid: 'sid',
  SmsFallbackMethod: 'method',
  SmsFallbackUrl: 'url',
  SmsMethod: 'method',
  SmsUrl: 'url',
  StatusCallback: 'url',
  StatusCallbackMethod: 'method',
  VoiceApplicationSid: 'sid',
  VoiceCallerIdLookup: 'boolean',
  VoiceFallbackMethod: 'method',
  VoiceFallbackUrl: 'url',
  VoiceMethod: 'method',
  VoiceUrl: 'url',
  EmergencyStatus: ['Active', 'Inactive'],
  EmergencyAddressSid: 'sid',
  TrunkSid: 'sid',
  IdentitySid: 'sid',
  AddressSid: 'sid',
  VoiceReceiveMode: ['voice', 'fax'],
  BundleSid: 'sid',
};

/** What Twilio names a number that nobody named: North American ones nationally, others as they are. */
export function friendlyNameOf(phoneNumber: string): string {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phoneNumber);
  return parts ? `(${parts[1]}) ${parts[2]}-${parts[3]}` : phoneNumber;
}

/** The configuration of a number before anything is set: calls are answered with nothing to do. */
export function blankConfig(number: OwnedNumber, now: number): NumberConfig {
  return {
    phoneNumberSid: number.sid,
    friendlyName: friendlyNameOf(number.phoneNumber),
    voiceUrl: '',
    voiceMethod: 'POST',
    voiceFallbackUrl: '',
    voiceFallbackMethod: 'POST',
    statusCallback: '',
    statusCallbackMethod: 'POST',
    voiceCallerIdLookup: false,
    voiceApplicationSid: null,
    createdAt: now,
    updatedAt: now,
  };
}

/**
 * `before` with what the form says; what it doesn't mention stays. The URLs of a number that an application answers are
 * kept, and ignored as long as it does.
 *
 * @param applicationSid what the form says of the application; undefined: nothing
 * @throws ApiError 400
 */
export function applyVoice(
  form: Parameters,
  before: NumberConfig,
  now: number,
  applicationSid: string | null | undefined,
): NumberConfig {
  refuseUnsupported(form);
  const written: NumberConfig = {
    ...before,
    friendlyName: friendlyName(form) ?? before.friendlyName,
    voiceUrl: form.url('VoiceUrl', 21402) ?? before.voiceUrl,
    voiceMethod: form.method('VoiceMethod', 21403) ?? before.voiceMethod,
    voiceFallbackUrl: form.url('VoiceFallbackUrl', 21402) ?? before.voiceFallbackUrl,
    voiceFallbackMethod: form.method('VoiceFallbackMethod', 21403) ?? before.voiceFallbackMethod,
    statusCallback: form.url('StatusCallback', 21402) ?? before.statusCallback,
    statusCallbackMethod: form.method('StatusCallbackMethod', 21403) ?? before.statusCallbackMethod,
    voiceCallerIdLookup: form.boolean('VoiceCallerIdLookup') ?? before.voiceCallerIdLookup,
    voiceApplicationSid: applicationSid === undefined ? (before.voiceApplicationSid ?? null) : applicationSid,
    updatedAt: now,
  };
  if (form.filled('VoiceFallbackUrl') && !written.voiceUrl) {
    throw invalid(21405, 'VoiceFallbackUrl cannot be set without VoiceUrl.');
  }
  return written;
}

/** @throws ApiError 20002 */
export function friendlyName(form: Parameters): string | undefined {
  const name = form.text('FriendlyName');
  if (name !== undefined && name.length > LONGEST_NAME) {
    throw invalid(20002, `FriendlyName has ${name.length} characters; it may have at most ${LONGEST_NAME}.`);
  }
  return name;
}

/** What would change how a call is handled, were it accepted and ignored. */
function refuseUnsupported(form: Parameters): void {
  for (const sms of ['SmsUrl', 'SmsFallbackUrl', 'SmsApplicationSid']) {
    if (form.filled(sms)) throw invalid(21407, `${sms} cannot be set: this phone number carries voice only.`);
  }
  if (form.filled('TrunkSid')) {
    throw invalid(21245, `TrunkSid ${form.filled('TrunkSid')}: this Region has no trunk with that SID.`);
  }
  if (form.oneOf('VoiceReceiveMode', ['voice', 'fax']) === 'fax') {
    throw invalid(20001, 'VoiceReceiveMode fax is not offered; it must be voice.');
  }
  if (
    form.oneOf('EmergencyStatus', ['Active', 'Inactive']) === 'Active' ||
    form.filled('EmergencyAddressSid')
  ) {
    throw invalid(20001, 'Emergency calling is not offered: no emergency service would be reached.');
  }
}
