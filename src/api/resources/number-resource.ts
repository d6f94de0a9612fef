import type { NumberConfig, OwnedNumber } from '../../config/port.ts';
import { rfc2822 } from '../../core/dates.ts';
import { friendlyNameOf } from './number-configuration.ts';
import { typeOf } from './number-plan.ts';

/**
 * The IncomingPhoneNumber resource, every field of it. Without a configuration in this Region the URLs are null;
 * with one they are a URL or empty.
 *
 * @see https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource#incomingphonenumber-properties
 */
export function numberResource(number: OwnedNumber, config: NumberConfig | undefined) {
  const account = `/2010-04-01/Accounts/${number.accountSid}`;
  return {
    account_sid: number.accountSid,
    address_sid: null,
    address_requirements: 'none',
    api_version: '2010-04-01',
    beta: false,
    capabilities: { voice: true, sms: false, mms: false, fax: false },
    date_created: rfc2822(number.createdAt),
    date_updated: rfc2822(config?.updatedAt ?? number.createdAt),
    friendly_name: config?.friendlyName ?? friendlyNameOf(number.phoneNumber),
    identity_sid: null,
    phone_number: number.phoneNumber,
    origin: 'twilio',
    sid: number.sid,
    sms_application_sid: '',
    sms_fallback_method: 'POST',
    sms_fallback_url: '',
    sms_method: 'POST',
    sms_url: '',
    status_callback: config?.statusCallback ?? null,
    status_callback_method: config?.statusCallbackMethod ?? 'POST',
    trunk_sid: null,
    uri: `${account}/IncomingPhoneNumbers/${number.sid}.json`,
    voice_receive_mode: 'voice',
    voice_application_sid: config?.voiceApplicationSid ?? null,
    voice_caller_id_lookup: config?.voiceCallerIdLookup ?? false,
    voice_fallback_method: config?.voiceFallbackMethod ?? 'POST',
    voice_fallback_url: config?.voiceFallbackUrl ?? null,
    voice_method: config?.voiceMethod ?? 'POST',
    voice_url: config?.voiceUrl ?? null,
    emergency_status: 'Inactive',
    emergency_address_sid: null,
    emergency_address_status: 'unregistered',
    bundle_sid: null,
    status: 'in-use',
    type: typeOf(number.phoneNumber),
    subresource_uris: {},
  };
}
