import { isIP } from 'node:net';
import { readSipHost } from '../region/sip-host.ts';
import type { SipListener } from '../sip/agent/port.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { parseNameAddr } from '../sip/message/name-addr.ts';
import { parseUri, type SipUri } from '../sip/message/uri.ts';
import { isOwnAddress } from './own-address.ts';
import { asText } from './parties.ts';
import type { RegisterRefusal } from './registrar-refusal.ts';

/** Whose bindings a REGISTER is about. */
export interface AddressOfRecord {
  /** The SIP domain's global key: `acme`. */
  readonly name: string;
  /** The user part of To; '' where there is none. */
  readonly user: string;
}

/**
 * Reads the address-of-record of a REGISTER (RFC 3261 §10.3): To is `user@<name>.sip[.<edge>].<base>`, and the
 * Request-URI the same domain, the proxy `sip.<edge>.<base>` of telephones, or an address of this process, which is
 * where a proxy's name leads. A Route to the proxy changes nothing: it leads here.
 *
 * @see https://www.twilio.com/docs/voice/api/sip-registration
 */
export function addressOfRecord(
  request: SipRequest,
  domain: string,
  listeners: readonly SipListener[],
): AddressOfRecord | RegisterRefusal {
  const uri = parseUri(request.uri);
  const to = parseUri(parseNameAddr(request.headers.get('To') ?? '')?.uri ?? '');
  if (uri?.scheme === 'sips' || to?.scheme === 'sips') {
    return { status: 416, reason: 'a sips: address needs TLS, and this came over UDP or TCP' }; // RFC 5630 §5.3
  }
  const host = to && readSipHost(to.host, domain);
  if (!uri || !to || host?.kind !== 'sip-domain') {
    const found = to?.host ?? request.headers.get('To');
    return { status: 404, reason: `To names "${found}", which is no SIP domain such as acme.sip.${domain}` };
  }
  if (!leadsTo(host.name, uri, domain, listeners)) {
    return {
      status: 404,
      reason: `To is at ${to.host}, and the request is for ${uri.host}: expected one domain`,
    };
  }
  return { name: host.name, user: asText(to.userDecoded ?? '') };
}

/** RFC 3261 §10.3 step 5: the address-of-record belongs to the domain of the Request-URI. */
function leadsTo(name: string, uri: SipUri, domain: string, listeners: readonly SipListener[]): boolean {
  const host = readSipHost(uri.host, domain);
  if (host.kind === 'sip-domain') return host.name === name;
  return host.kind === 'proxy' || (isIP(uri.host) !== 0 && isOwnAddress(uri, listeners));
}
