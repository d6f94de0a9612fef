import { isE164 } from '../core/e164.ts';
import type { SipRequest, SipResponse } from '../sip/message/message.ts';
import { parseNameAddr } from '../sip/message/name-addr.ts';
import { parseUri, type SipUri } from '../sip/message/uri.ts';

export interface Caller {
  /** E.164 where the From user is one (with or without `+`), `anonymous` for a withheld number, else the URI. */
  readonly from: string;
  readonly name: string | null;
}

/** Who calls a number, as webhooks and the record say it. */
export function callerOf(request: SipRequest): Caller {
  const { uri, name } = partyOf(request);
  if (!uri) return { from: 'unknown', name };
  const user = uri.userDecoded ?? '';
  // RFC 3323 §4.1.1.3: a withheld caller is sip:anonymous@anonymous.invalid
  if (/^anonymous$/i.test(user)) return { from: 'anonymous', name: null };
  if (isE164(user)) return { from: user, name };
  // Carriers leave the + out; a bare national number has fewer digits and stays as it is.
  if (/^[1-9]\d{9,14}$/.test(user)) return { from: `+${user}`, name };
  return { from: user === '' ? `sip:${uri.host}` : `sip:${user}@${uri.host}`, name };
}

/**
 * Who calls a SIP domain: a URI always, however much its user looks like a number.
 * @see https://www.twilio.com/docs/voice/api/sip-twiml
 */
export function sipCallerOf(request: SipRequest): Caller {
  const { uri, name } = partyOf(request);
  return { from: uri ? sipAddress(uri) : 'unknown', name };
}

function partyOf(request: SipRequest): { readonly uri: SipUri | undefined; readonly name: string | null } {
  const from = parseNameAddr(request.headers.get('From') ?? '');
  const uri = from && parseUri(from.uri);
  return { uri, name: uri && from.displayName ? asText(from.displayName) : null };
}

/** A URI as webhooks show it: user and host as written, nothing of how to get there. */
export function sipAddress({ user, host }: Pick<SipUri, 'user' | 'host'>): string {
  const written = host.includes(':') ? `[${host}]` : host; // an IPv6 reference
  return user === undefined ? `sip:${written}` : `sip:${asText(user)}@${written}`;
}

/** The number a diverted call was first meant for (RFC 5806). */
export function forwardedFrom(request: SipRequest): string | null {
  const diversion = request.headers.list('Diversion')[0];
  const uri = diversion === undefined ? undefined : parseNameAddr(diversion)?.uri;
  return (uri !== undefined && parseUri(uri)?.userDecoded) || null;
}

/** The headers that webhooks pass on: `X-…` and `User-to-User`, decoded, at most 50 of them. */
export function passedHeaders(message: SipRequest | SipResponse): Record<string, string> {
  return headersLike(/^(x-|user-to-user$)/i, message);
}

/** The headers that come back to a `<Dial>` from whom it called: `X-…` only (reference §2.3). */
export function returnedHeaders(message: SipRequest | SipResponse): Record<string, string> {
  return headersLike(/^x-/i, message);
}

function headersLike(names: RegExp, message: SipRequest | SipResponse): Record<string, string> {
  const passed: Record<string, string> = {};
  let left = 50; // our choice: a bound on what a peer can put into a job and a webhook
  for (const { name, value } of message.headers.lines) {
    if (!names.test(name) || left-- <= 0) continue;
    passed[name] = asText(value).slice(0, 1024);
  }
  return passed;
}

/** Text as SIP messages hold it: its UTF-8 bytes, one character each. */
export function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The other way round. */
export function asText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
