import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { WebhookResponse } from './port.ts';

/** @see https://www.twilio.com/docs/voice/twiml#twilio-understands-mime-types */
const TWIML_TYPES: ReadonlySet<string> = new Set(['text/xml', 'application/xml', 'text/html']);

/**
 * What a webhook's answer is, by its media type: TwiML to execute, audio to play before hanging up, text to
 * speak before hanging up (unless it parses as TwiML), or 12300.
 */
export function documentKind(
  response: Pick<WebhookResponse, 'url' | 'contentType'>,
): 'twiml' | 'audio' | 'text' | Diagnostic {
  const { url, contentType } = response;
  if (TWIML_TYPES.has(contentType)) return 'twiml';
  if (contentType.startsWith('audio/')) return 'audio';
  if (contentType === 'text/plain') return 'text';
  const expected = 'text/xml, application/xml, text/html, text/plain or audio/*';
  const actual = contentType || 'no Content-Type header';
  const message = `${url} answered with ${actual}; send TwiML as text/xml.`;
  return failure(12300, message, { url, actual, expected });
}
