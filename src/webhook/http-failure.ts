import { HttpError, type HttpFailure } from './port.ts';

/** How far a request had come when it failed. */
export type Phase = 'connecting' | 'waiting' | 'receiving';

/** @see https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE: Readonly<Record<string, HttpFailure>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls-host',
  HOSTNAME_MISMATCH: 'tls-host',
  CERT_HAS_EXPIRED: 'tls-expired',
  CERT_NOT_YET_VALID: 'tls-expired',
  UNABLE_TO_GET_ISSUER_CERT: 'tls-untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls-untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls-untrusted',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'tls-untrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls-untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls-untrusted',
  CERT_SIGNATURE_FAILURE: 'tls-untrusted',
  CERT_CHAIN_TOO_LONG: 'tls-untrusted',
  CERT_REVOKED: 'tls-untrusted',
  CERT_UNTRUSTED: 'tls-untrusted',
  CERT_REJECTED: 'tls-untrusted',
  INVALID_CA: 'tls-untrusted',
  INVALID_PURPOSE: 'tls-untrusted',
  PATH_LENGTH_EXCEEDED: 'tls-untrusted',
};

const CONNECT: Readonly<Record<string, HttpFailure>> = {
  ECONNREFUSED: 'connect-refused',
  ETIMEDOUT: 'connect-timeout',
  UND_ERR_CONNECT_TIMEOUT: 'connect-timeout',
  EPROTO: 'tls-handshake',
};

/** The connection was lost; everything else after connecting is the server's HTTP. */
const LOST: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET']);

/** What a socket's, resolver's or undici's error means for a request. */
export function classify(error: Error, phase: Phase, url: string): HttpError {
  if (error instanceof HttpError) return error;
  const { host, protocol } = new URL(url);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const because = (failure: HttpFailure, what: string) =>
    new HttpError(failure, what, { cause: error, partial: phase === 'receiving' });

  if (phase === 'receiving') return because('protocol', `the response broke off (${error.message})`);
  if (phase === 'waiting') {
    if (LOST.has(code)) return because('connect-failed', 'the connection was closed before an answer came');
    return because('protocol', `the answer is no HTTP/1.1 (${error.message})`);
  }
  if (code.startsWith('EAI_') || code === 'ENOTFOUND' || code === 'ENODATA')
    return because('dns', `the host name in ${host} does not resolve (${code})`);
  const certificate = CERTIFICATE[code];
  if (certificate) return because(certificate, `the certificate of ${host} is refused (${error.message})`);
  const isTls = code.startsWith('ERR_SSL_') || (protocol === 'https:' && code === 'ECONNRESET');
  const failure = isTls ? 'tls-handshake' : (CONNECT[code] ?? 'connect-failed');
  return because(failure, `no connection to ${host} (${code || error.message})`);
}
