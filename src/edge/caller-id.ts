import type { SipListener } from '../sip/agent/port.ts';
import { bracketHost } from '../sip/message/grammar.ts';
import { formatNameAddr } from '../sip/message/name-addr.ts';
import { escapeUser, userOf } from '../sip/message/uri.ts';
import { asBytes } from './parties.ts';

/**
 * From of an INVITE that leaves through `listener`: whoever calls, at this edge. A withheld number is written as
 * RFC 3323 §4.1.1.3 has it; a SIP URI is represented by its user part.
 */
export function fromHeader(from: string, { advertised }: SipListener): string {
  if (from === 'anonymous') {
    return formatNameAddr({ displayName: 'Anonymous', uri: 'sip:anonymous@anonymous.invalid' });
  }
  const user = /^(sips?|tel):/i.test(from) ? (userOf(from) ?? '') : asBytes(from);
  const host = `${bracketHost(advertised.address)}:${advertised.port}`;
  return formatNameAddr({ uri: user === '' ? `sip:${host}` : `sip:${escapeUser(user)}@${host}` });
}
