import type { RetryPolicy } from './overrides.ts';
import type { HttpFailure } from './port.ts';

/**
 * What `ct` covers: the connection could not be made, or was closed before a byte of the answer came, as an idle
 * connection of a server that restarts is. Certificates and names do not get better by asking again.
 */
const CONNECT_FAILURES: ReadonlySet<HttpFailure> = new Set<HttpFailure>([
  'connect-timeout',
  'connect-refused',
  'connect-failed',
  'tls-handshake',
]);

/**
 * Claims a request that failed, or was answered with an error status, may be sent again. Partial responses are
 * never retried; that is for the caller to see.
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
export function allowsRetry(policies: ReadonlySet<RetryPolicy>, reason: HttpFailure | number): boolean {
  if (typeof reason === 'number') {
    if (reason < 400) return false;
    return policies.has('all') || policies.has(reason < 500 ? '4xx' : '5xx');
  }
  // Never sent, or answered with too much: the answer will be the same.
  if (reason === 'forbidden-address' || reason === 'outside-of-test') return false;
  if (reason === 'body-too-large') return false;
  if (policies.has('all')) return true;
  if (reason === 'read-timeout') return policies.has('rt');
  return CONNECT_FAILURES.has(reason) && policies.has('ct');
}
