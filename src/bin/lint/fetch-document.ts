import { SystemClock } from '../../core/clock.ts';
import { RandomIds } from '../../core/ids.ts';
import { withoutSecrets } from '../../core/secrets.ts';
import { createWebhookSession } from '../../webhook/client.ts';
import { documentKind } from '../../webhook/document-kind.ts';
import { createHttpClient } from '../../webhook/http-adapter.ts';
import type { WebhookMethod, WebhookResponse } from '../../webhook/port.ts';
import { asFault, documentOf, type LintInput } from './inputs.ts';

/**
 * The document that a URL answers with, asked for as a live call asks (its timeouts, redirects, size and connection
 * overrides), without the parameters of a call and unsigned.
 */
export async function fetchDocument(url: string, method: WebhookMethod): Promise<LintInput> {
  const clock = new SystemClock();
  const http = createHttpClient({ clock, allowPrivate: true });
  const name = withoutSecrets(url);
  try {
    const session = createWebhookSession({ http, clock, ids: new RandomIds() });
    const request = { url, method, params: {}, purpose: 'document' } as const;
    const result = await session.fetch(request, new AbortController().signal);
    if (result.ok) return judged(name, result.response);
    const { code, message } = result.diagnostic;
    const other = method === 'GET' && /\b40[45]\b/.test(message) ? ' (--method POST asks with POST)' : '';
    return { name, why: `${code} ${message}${other}` };
  } finally {
    await http.close();
  }
}

/** By its content type, as a live call: audio is played and text is spoken, which leaves nothing to judge. */
function judged(name: string, response: WebhookResponse): LintInput {
  const { url, body, contentType, charset } = response;
  const kind = documentKind(response);
  if (kind === 'twiml') return documentOf(name, body, url, charset);
  if (kind === 'audio')
    return {
      name,
      why: `it answers with audio (${contentType}), which a call plays; there is no TwiML to judge`,
    };
  if (kind !== 'text') return { name, text: '', url, fault: [asFault(kind)] };
  const looksLikeXml = /^\s*(?:\uFEFF|\xEF\xBB\xBF)?\s*</.test(body.toString('latin1', 0, 200));
  if (looksLikeXml) return documentOf(name, body, url, charset);
  return { name, why: `it answers with plain text, which a call speaks; send TwiML as text/xml` };
}
