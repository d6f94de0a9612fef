import type { Application } from '../../config/applications.ts';
import { rfc2822 } from '../../core/dates.ts';
import { invalid } from '../api-error.ts';
import type { OperationParameters } from '../operation.ts';
import type { Parameters } from '../parameters.ts';
import { friendlyName } from './number-configuration.ts';

/** @see https://www.twilio.com/docs/usage/api/applications#create-an-application-resource */
export const APPLICATION_PARAMETERS: OperationParameters = {
  ApiVersion: 'string',
  FriendlyName: 'string',
  VoiceUrl: 'url',
  VoiceMethod: 'method',
  VoiceFallbackUrl: 'url',
  VoiceFallbackMethod: 'method',
  StatusCallback: 'url',
  StatusCallbackMethod: 'method',
  VoiceCallerIdLookup: 'boolean',
  SmsUrl: 'url',
  SmsMethod: 'method',
  SmsFallbackUrl: 'url',
  SmsFallbackMethod: 'method',
  SmsStatusCallback: 'url',
  MessageStatusCallback: 'url',
  PublicApplicationConnectEnabled: 'boolean',
};

/** An application that nobody has said anything about. */
export function blankApplication(sid: string, accountSid: string, now: number): Application {
  return {
    sid,
    accountSid,
    friendlyName: '',
    voiceUrl: '',
    voiceMethod: 'POST',
    voiceFallbackUrl: '',
    voiceFallbackMethod: 'POST',
    statusCallback: '',
    statusCallbackMethod: 'POST',
    voiceCallerIdLookup: false,
    publicApplicationConnectEnabled: false,
    smsUrl: '',
    smsMethod: 'POST',
    smsFallbackUrl: '',
    smsFallbackMethod: 'POST',
    smsStatusCallback: '',
    messageStatusCallback: '',
    createdAt: now,
    updatedAt: now,
  };
}

/** `before` with what the form says; what it doesn't mention stays, what it leaves empty is cleared. @throws ApiError */
export function withForm(form: Parameters, before: Application, now: number): Application {
  checkApiVersion(form);
  const url = (name: string, standing: string) => form.url(name, 21402) ?? standing;
  const written: Application = {
    ...before,
    friendlyName: friendlyName(form) ?? before.friendlyName,
    voiceUrl: url('VoiceUrl', before.voiceUrl),
    voiceMethod: form.method('VoiceMethod', 21403) ?? before.voiceMethod,
    voiceFallbackUrl: url('VoiceFallbackUrl', before.voiceFallbackUrl),
    voiceFallbackMethod: form.method('VoiceFallbackMethod', 21403) ?? before.voiceFallbackMethod,
    statusCallback: url('StatusCallback', before.statusCallback),
    statusCallbackMethod: form.method('StatusCallbackMethod', 21403) ?? before.statusCallbackMethod,
    voiceCallerIdLookup: form.boolean('VoiceCallerIdLookup') ?? before.voiceCallerIdLookup,
    publicApplicationConnectEnabled:
      form.boolean('PublicApplicationConnectEnabled') ?? before.publicApplicationConnectEnabled,
    smsUrl: url('SmsUrl', before.smsUrl),
    smsMethod: form.method('SmsMethod', 21403) ?? before.smsMethod,
    smsFallbackUrl: url('SmsFallbackUrl', before.smsFallbackUrl),
    smsFallbackMethod: form.method('SmsFallbackMethod', 21403) ?? before.smsFallbackMethod,
    smsStatusCallback: url('SmsStatusCallback', before.smsStatusCallback),
    messageStatusCallback: url('MessageStatusCallback', before.messageStatusCallback),
    updatedAt: now,
  };
  checkFallbacks(form, written);
  return written;
}

/** There is one version of the API. */
export function checkApiVersion(form: Parameters): void {
  form.oneOf('ApiVersion', ['2010-04-01']);
}

/** A fallback stands in for a URL, so there has to be one. */
function checkFallbacks(form: Parameters, { voiceUrl, smsUrl }: Application): void {
  if (form.filled('VoiceFallbackUrl') && !voiceUrl) {
    throw invalid(21405, 'VoiceFallbackUrl cannot be set without VoiceUrl.');
  }
  if (form.filled('SmsFallbackUrl') && !smsUrl) {
    throw invalid(21406, 'SmsFallbackUrl cannot be set without SmsUrl.');
  }
}

/** Twilio's Application resource; what is not set is null. */
export function applicationResource(application: Application) {
  const { sid, accountSid } = application;
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    date_created: rfc2822(application.createdAt),
    date_updated: rfc2822(application.updatedAt),
    friendly_name: application.friendlyName || null,
    message_status_callback: application.messageStatusCallback || null,
    sid,
    sms_fallback_method: application.smsFallbackMethod,
    sms_fallback_url: application.smsFallbackUrl || null,
    sms_method: application.smsMethod,
    sms_status_callback: application.smsStatusCallback || null,
    sms_url: application.smsUrl || null,
    status_callback: application.statusCallback || null,
    status_callback_method: application.statusCallbackMethod,
    uri: `/2010-04-01/Accounts/${accountSid}/Applications/${sid}.json`,
    voice_caller_id_lookup: application.voiceCallerIdLookup,
    voice_fallback_method: application.voiceFallbackMethod,
    voice_fallback_url: application.voiceFallbackUrl || null,
    voice_method: application.voiceMethod,
    voice_url: application.voiceUrl || null,
    public_application_connect_enabled: application.publicApplicationConnectEnabled,
  };
}
