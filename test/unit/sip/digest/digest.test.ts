import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answerChallenge,
  makeChallenges,
  parseCredentials,
  passwordHash,
  verifyCredentials,
} from '../../../../src/sip/digest/digest.ts';
import { formatDigest, parseDigest } from '../../../../src/sip/digest/fields.ts';

const field = (value: string | undefined, name: string) => parseDigest(value ?? '')?.get(name);

describe('RFC 7616 §3.9.1: Mufasa asks for /dir/index.html', () => {
  const credentials = { username: 'Mufasa', password: 'Circle of Life' };
  const subject = { method: 'GET', uri: '/dir/index.html' };
  const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
  const challenge = (algorithm: string) =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('%s', (algorithm, response) => {
    const answer = answerChallenge([challenge(algorithm)], credentials, subject, cnonce);
    expect(field(answer, 'response')).toBe(response);
    expect(field(answer, 'nc')).toBe('00000001');
    expect(field(answer, 'qop')).toBe('auth');
    expect(field(answer, 'opaque')).toBe('FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS');
    expect(answer).toMatch(/nc=00000001/);
    expect(answer).toMatch(/qop=auth(,|$)/);
  });
});

test('RFC 2617 §3.5, MD5', () => {
  const challenge =
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
    'opaque="5ccc069c403ebaf9f0171e9517f40e41"';
  const credentials = { username: 'Mufasa', password: 'Circle Of Life' };
  const answer = answerChallenge(
    [challenge],
    credentials,
    { method: 'GET', uri: '/dir/index.html' },
    '0a4f113b',
  );
  expect(field(answer, 'response')).toBe('6629fae49393a05397450978507c4ef1');
  expect(field(answer, 'algorithm')).toBeUndefined(); // not named by the challenge, so not by us
});

describe('which challenge is answered', () => {
  const credentials = { username: 'a', password: 'b' };
  const subject = { method: 'INVITE', uri: 'sip:x@y' };
  const answer = (...challenges: string[]) => answerChallenge(challenges, credentials, subject, 'c');
  test('the strongest that can be (RFC 7616 §3.7), the topmost of equals (RFC 8760 §2.4)', () => {
    const sha512 = 'Digest realm="r", nonce="1", algorithm=SHA-512-256';
    const sha256 = 'Digest realm="r", nonce="2", algorithm=SHA-256';
    const md5 = 'Digest realm="r", nonce="3", algorithm=MD5';
    expect(field(answer(sha512, sha256, md5), 'nonce')).toBe('2');
    expect(field(answer(md5, sha256), 'nonce')).toBe('2');
    expect(field(answer(md5, 'Digest realm="r", nonce="4"'), 'nonce')).toBe('3');
  });
  test.each([
    ['Basic realm="r"'],
    ['Digest realm="r"'],
    ['Digest realm="r", nonce="1", qop="auth-int"'],
    ['Digest realm="r", nonce="1", nonce="2"'],
    ['Digest realm="r, nonce="1"'],
    [''],
  ])('none: %s', (challenge) => {
    expect(answer(challenge)).toBeUndefined();
  });
  test('without qop there is neither count nor client nonce (RFC 2069)', () => {
    const value = answer('Digest realm="r", nonce="n"');
    expect([field(value, 'nc'), field(value, 'cnonce'), field(value, 'qop')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('a server', () => {
  const credentials = { username: 'ann', password: 'secret' };
  const subject = { method: 'INVITE', uri: 'sip:x@y' };
  const secretOf = (algorithm: 'MD5' | 'SHA-256') => passwordHash(algorithm, credentials, 'example.com');

  test('offers SHA-256 before MD5, each in a line', () => {
    expect(makeChallenges('example.com', 'n', { stale: true })).toEqual([
      'Digest realm="example.com", qop="auth", algorithm=SHA-256, nonce="n", stale=true',
      'Digest realm="example.com", qop="auth", algorithm=MD5, nonce="n", stale=true',
    ]);
  });

  test.each(['MD5', 'SHA-256'] as const)('believes what was made with the password, %s', (algorithm) => {
    const challenges = makeChallenges('example.com', 'n', { algorithms: [algorithm] });
    const answer = answerChallenge(challenges, credentials, subject, 'c0ffee', 17);
    const claimed = parseCredentials(answer ?? '');
    if (!claimed) throw new Error('unreadable');
    expect(claimed).toMatchObject({
      username: 'ann',
      realm: 'example.com',
      nonce: 'n',
      uri: 'sip:x@y',
      use: 17,
    });
    expect(verifyCredentials(claimed, secretOf(algorithm), 'INVITE')).toBe(true);
    expect(verifyCredentials(claimed, secretOf(algorithm), 'BYE')).toBe(false);
    const other = passwordHash(algorithm, { username: 'ann', password: 'guess' }, 'example.com');
    expect(verifyCredentials(claimed, other, 'INVITE')).toBe(false);
  });

  test('-sess sessions work, as some phones use them', () => {
    const challenge = 'Digest realm="example.com", nonce="n", algorithm=MD5-sess, qop="auth"';
    const claimed = parseCredentials(answerChallenge([challenge], credentials, subject, 'c0') ?? '');
    expect(claimed && verifyCredentials(claimed, secretOf('MD5'), 'INVITE')).toBe(true);
  });

  test.each([
    ['Basic YTpi'],
    ['Digest username="a", realm="r", nonce="n"'],
    ['Digest username="a", realm="r", nonce="n", uri="u", algorithm=SHA-1, response="x"'],
    ['Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth, cnonce="c", nc=1'],
    ['Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth, nc=00000001'],
    [
      'Digest username="a", realm="r", nonce="n", uri="u", response="x", qop=auth-int, cnonce="c", nc=00000001',
    ],
  ])('does not read %s', (value) => {
    expect(parseCredentials(value)).toBeUndefined();
  });
});

test('fields survive writing and reading, whatever they contain', () => {
  const value = fc.stringMatching(/^[\x20-\x7e]*$/);
  fc.assert(
    fc.property(value, value, value, (realm, nonce, opaque) => {
      const read = parseDigest(formatDigest({ realm, nonce, opaque }, 'challenge'));
      expect([read?.get('realm'), read?.get('nonce'), read?.get('opaque')]).toEqual([realm, nonce, opaque]);
    }),
  );
});

test('reading never throws', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseDigest(`Digest ${text}`)));
});
