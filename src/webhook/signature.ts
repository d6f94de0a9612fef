import { createHmac } from 'node:crypto';
import type { WebhookMethod } from './port.ts';

/** Form parameters as signed: a name that is sent several times has several values. */
export type SignedParams = Readonly<Record<string, string | readonly string[]>>;

/**
 * The value of `X-Twilio-Signature`: HMAC-SHA1 under the auth token over the URL as it is requested, followed, for
 * POST, by every parameter name (byte order) and its decoded values (distinct, sorted), without separators. A
 * GET's parameters are in its query already. Fragment and userinfo are never sent, so they are never signed.
 *
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
export function signRequest(token: string, url: string, params: SignedParams, method: WebhookMethod): string {
  const hmac = createHmac('sha1', token).update(withoutPrivateParts(url), 'utf8');
  if (method === 'POST') hmac.update(concatenated(params), 'utf8');
  return hmac.digest('base64');
}

function concatenated(params: SignedParams): string {
  let signed = '';
  // Default sort order: UTF-16 code units, as the official validators sort.
  for (const name of Object.keys(params).sort()) {
    const value = params[name] ?? '';
    if (typeof value === 'string') signed += name + value;
    else for (const one of [...new Set(value)].sort()) signed += name + one;
  }
  return signed;
}

/** Cut as text: the rest must stay byte for byte what is requested. */
function withoutPrivateParts(url: string): string {
  const fragment = url.indexOf('#');
  const bare = fragment < 0 ? url : url.slice(0, fragment);
  return bare.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}
