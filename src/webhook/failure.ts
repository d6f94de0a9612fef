import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { HttpError, HttpFailure, WebhookRequest } from './port.ts';

interface Explanation {
  readonly code: number;
  readonly advice: string;
}

/** Reference §5.1; the codes' pages are under https://www.twilio.com/docs/api/errors */
const EXPLANATIONS: Readonly<Record<HttpFailure, Explanation>> = {
  dns: { code: 11210, advice: 'check the host name and its DNS records' },
  'connect-timeout': { code: 11201, advice: 'check that the host is up and its firewall lets us in' },
  'connect-refused': {
    code: 11202,
    advice: 'check that the application is running and listens on this port',
  },
  'connect-failed': { code: 11205, advice: 'check that the host can be reached and keeps connections open' },
  'tls-handshake': { code: 11220, advice: 'check that the port speaks TLS 1.2 or newer' },
  'tls-host': { code: 11235, advice: 'install a certificate for this host name' },
  'tls-expired': { code: 11236, advice: 'renew the certificate' },
  'tls-untrusted': {
    code: 11237,
    advice: 'install a certificate of a public authority with its complete chain',
  },
  'read-timeout': { code: 11200, advice: 'answer faster or raise the rt override' },
  protocol: { code: 11206, advice: 'answer with a complete HTTP/1.1 response' },
  'body-too-large': { code: 11200, advice: 'send a smaller body' },
  'forbidden-address': {
    code: 11200,
    advice: 'use a public address, or allow private ones for this platform',
  },
  'outside-of-test': { code: 11200, advice: 'allow this host, or say what it answers' },
};

/** What the customer is told about a request that got no usable response. */
export function explainFailure(
  error: HttpError,
  url: string,
  purpose: WebhookRequest['purpose'],
): Diagnostic {
  const { code, advice } = EXPLANATIONS[error.failure];
  const isDocument = purpose === 'document' || purpose === 'fallback';
  // https://www.twilio.com/docs/api/errors/11750 is about TwiML alone.
  const shown = error.failure === 'body-too-large' && isDocument ? 11750 : code;
  return failure(shown, `Requesting ${url} failed: ${error.message}; ${advice}.`, {
    url,
    actual: error.failure,
  });
}
