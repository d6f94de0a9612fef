import type { Ids } from '../../core/ids.ts';
import type { GivenHeaders } from '../../sip/agent/port.ts';
import {
  type Credentials,
  makeChallenges,
  parseCredentials,
  passwordHash,
  verifyCredentials,
} from '../../sip/digest/digest.ts';
import type { SipRequest } from '../../sip/message/message.ts';

const REALM = 'trunkline';

/** Nonces that were given out and not used yet; beyond it the oldest is stale. Our choice. */
const MAX_NONCES = 1_000;

/** What a caller showed: nothing yet, credentials that do not fit, ones for an old nonce, or the right ones. */
export type Shown = 'nothing' | 'wrong' | 'stale' | 'right';

/** Asks callers who they are (RFC 3261 §22.1), with SHA-256 and with MD5; every nonce opens once. */
export class Doorkeeper {
  readonly #credentials: Credentials;
  readonly #ids: Ids;
  readonly #nonces = new Set<string>();

  constructor(credentials: Credentials, ids: Ids) {
    this.#credentials = credentials;
    this.#ids = ids;
  }

  check(request: SipRequest): Shown {
    const value = request.headers.get('Authorization');
    if (value === undefined) return 'nothing';
    const claimed = parseCredentials(value);
    if (!claimed || claimed.username !== this.#credentials.username || claimed.realm !== REALM)
      return 'wrong';
    const secret = passwordHash(claimed.algorithm, this.#credentials, REALM);
    if (claimed.uri !== request.uri || !verifyCredentials(claimed, secret, request.method)) return 'wrong';
    return this.#nonces.delete(claimed.nonce) ? 'right' : 'stale';
  }

  /** The headers of a 401 after this. */
  challenge(shown: Shown): GivenHeaders {
    const nonce = this.#ids.token(16);
    for (const old of this.#nonces) {
      if (this.#nonces.size < MAX_NONCES) break;
      this.#nonces.delete(old);
    }
    this.#nonces.add(nonce);
    return { 'WWW-Authenticate': makeChallenges(REALM, nonce, { stale: shown === 'stale' }) };
  }
}
