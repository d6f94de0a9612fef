import type { SipRequest } from '../sip/message/message.ts';
import { parseNameAddr } from '../sip/message/name-addr.ts';
import { reasonPhrase } from '../sip/message/reason-phrases.ts';
import { parseUri } from '../sip/message/uri.ts';

/** What goes into `SipDialog.request`. */
interface RequestParts {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contentType?: string;
}

/** How far a REFER that we sent has come, as a NOTIFY says it. */
export interface ReferNews {
  readonly status: number;
  /** No more will come. */
  readonly final: boolean;
}

const NOTIFY_EXPIRES = 60; // seconds; our choice: longer than a callee rings by default, RFC 3515 §2.4.4 wants some

/** Characters of a Refer-To; our choice: enough for a URI with headers, and a bound on what a peer can hand on. */
const REFER_TO_LENGTH = 256;

/**
 * Where a peer's REFER points, as it wrote it: any URI. Undefined when it is to be refused with 400, for it names none,
 * more than one (RFC 3515 §2.4.2), or one that is too long.
 */
export function referredTo(request: SipRequest): string | undefined {
  const [target, ...others] = request.headers.list('Refer-To');
  if (target === undefined || others.length > 0 || target.length > REFER_TO_LENGTH) return undefined;
  return parseNameAddr(target) ? target : undefined;
}

/** A REFER to this URI, headers included. @throws Error when it is no SIP URI */
export function referTo(uri: string): RequestParts {
  if (!parseUri(uri)) throw new Error(`"${uri}" is no SIP URI that a peer can be referred to`);
  return { headers: { 'Refer-To': `<${uri}>` } };
}

/** The NOTIFY that tells the sender of a REFER what has become of it (RFC 3515 §2.4.4, §2.4.5; RFC 3420). */
export function notifyOf(status: number): RequestParts {
  const state = status < 200 ? `active;expires=${NOTIFY_EXPIRES}` : 'terminated;reason=noresource';
  return {
    headers: { Event: 'refer', 'Subscription-State': state },
    body: `SIP/2.0 ${status} ${reasonPhrase(status)}\r\n`,
    contentType: 'message/sipfrag;version=2.0',
  };
}

/** What a NOTIFY says of our REFER; undefined when it is of something else, or says nothing. */
export function referNews(request: SipRequest): ReferNews | undefined {
  const event = request.headers.get('Event')?.split(';')[0]?.trim().toLowerCase();
  const status = Number(/^SIP\/2\.0 ([1-6]\d\d)/i.exec(request.body)?.[1]);
  if (event !== 'refer' || Number.isNaN(status)) return undefined;
  const terminated = /^terminated\b/i.test(request.headers.get('Subscription-State')?.trim() ?? '');
  return { status, final: terminated || status >= 200 };
}
