import { maxForwards } from '../message/parse.ts';
import { schemeOf } from '../message/uri.ts';
import type { IncomingRequest } from '../transaction/incoming.ts';
import { checkHeaders } from './given.ts';
import type { GivenHeaders, OfferReply } from './port.ts';
import { ALLOW } from './stack.ts';

/** A response this agent gives by itself. */
export interface Answer {
  readonly status: number;
  readonly headers?: GivenHeaders;
  readonly phrase?: string;
}

/** Registered methods: not implementing one is 405, not knowing it 501 (RFC 3261 §21.5.2). */
const METHODS = new Set([
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'REGISTER',
  'INFO',
  'PRACK',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'MESSAGE',
  'REFER',
  'UPDATE',
]);

/** The schemes a Request-URI may have: `tel:` names a number, as a `sip:` user part does (RFC 3966). */
const SCHEMES = new Set(['sip', 'sips', 'tel']);

/** What a REGISTER may require: a registrar knows them, or nobody answers REGISTER at all (RFC 3327, RFC 5626). */
const REGISTRAR_EXTENSIONS: ReadonlySet<string> = new Set(['path', 'outbound']);

/** What is wrong with a request as such, before anybody is asked (RFC 3261 §8.2.1–8.2.3), or undefined. */
export function objectionTo(incoming: IncomingRequest): Answer | undefined {
  const { request, method } = incoming;
  const { headers } = request;
  if (!SCHEMES.has(schemeOf(request.uri) ?? '')) return { status: 416 };
  // §11: OPTIONS with no hops left probes whoever it reaches; within a dialog there is nothing behind us.
  if (method !== 'OPTIONS' && incoming.toTag === '' && maxForwards(headers) === 0) return { status: 483 };
  const required = headers
    .list('require')
    .filter((tag) => method !== 'REGISTER' || !REGISTRAR_EXTENSIONS.has(tag.toLowerCase()));
  if (required.length > 0) return { status: 420, headers: { Unsupported: required.join(', ') } }; // §8.2.2.3
  return method === 'INVITE' ? objectionToInvite(incoming) : undefined;
}

function objectionToInvite({ request }: IncomingRequest): Answer | undefined {
  const { headers, body } = request;
  // §8.1.1.8; `*` is a REGISTER's and no place to send a BYE to
  if (!headers.has('contact') || headers.get('contact') === '*')
    return { status: 400, phrase: 'Missing Contact' };
  const encoding = headers.get('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return { status: 415, headers: { 'Accept-Encoding': 'identity' } };
  }
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (body !== '' && type !== undefined && type !== 'application/sdp') {
    return { status: 415, headers: { Accept: 'application/sdp' } };
  }
  return undefined;
}

/** The answer to a method nobody handles: OPTIONS says what we can (RFC 3261 §11.2), the rest is refused. */
export function answerToMethod(method: string): Answer {
  if (method === 'OPTIONS') {
    return {
      status: 200,
      headers: { Allow: ALLOW, Accept: 'application/sdp', 'Accept-Encoding': 'identity', Supported: '' },
    };
  }
  // Of what a dialog may have a handler for, this method has none here.
  const allowed = ALLOW.split(', ').filter((one) => one !== method);
  return { status: METHODS.has(method) ? 405 : 501, headers: { Allow: allowed.join(', ') } };
}

/** The parts of a response that an owner's reply describes; throws a TypeError for headers that cannot be sent. */
export function partsOf(reply: OfferReply) {
  const { body, headers } = reply;
  if (headers) checkHeaders(headers);
  const typed = headers && Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  return { headers, body, contentType: body && !typed ? 'application/sdp' : undefined };
}
