import { createHash, timingSafeEqual } from 'node:crypto';
import { type DigestFields, formatDigest, parseDigest } from './fields.ts';

/** Algorithms understood, with the hash that stands behind each (RFC 7616 §3.3, RFC 8760 §2.1). */
const HASHES = { MD5: 'md5', 'SHA-256': 'sha256' } as const;

export type DigestAlgorithm = keyof typeof HASHES;

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** What a request is authenticated as: method and Request-URI as sent. */
export interface Subject {
  readonly method: string;
  readonly uri: string;
}

interface Algorithm {
  readonly name: DigestAlgorithm;
  readonly session: boolean;
}

/** MD5 where none is named (RFC 7616 §3.3); undefined for what is not understood. */
function algorithmOf(fields: DigestFields): Algorithm | undefined {
  const written = (fields.get('algorithm') ?? 'MD5').toUpperCase();
  const session = written.endsWith('-SESS');
  const name = session ? written.slice(0, -5) : written;
  return name === 'MD5' || name === 'SHA-256' ? { name, session } : undefined;
}

/** Text is as SIP messages hold it, one character a byte: credentials, too. */
const hash = (name: DigestAlgorithm, text: string) =>
  createHash(HASHES[name]).update(text, 'latin1').digest('hex');

/** H(username:realm:password): what a server may keep instead of a password. */
export function passwordHash(algorithm: DigestAlgorithm, credentials: Credentials, realm: string): string {
  return hash(algorithm, `${credentials.username}:${realm}:${credentials.password}`);
}

interface Exchange {
  readonly nonce: string;
  readonly cnonce: string;
  readonly nc: string;
  /** Undefined: the peer speaks RFC 2069, without nonce counts. */
  readonly qop: 'auth' | undefined;
}

/** The `response` field (RFC 7616 §3.4.1). */
function responseOf(algorithm: Algorithm, secret: string, subject: Subject, exchange: Exchange): string {
  const { nonce, cnonce, nc, qop } = exchange;
  const a1 = algorithm.session ? hash(algorithm.name, `${secret}:${nonce}:${cnonce}`) : secret;
  const a2 = hash(algorithm.name, `${subject.method}:${subject.uri}`);
  return hash(algorithm.name, qop ? `${a1}:${nonce}:${nc}:${cnonce}:${qop}:${a2}` : `${a1}:${nonce}:${a2}`);
}

/** `nc`: how often this nonce was used, eight hexadecimal digits. */
const count = (n: number) => n.toString(16).padStart(8, '0');

const qopsOf = (challenge: DigestFields) =>
  challenge
    .get('qop')
    ?.split(',')
    .map((qop) => qop.trim().toLowerCase());

/** Weakest first. */
const STRENGTHS: readonly DigestAlgorithm[] = ['MD5', 'SHA-256'];

/**
 * The challenge to answer: of those that can be answered the one with the strongest algorithm (RFC 7616 §3.7), the
 * topmost of equals (RFC 8760 §2.4). Undefined when there is none: another scheme, an unknown algorithm, or only
 * `auth-int`.
 *
 * @param challenges the WWW-Authenticate or Proxy-Authenticate lines, in order
 */
export function strongestChallenge(challenges: readonly string[]): string | undefined {
  const strength = (line: string) => {
    const fields = parseDigest(line);
    return fields && isAnswerable(fields) ? STRENGTHS.indexOf(algorithmOf(fields)?.name ?? 'MD5') : -1;
  };
  return challenges
    .filter((line) => strength(line) >= 0)
    .toSorted((one, other) => strength(other) - strength(one))[0];
}

function isAnswerable(challenge: DigestFields): boolean {
  return (
    algorithmOf(challenge) !== undefined &&
    challenge.has('realm') &&
    challenge.has('nonce') &&
    (qopsOf(challenge)?.includes('auth') ?? true)
  );
}

/** The nonce of this challenge replaces one that was too old; the password was not wrong (RFC 7616 §3.3). */
export function isStale(challenge: string): boolean {
  return parseDigest(challenge)?.get('stale')?.toLowerCase() === 'true';
}

/**
 * Credentials for the strongest of these challenges, as a header value; undefined when none can be answered.
 *
 * @param chance a client nonce
 * @param use how often this nonce was used, from 1
 */
