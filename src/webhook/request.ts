import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { WebhookMethod } from './port.ts';
import { type SignedParams, signRequest } from './signature.ts';

/** A URL taken apart: what is requested, and what is never sent as part of it. */
export interface Target {
  /** Normalised as it goes on the wire, without userinfo and fragment. */
  readonly url: string;
  /** Scheme, host and port. */
  readonly origin: string;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
}

/**
 * Checks and takes apart the URL of a webhook or media file. `base` makes relative URLs possible (redirects).
 * The fragment is dropped here: `parseOverrides` has read it.
 */
export function parseTarget(text: string, base?: string): Target | Diagnostic {
  const url = parsed(text.trim(), base);
  if (!url) return badUrl(text, 'it cannot be parsed');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return badUrl(text, `its scheme is "${url.protocol.slice(0, -1)}"`);
  // Underscores are refused in host names: https://www.twilio.com/docs/api/errors/11100
  if (url.hostname.includes('_')) return badUrl(text, 'its host name contains an underscore');
  const credentials =
    url.username === '' && url.password === ''
      ? undefined
      : { user: decoded(url.username), password: decoded(url.password) };
  // Each of these writes the whole URL anew.
  if (credentials) url.username = url.password = '';
  if (url.hash !== '' || url.href.endsWith('#')) url.hash = '';
  return { url: url.href, origin: url.origin, credentials };
}

export function isTarget(parsed: Target | Diagnostic): parsed is Target {
  return 'origin' in parsed;
}

function parsed(text: string, base: string | undefined): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

function badUrl(text: string, why: string): Diagnostic {
  const expected = 'an absolute http or https URL';
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return failure(11100, `"${shown}" is no usable URL: ${why}; give ${expected}.`, {
    actual: shown,
    expected,
  });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray percent sign in a password
  }
}

/** One request as it goes out, before the connection adds Host and Content-Length. */
export interface ComposedRequest {
  readonly url: string;
  readonly method: WebhookMethod;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

export interface Composition {
  readonly target: Target;
  readonly method: WebhookMethod;
  /** `undefined`: nothing to send (media, and what a redirect turned into a GET). */
  readonly params: SignedParams | undefined;
  /** `undefined`: not signed. */
  readonly authToken: string | undefined;
  /** The same for every attempt of one request, so that the application can tell a retry. */
  readonly idempotencyToken: string;
  /** Whether the signature covers the port that the URL names; absent: it does. */
  readonly signedPort?: 'keep' | 'drop';
}

/** @see https://www.twilio.com/docs/usage/webhooks/getting-started-twilio-webhooks and reference §3.1 */
export function composeRequest(composition: Composition): ComposedRequest {
  const { target, method, params = {}, authToken, idempotencyToken, signedPort } = composition;
  const form = encodeForm(params);
  const url = method === 'GET' ? withQuery(target.url, form) : target.url;
  const headers: Record<string, string> = {
    'user-agent': 'TwilioProxy/1.1',
    accept: '*/*',
    'i-twilio-idempotency-token': idempotencyToken,
  };
  if (authToken !== undefined)
    headers['x-twilio-signature'] = signRequest(
      authToken,
      signedPort === 'drop' ? withoutPort(url) : url,
      params,
      method,
    );
  if (method === 'GET') return { url, method, headers, body: undefined };
  headers['content-type'] = 'application/x-www-form-urlencoded; charset=UTF-8';
  return { url, method, headers, body: form };
}

/** Cut as text: the rest must stay byte for byte what is requested. */
function withoutPort(url: string): string {
  return url.replace(/^(https?:\/\/(?:\[[^\]]*\]|[^:/?#]*)):\d+/i, '$1');
}

function encodeForm(params: SignedParams): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === 'string') form.append(name, value);
    else for (const one of value) form.append(name, one);
  }
  return form.toString();
}

function withQuery(url: string, form: string): string {
  if (form === '') return url;
  if (!url.includes('?')) return `${url}?${form}`;
  return /[?&]$/.test(url) ? url + form : `${url}&${form}`;
}

/** RFC 7617 §2. */
export function basicAuthorization(credentials: {
  readonly user: string;
  readonly password: string;
}): string {
  const pair = `${credentials.user}:${credentials.password}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

/** Headers of a peer as an application is told them: `SipHeader_X-Name`. */
export function sipHeaderParameters(headers: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => [`SipHeader_${name}`, value]);
  return Object.fromEntries(named);
}
