import { isIP } from 'node:net';
import type { SipDirectory } from '../config/sip-directory.ts';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { GivenHeaders, SipListener } from '../sip/agent/port.ts';
import {
  type ClaimedIdentity,
  makeChallenges,
  parseCredentials,
  verifyCredentials,
} from '../sip/digest/digest.ts';
import { Nonces } from '../sip/digest/nonces.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { parseUri } from '../sip/message/uri.ts';
import { isOwnAddress } from './own-address.ts';
import { asText } from './parties.ts';
import { WrongAnswers } from './wrong-answers.ts';

/** What a request is to prove, and to whom. */
export interface Asked {
  readonly realm: string;
  /** 407 for an INVITE, 401 for a REGISTER: also which header the answer is in (RFC 3261 §22.2, §22.3). */
  readonly status: 401 | 407;
  /** SIDs of the credential lists that may let it in. */
  readonly lists: readonly string[];
  /** Of the Region that decides. */
  readonly directory: SipDirectory;
  /**
   * Whom a nonce is made for and wrong answers are counted by: the flow, `flowOf(source)`. Never what a peer merely
   * says, as an AOR or a header: anybody could shut out another by it.
   */
  readonly key: string;
}

/** Why there is a challenge: nothing usable was answered, the nonce was used up or too old, or the answer was wrong. */
export type Answer = 'absent' | 'stale' | 'wrong';

export type GateVerdict =
  /** `username` as in the credential list. */
  | { readonly kind: 'admitted'; readonly username: string }
  | {
      readonly kind: 'challenge';
      readonly status: 401 | 407;
      readonly headers: GivenHeaders;
      readonly stale: boolean;
      readonly answer: Answer;
      /** Whom the peer claimed to be; for logs, never for decisions. */
      readonly claimed: string | undefined;
    }
  /** The lists cannot be read: nobody knows. */
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string; readonly code: number };

/** Digest authentication of what arrives at an edge (RFC 7616, RFC 8760). */
export interface DigestGate {
  check(request: SipRequest, asked: Asked): Promise<GateVerdict>;
}

export interface DigestGateOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Sockets of this process: some peers name the address they send to where the Request-URI belongs. */
  readonly listeners?: readonly SipListener[];
}

/** Where a message came from, as `Asked.key`. */
export function flowOf(source: { readonly address: string; readonly port: number }): string {
  return `${source.address} ${source.port}`;
}

/** Our choice: no user name is longer (32 characters of four bytes at most), so there is nothing to look up. */
const LONGEST_USERNAME = 128;
/** Stands for the secret of users that there are not: no password has it. */
const NOBODY = { MD5: '0'.repeat(32), 'SHA-256': '0'.repeat(64) };

/**
 * A gate with a secret of its own. Unknown users and wrong passwords get the same answer after the same work. Without
 * `qop` (RFC 2069) a nonce is good for one request, with it for one request of each count: nothing replayed gets in.
 */
export function createDigestGate({ clock, ids, listeners = [] }: DigestGateOptions): DigestGate {
  const nonces = new Nonces({ clock, ids });
  const wrongAnswers = new WrongAnswers(clock);

  const challengeTo = (
    { headers }: SipRequest,
    asked: Asked,
    answer: Answer,
    claimed?: ClaimedIdentity,
  ): GateVerdict => {
    const stale = answer === 'stale';
    // A challenge is not kept: who hears it twice must be able to see that it is the same.
    const asking = ['Via', 'Call-ID', 'CSeq'].map((name) => headers.get(name)).join(' ');
    const nonce = nonces.make(ownerOf(asked), asking);
    const lines = makeChallenges(asked.realm, nonce, { algorithms: OFFERED, stale });
    const name = asked.status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate';
    const said = claimed && asText(claimed.username.slice(0, LONGEST_USERNAME));
    return {
      kind: 'challenge',
      status: asked.status,
      headers: { [name]: lines },
      stale,
      answer,
      claimed: said,
    };
  };

  return {
    async check(request, asked) {
      const challenge = challengeTo.bind(undefined, request);
      const claimed = answerIn(request, asked);
      if (!claimed || !isAbout(claimed.uri, request.uri, listeners))
        return challenge(asked, 'absent', claimed);
      if (!nonces.isFresh(claimed.nonce, ownerOf(asked))) return challenge(asked, 'stale', claimed);
      if (claimed.username.length > LONGEST_USERNAME) return challenge(asked, 'wrong', claimed);
      const username = asText(claimed.username);
      const credential = await asked.directory.credential(asked.lists, username).catch((error: unknown) => ({
        unreadable: error instanceof Error ? error.message : String(error),
      }));
      if (credential && 'unreadable' in credential) {
        const reason = `the credential lists cannot be read: ${credential.unreadable}`;
        return { kind: 'refused', status: 503, reason, code: 20503 };
      }
      const secrets = credential?.secrets ?? NOBODY;
      const right = verifyCredentials(claimed, secrets[claimed.algorithm], request.method);
      const from = `${asked.key} ${username}`;
      const barred = wrongAnswers.tooMany(from);
      if (!right || !credential || barred) {
        if (!right) wrongAnswers.note(from);
        return challenge(asked, 'wrong', claimed);
      }
      // Between a replay and a peer that counts badly there is no telling: a new nonce helps the second only.
      if (!nonces.use(claimed.nonce, claimed.use)) return challenge(asked, 'stale', claimed);
      return { kind: 'admitted', username };
    },
  };
}

/**
 * What Twilio asks for. Telephones that know MD5 alone give up where a second challenge names another algorithm: sipp
 * 3.6 takes the topmost, and libre (baresip 1.0) fails on any it does not know. Answers with SHA-256 are taken.
 *
 * @see https://www.twilio.com/docs/voice/api/sending-sip
 */
const OFFERED = ['MD5'] as const;

const ownerOf = ({ realm, key }: Asked) => `${realm} ${key}`;

/** The first answer for our realm that can be used; a request may carry those for other realms as well (RFC 3261 §22.3). */
function answerIn(request: SipRequest, { status, realm }: Asked): ClaimedIdentity | undefined {
  const name = status === 407 ? 'Proxy-Authorization' : 'Authorization';
  for (const line of request.headers.all(name)) {
    const claimed = parseCredentials(line);
    if (claimed?.realm === realm) return claimed;
  }
  return undefined;
}

/**
 * Claims that the `uri` of an answer means what is called (RFC 7616 §3.4.6). Parameters may differ, for proxies add
 * and remove them; and our own address may stand for it, as sipp writes it.
 */
function isAbout(written: string, requestUri: string, listeners: readonly SipListener[]): boolean {
  if (written === requestUri) return true;
  const uri = parseUri(written);
  const wanted = parseUri(requestUri);
  if (!uri || !wanted) return false;
  if (uri.userDecoded === undefined && isIP(uri.host) !== 0 && isOwnAddress(uri, listeners)) return true;
  return uri.userDecoded === wanted.userDecoded && uri.host === wanted.host && uri.port === wanted.port;
}
