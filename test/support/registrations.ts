import { createHash } from 'node:crypto';
import type { Binding, Flow } from '../../src/config/registrations.ts';
import type { SipDomain } from '../../src/config/sip.ts';

let made = 0;

/** The SID of the domain of this name, unless its fields say otherwise. */
function sidOf(name: string): string {
  return `SD${createHash('md5').update(name).digest('hex')}`;
}

/** A SIP domain of a Region, and with its name whose devices `binding` makes. */
export function sipDomain(fields: Partial<SipDomain> & Pick<SipDomain, 'accountSid' | 'name'>): SipDomain {
  return {
    sid: sidOf(fields.name),
    friendlyName: fields.name,
    domainName: `${fields.name}.sip.twilio.com`,
    voiceUrl: '',
    voiceMethod: 'POST',
    voiceFallbackUrl: '',
    voiceFallbackMethod: 'POST',
    voiceStatusCallbackUrl: '',
    voiceStatusCallbackMethod: 'POST',
    sipRegistration: true,
    secure: false,
    emergencyCallingEnabled: false,
    emergencyCallerSid: null,
    byocTrunkSid: null,
    createdAt: ++made,
    updatedAt: made,
    ...fields,
  };
}

/** A device of alice@acme at dublin, over UDP, unless the fields say otherwise. */
export function binding(
  fields: Partial<Omit<Binding, 'flow'>> & { readonly flow?: Partial<Flow> } = {},
): Binding {
  const { flow = {}, aor = 'alice@acme', ...rest } = fields;
  const contact = `sip:alice@192.168.1.${++made % 250}:5060`;
  return {
    id: `RB${made.toString(16).padStart(32, '0')}`,
    accountSid: `AC${'a'.repeat(32)}`,
    domainSid: sidOf(aor.slice(aor.indexOf('@') + 1)),
    aor,
    username: aor.slice(0, aor.indexOf('@')),
    contact,
    identity: contact,
    callId: `register-${made}`,
    cseq: 1,
    path: [],
    flow: {
      edge: 'dublin',
      process: 'edge-1',
      transport: 'udp',
      address: '198.51.100.7',
      port: 5060,
      ...flow,
    },
    userAgent: null,
    createdAt: made,
    updatedAt: made,
    expiresAt: Number.MAX_SAFE_INTEGER,
    ...rest,
  };
}
