import type { Binding } from '../config/registrations.ts';
import type { GivenHeaders } from '../sip/agent/port.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { asksForOutbound } from './registrar-outbound.ts';

/**
 * Headers of the 200: every binding there is with the seconds it has left (RFC 3261 §10.3 step 8), the Path as it came
 * (RFC 3327 §5.3), and that flows are understood (RFC 5626 §6).
 */
export function registeredHeaders(
  request: SipRequest,
  bindings: readonly Binding[],
  now: number,
): GivenHeaders {
  const contacts = bindings.map(({ contact, parameters = '', expiresAt }) => {
    return `<${contact}>;expires=${Math.max(0, Math.ceil((expiresAt - now) / 1_000))}${parameters}`;
  });
  const path = request.headers.list('Path');
  const flows = asksForOutbound(request) && bindings.some(({ identity, contact }) => identity !== contact);
  return {
    ...(contacts.length > 0 ? { Contact: contacts } : {}),
    ...(path.length > 0 ? { Path: path } : {}),
    ...(flows ? { Require: 'outbound' } : {}),
    Supported: 'path, outbound',
    Date: new Date(now).toUTCString(), // RFC 3261 §20.17
  };
}
