import { SIP_REALM, type SipCredential } from '../../../config/sip.ts';
import { passwordHash } from '../../../sip/digest/digest.ts';
import { invalid } from '../../api-error.ts';
import type { Parameters } from '../../parameters.ts';

/** Credential Validation Error. */
export const INVALID_CREDENTIAL = 21243;

const LONGEST_USERNAME = 32; // https://www.twilio.com/docs/voice/sip/api/sip-credential-resource
const SHORTEST_PASSWORD = 12;

/** Our choice: what the user part of a SIP URI holds without escapes (RFC 3261 §25.1, user). */
const USERNAME = /^[A-Za-z0-9\-_.!~*'()&=+$,;?/]+$/;

/** @throws ApiError 21243 */
export function readUsername(form: Parameters): string {
  const username = form.filled('Username');
  if (username === undefined) {
    throw invalid(INVALID_CREDENTIAL, `Username is required; give 1 to ${LONGEST_USERNAME} characters.`);
  }
  if (username.length > LONGEST_USERNAME) {
    throw invalid(
      INVALID_CREDENTIAL,
      `Username has ${username.length} characters; it may have at most ${LONGEST_USERNAME}.`,
    );
  }
  if (USERNAME.test(username)) return username;
  throw invalid(
    INVALID_CREDENTIAL,
    `Username '${username}' cannot be used: it may hold letters, digits and - _ . ! ~ * ' ( ) & = + $ , ; ? /`,
  );
}

/** What is wrong is said without the password. @throws ApiError 21243 */
export function readPassword(form: Parameters): string | undefined {
  const password = form.text('Password');
  if (password === undefined) return undefined;
  const wrong = [
    password.length < SHORTEST_PASSWORD && `has ${password.length} characters`,
    !/\d/.test(password) && 'has no digit',
    !/\p{Lu}/u.test(password) && 'has no upper-case letter',
    !/\p{Ll}/u.test(password) && 'has no lower-case letter',
  ].filter((reason) => reason !== false);
  if (wrong.length === 0) return password;
  throw invalid(
    INVALID_CREDENTIAL,
    `Password ${wrong.join(', ')}; it must have at least ${SHORTEST_PASSWORD} characters, with a digit and both upper- and lower-case letters.`,
  );
}

/** What is kept in place of a password. Telephones hash it in UTF-8; SIP text here is one character a byte. */
export function secretsOf(username: string, password: string): SipCredential['secrets'] {
  const credentials = { username, password: Buffer.from(password, 'utf8').toString('latin1') };
  return {
    MD5: passwordHash('MD5', credentials, SIP_REALM),
    'SHA-256': passwordHash('SHA-256', credentials, SIP_REALM),
  };
}
