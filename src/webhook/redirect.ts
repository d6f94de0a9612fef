import type { TwimlChoices } from '../call/choices.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { WebhookMethod } from './port.ts';
import { isTarget, parseTarget, type Target } from './request.ts';

/** @see https://www.twilio.com/docs/api/errors/11215 */
export const MAX_REDIRECTS = 10;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * Where a redirect leads. 307 and 308 keep method and form (RFC 9110 §15.4.8, §15.4.9); the others become a GET
 * without it, as the reference does (§3.2), unless `choice` says otherwise.
 */
export function followRedirect(
  from: { readonly target: Target; readonly method: WebhookMethod },
  status: number,
  location: string,
  choice: TwimlChoices['redirectMethod'],
): { readonly target: Target; readonly method: WebhookMethod; readonly keepsForm: boolean } | Diagnostic {
  const url = from.target.url;
  const expected = 'a Location header with an http or https URL';
  const actual = location || 'none';
  const refused = failure(
    11216,
    `${url} answered ${status} with an unusable Location (${actual}); send ${expected}.`,
    { url, actual, expected },
  );
  if (location === '') return refused;
  const target = parseTarget(location, url);
  if (!isTarget(target)) return refused;
  const keepsForm = choice === 'same' || status === 307 || status === 308;
  return { target, method: keepsForm ? from.method : 'GET', keepsForm };
}
