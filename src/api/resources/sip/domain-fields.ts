import type { SipDomain } from '../../../config/sip.ts';
import { isSid } from '../../../core/ids.ts';
import { invalid } from '../../api-error.ts';
import type { ParameterType } from '../../operation.ts';
import type { Parameters } from '../../parameters.ts';
import type { RegionOptions } from '../../region-options.ts';

/** Every rule about a domain's own fields has this code: Domain Validation Error. */
const INVALID = 21231;

const LONGEST_NAME = 64; // https://www.twilio.com/docs/voice/sip/api/sip-domain-resource

export const DOMAIN_PARAMETERS: Readonly<Record<string, ParameterType>> = {
  DomainName: 'string',
  FriendlyName: 'string',
  VoiceUrl: 'url',
  VoiceMethod: 'method',
  VoiceFallbackUrl: 'url',
  VoiceFallbackMethod: 'method',
  VoiceStatusCallbackUrl: 'url',
  VoiceStatusCallbackMethod: 'method',
  SipRegistration: 'boolean',
  Secure: 'boolean',
  EmergencyCallingEnabled: 'boolean',
  EmergencyCallerSid: 'sid',
  ByocTrunkSid: 'sid',
};

/** What can be set besides the name. */
export type DomainFields = Omit<
  SipDomain,
  'sid' | 'accountSid' | 'createdAt' | 'updatedAt' | 'domainName' | 'name'
>;

/** A domain of which nothing but its name was given: it lets nobody in and calls no URL. */
export function blankFields(domainName: string): DomainFields {
  return {
    friendlyName: domainName.slice(0, LONGEST_NAME),
    voiceUrl: '',
    voiceMethod: 'POST',
    voiceFallbackUrl: '',
    voiceFallbackMethod: 'POST',
    voiceStatusCallbackUrl: '',
    voiceStatusCallbackMethod: 'POST',
    sipRegistration: false,
    secure: false,
    emergencyCallingEnabled: false,
    emergencyCallerSid: null,
    byocTrunkSid: null,
  };
}

/** The fields that the form mentions. @throws ApiError 400 */
export async function fieldsOf(
  options: RegionOptions,
  accountSid: string,
  form: Parameters,
): Promise<Partial<DomainFields>> {
  refuseTrunk(form);
  return given({
    friendlyName: friendlyName(form),
    voiceUrl: form.url('VoiceUrl', INVALID),
    voiceMethod: form.method('VoiceMethod', INVALID),
    voiceFallbackUrl: form.url('VoiceFallbackUrl', INVALID),
    voiceFallbackMethod: form.method('VoiceFallbackMethod', INVALID),
    voiceStatusCallbackUrl: form.url('VoiceStatusCallbackUrl', INVALID),
    voiceStatusCallbackMethod: form.method('VoiceStatusCallbackMethod', INVALID),
    sipRegistration: form.boolean('SipRegistration'),
    secure: form.boolean('Secure'),
    emergencyCallingEnabled: form.boolean('EmergencyCallingEnabled'),
    emergencyCallerSid: await emergencyCaller(options, accountSid, form),
  });
}

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

function given(fields: Optional<DomainFields>): Partial<DomainFields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Partial<DomainFields>; // the values that are there are of these types
}

function friendlyName(form: Parameters): string | undefined {
  const name = form.text('FriendlyName');
  if (name === undefined || name.length <= LONGEST_NAME) return name;
  throw invalid(INVALID, `FriendlyName has ${name.length} characters; it may have at most ${LONGEST_NAME}.`);
}

/** Empty clears it. */
async function emergencyCaller(
  { ownership, region }: RegionOptions,
  accountSid: string,
  form: Parameters,
): Promise<string | null | undefined> {
  const sid = form.text('EmergencyCallerSid');
  if (sid === undefined || sid === '') return sid === '' ? null : undefined;
  const number = isSid(sid, 'PN') ? await ownership.bySid(sid) : undefined;
  if (number?.accountSid === accountSid) return sid;
  throw invalid(
    INVALID,
    `EmergencyCallerSid ${sid} is no number of this account; ask ${region.id} for IncomingPhoneNumbers.`,
  );
}

/** There are no trunks of other carriers here, so whatever this names would be ignored by calls. */
function refuseTrunk(form: Parameters): void {
  const sid = form.filled('ByocTrunkSid');
  if (sid === undefined) return;
  throw invalid(INVALID, `ByocTrunkSid ${sid} does not exist: this installation has no BYOC trunks.`);
}
