import { mappingParent, type SipDomain } from '../../../config/sip.ts';
import { rfc2822 } from '../../../core/dates.ts';
import type { RegionOptions } from '../../region-options.ts';

/** `/2010-04-01/Accounts/AC…/SIP`. */
export function sipPath(accountSid: string): string {
  return `/2010-04-01/Accounts/${accountSid}/SIP`;
}

/**
 * What of the mappings asks for: `IP_ACL`, `CREDENTIAL_LIST`, both with a comma, or '' when nobody gets in. Lists for
 * registrations let no calls in.
 */
export async function authTypeOf({ config }: RegionOptions, domainSid: string): Promise<string> {
  const { mappings } = config.records;
  const mapped = async (list: 'ip-access-control-list' | 'credential-list') => {
    const uses = ['legacy', 'calls'] as const;
    const counts = await Promise.all(
      uses.map((use) => mappings.count(mappingParent({ domainSid, use, list }))),
    );
    return counts.some((count) => count > 0);
  };
  const [addresses, credentials] = await Promise.all([
    mapped('ip-access-control-list'),
    mapped('credential-list'),
  ]);
  return [addresses && 'IP_ACL', credentials && 'CREDENTIAL_LIST'].filter(Boolean).join(',');
}

/** A domain as the API shows it. @see https://www.twilio.com/docs/voice/sip/api/sip-domain-resource */
export function domainResource(domain: SipDomain, authType: string): object {
  const path = `${sipPath(domain.accountSid)}/Domains/${domain.sid}`;
  return {
    account_sid: domain.accountSid,
    api_version: '2010-04-01',
    auth_type: authType,
    byoc_trunk_sid: domain.byocTrunkSid,
    date_created: rfc2822(domain.createdAt),
    date_updated: rfc2822(domain.updatedAt),
    domain_name: domain.domainName,
    emergency_caller_sid: domain.emergencyCallerSid,
    emergency_calling_enabled: domain.emergencyCallingEnabled,
    friendly_name: domain.friendlyName,
    secure: domain.secure,
    sid: domain.sid,
    sip_registration: domain.sipRegistration,
    subresource_uris: {
      credential_list_mappings: `${path}/CredentialListMappings.json`,
      ip_access_control_list_mappings: `${path}/IpAccessControlListMappings.json`,
    },
    uri: `${path}.json`,
    voice_fallback_method: domain.voiceFallbackMethod,
    voice_fallback_url: domain.voiceFallbackUrl || null,
    voice_method: domain.voiceMethod,
    voice_status_callback_method: domain.voiceStatusCallbackMethod,
    voice_status_callback_url: domain.voiceStatusCallbackUrl || null,
    voice_url: domain.voiceUrl || null,
  };
}