export function answerChallenge(
  challenges: readonly string[],
  credentials: Credentials,
  subject: Subject,
  chance: string,
  use = 1,
): string | undefined {
  const line = strongestChallenge(challenges);
  const challenge = line === undefined ? undefined : parseDigest(line);
  return challenge && answerOne(challenge, credentials, subject, chance, use);
}

function answerOne(
  challenge: DigestFields,
  credentials: Credentials,
  subject: Subject,
  cnonce: string,
  use: number,
): string | undefined {
  const algorithm = algorithmOf(challenge);
  const realm = challenge.get('realm');
  const nonce = challenge.get('nonce');
  const qops = qopsOf(challenge);
  if (!algorithm || realm === undefined || nonce === undefined) return undefined;
  if (qops && !qops.includes('auth')) return undefined;
  const qop = qops ? 'auth' : undefined;
  const nc = count(use);
  const secret = passwordHash(algorithm.name, credentials, realm);
  return formatDigest(
    {
      username: credentials.username,
      realm,
      nonce,
      uri: subject.uri,
      response: responseOf(algorithm, secret, subject, { nonce, cnonce, nc, qop }),
      algorithm: challenge.get('algorithm'),
      cnonce: qop || algorithm.session ? cnonce : undefined,
      opaque: challenge.get('opaque'),
      qop,
      nc: qop && nc,
    },
    'credentials',
  );
}

/** What a server asks for. `algorithms` strongest first, one header line each (RFC 8760 §2.3). */
export function makeChallenges(
  realm: string,
  nonce: string,
  options: {
    readonly algorithms?: readonly DigestAlgorithm[];
    readonly stale?: boolean;
    readonly opaque?: string;
  } = {},
): readonly string[] {
  const { algorithms = ['SHA-256', 'MD5'], stale, opaque } = options;
  return algorithms.map((algorithm) =>
    formatDigest(
      { realm, qop: 'auth', algorithm, nonce, opaque, stale: stale ? 'true' : undefined },
      'challenge',
    ),
  );
}

/** What a peer claims to be, not yet believed. */
export interface ClaimedIdentity {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly algorithm: DigestAlgorithm;
  /** How often the peer used this nonce; undefined without qop. */
  readonly use: number | undefined;
  readonly fields: DigestFields;
}

/** Reads an Authorization or Proxy-Authorization value; undefined when it is not usable Digest. */
export function parseCredentials(value: string): ClaimedIdentity | undefined {
  const fields = parseDigest(value);
  const algorithm = fields && algorithmOf(fields);
  if (!fields || !algorithm) return undefined;
  const [username, realm, nonce, uri] = ['username', 'realm', 'nonce', 'uri'].map((name) => fields.get(name));
  if (username === undefined || realm === undefined || nonce === undefined || uri === undefined)
    return undefined;
  const qop = fields.get('qop')?.toLowerCase();
  if (qop !== undefined && qop !== 'auth') return undefined;
  const nc = fields.get('nc') ?? '';
  if (qop && (!/^[0-9a-f]{8}$/i.test(nc) || !fields.get('cnonce'))) return undefined;
  return {
    username,
    realm,
    nonce,
    uri,
    algorithm: algorithm.name,
    use: qop ? Number.parseInt(nc, 16) : undefined,
    fields,
  };
}

/**
 * Claims the credentials were made with the password behind `secret` (a `passwordHash` of the claimed algorithm)
 * for this method. That the nonce is ours, fresh and counted, and the URI the request's, is the caller's to check.
 */
export function verifyCredentials(claimed: ClaimedIdentity, secret: string, method: string): boolean {
  const algorithm = algorithmOf(claimed.fields);
  if (!algorithm) return false;
  const expected = responseOf(
    algorithm,
    secret,
    { method, uri: claimed.uri },
    {
      nonce: claimed.nonce,
      cnonce: claimed.fields.get('cnonce') ?? '',
      nc: claimed.fields.get('nc') ?? '',
      qop: claimed.fields.has('qop') ? 'auth' : undefined,
    },
  );
  const given = Buffer.from((claimed.fields.get('response') ?? '').toLowerCase());
  const wanted = Buffer.from(expected);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
