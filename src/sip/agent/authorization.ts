import {
  answerChallenge,
  type Credentials,
  isStale,
  type Subject,
  strongestChallenge,
} from '../digest/digest.ts';
import type { SipResponse } from '../message/message.ts';

interface Asked {
  readonly challenge: string;
  readonly clientNonce: string;
  /** How often the challenge's nonce was used. */
  uses: number;
  /** It came after another of its kind was answered. */
  readonly again: boolean;
}

/**
 * The challenges one request met on its way, and the answers to them: by a proxy (407), by the callee (401), or by
 * both one after the other (RFC 3261 §22). Each asks once; a second time only to say that the nonce was stale.
 */
export class Challenges {
  readonly #credentials: Credentials | undefined;
  readonly #chance: () => string;
  /** By the header that answers. */
  readonly #asked = new Map<'Authorization' | 'Proxy-Authorization', Asked>();

  constructor(credentials: Credentials | undefined, chance: () => string) {
    this.#credentials = credentials;
    this.#chance = chance;
  }

  /** Takes a final response; claims that sending the request again, with `headers`, may end better. */
  take(response: SipResponse): boolean {
    const { status, headers } = response;
    if (!this.#credentials || (status !== 401 && status !== 407)) return false;
    const [name, lines] =
      status === 407
        ? (['Proxy-Authorization', headers.all('proxy-authenticate')] as const)
        : (['Authorization', headers.all('www-authenticate')] as const);
    const challenge = strongestChallenge(lines);
    if (challenge === undefined) return false;
    const before = this.#asked.get(name);
    if (before && (before.again || !isStale(challenge))) return false; // the password is wrong
    this.#asked.set(name, { challenge, clientNonce: this.#chance(), uses: 0, again: before !== undefined });
    return true;
  }

  /** Credentials for the next request. */
  headers(subject: Subject): Readonly<Record<string, string>> {
    const credentials = this.#credentials;
    if (!credentials) return {};
    const answers = [...this.#asked].map(([name, asked]) => {
      asked.uses++;
      const { challenge, clientNonce, uses } = asked;
      return [name, answerChallenge([challenge], credentials, subject, clientNonce, uses) ?? ''];
    });
    return Object.fromEntries(answers);
  }
}
