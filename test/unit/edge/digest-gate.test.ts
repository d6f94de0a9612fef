import { beforeEach, describe, expect, it } from 'vitest';
import { SIP_REALM } from '../../../src/config/sip.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { createDigestGate, type DigestGate, type GateVerdict } from '../../../src/edge/digest-gate.ts';
import type { SipListener } from '../../../src/sip/agent/port.ts';
import {
  answerChallenge,
  type Credentials,
  type DigestAlgorithm,
  passwordHash,
} from '../../../src/sip/digest/digest.ts';
import { parseDigest } from '../../../src/sip/digest/fields.ts';
import { makeRequest } from '../../../src/sip/message/build.ts';

const URI = 'sip:bob@acme.sip.twilio.com';
const ANN: Credentials = { username: 'ann', password: 'Correct-Horse-7' };
/** In UTF-8, as a message holds it. */
const ZOE: Credentials = { username: 'zo\u00c3\u00ab', password: 'Correct-Horse-8' };
const LIST = `CL${'1'.repeat(32)}`;

let clock: VirtualClock;
let gate: DigestGate;
let looked: string[];
let unreadable: boolean;

beforeEach(() => {
  clock = new VirtualClock();
  looked = [];
  unreadable = false;
  const here = { address: '127.0.0.1', port: 5060 };
  const listeners: SipListener[] = [{ transport: 'udp', bound: here, advertised: here, label: 'dublin' }];
  gate = createDigestGate({ clock, ids: new RandomIds(), listeners });
});

const secretsOf = (credentials: Credentials) => ({
  MD5: passwordHash('MD5', credentials, SIP_REALM),
  'SHA-256': passwordHash('SHA-256', credentials, SIP_REALM),
});

const directory = {
  domain: async () => undefined,
  credential: async (lists: readonly string[], username: string) => {
    looked.push(username);
    if (unreadable) throw new Error('Redis is away');
    const found = username === 'ann' ? ANN : username === 'zoë' ? ZOE : undefined;
    if (!found || lists[0] !== LIST) return undefined;
    const common = { sid: `CR${'1'.repeat(32)}`, accountSid: '', listSid: LIST, createdAt: 0, updatedAt: 0 };
    return { ...common, username, secrets: secretsOf(found) };
  },
};

interface Parts {
  readonly method?: string;
  readonly header?: string;
  readonly status?: 401 | 407;
  readonly key?: string;
  readonly lists?: readonly string[];
}

function check(answer: string | readonly string[] | undefined, parts: Parts = {}): Promise<GateVerdict> {
  const { method = 'INVITE', status = 407, key = '10.0.0.2 5060', lists = [LIST] } = parts;
  const name = parts.header ?? (status === 407 ? 'Proxy-Authorization' : 'Authorization');
  const headers = {
    'Call-ID': 'c',
    CSeq: `1 ${method}`,
    ...(answer === undefined ? {} : { [name]: answer }),
  };
  return gate.check(makeRequest(method, URI, headers), { realm: SIP_REALM, status, lists, directory, key });
}

function linesOf(verdict: GateVerdict): readonly string[] {
  if (verdict.kind !== 'challenge') throw new Error(`a challenge, not ${verdict.kind}`);
  return Object.values(verdict.headers).flat();
}

async function challenge(parts: Parts = {}): Promise<readonly string[]> {
  return linesOf(await check(undefined, parts));
}

interface Answering {
  readonly credentials?: Credentials;
  readonly method?: string;
  readonly uri?: string;
  readonly use?: number;
  readonly algorithm?: DigestAlgorithm;
}

function answerTo(lines: readonly string[], parts: Answering = {}): string {
  const { credentials = ANN, method = 'INVITE', uri = URI, use = 1, algorithm } = parts;
  // a peer may use what it was not offered
  const chosen = algorithm
    ? lines.map((line) => line.replace('algorithm=MD5', `algorithm=${algorithm}`))
    : lines;
  const answer = answerChallenge(chosen, credentials, { method, uri }, 'c0ffee', use);
  if (answer === undefined) throw new Error('no challenge that can be answered');
  return answer;
}

describe('a challenge', () => {
  it('offers MD5 alone, because peers that know no other fail where another stands beside it', async () => {
    const verdict = await check(undefined);
    expect(verdict).toMatchObject({ kind: 'challenge', status: 407, stale: false, answer: 'absent' });
    const fields = linesOf(verdict).map((line) => parseDigest(line));
    expect(fields.map((one) => one?.get('algorithm'))).toEqual(['MD5']);
    for (const one of fields) {
      expect(one?.get('realm')).toBe('sip.twilio.com');
      expect(one?.get('qop')).toBe('auth');
      expect(one?.has('stale')).toBe(false);
    }
  });

  it.each([
    [407, 'Proxy-Authenticate'],
    [401, 'WWW-Authenticate'],
  ] as const)('with %d is in %s', async (status, name) => {
    const verdict = await check(undefined, { status });
    expect(verdict.kind === 'challenge' && Object.keys(verdict.headers)).toEqual([name]);
  });
});

describe('who is let in', () => {
  it.each(['MD5', 'SHA-256'] as const)('the right password with %s', async (algorithm) => {
    expect(await check(answerTo(await challenge(), { algorithm }))).toEqual({
      kind: 'admitted',
      username: 'ann',
    });
  });

  it('a REGISTER, by its Authorization', async () => {
    const parts = { method: 'REGISTER', status: 401 } as const;
    const answer = answerTo(await challenge(parts), { method: 'REGISTER' });
    expect(await check(answer, parts)).toMatchObject({ kind: 'admitted' });
  });

  it('a name that is not ASCII, as the list has it', async () => {
    const answer = answerTo(await challenge(), { credentials: ZOE });
    expect(await check(answer)).toEqual({ kind: 'admitted', username: 'zoë' });
  });

  it('one that answers another realm as well', async () => {
    const other = answerTo(['Digest realm="pbx", nonce="1", qop="auth", algorithm=MD5']);
    expect(await check([other, answerTo(await challenge())])).toMatchObject({ kind: 'admitted' });
  });

  it('one that counts on with the same nonce', async () => {
    const lines = await challenge();
    for (const use of [1, 2, 3]) {
      expect(await check(answerTo(lines, { use }))).toMatchObject({ kind: 'admitted' });
    }
  });

  it('one that names the address it sends to, as sipp does', async () => {
    const answer = answerTo(await challenge(), { uri: 'sip:127.0.0.1:5060' });
    expect(await check(answer)).toMatchObject({ kind: 'admitted' });
  });

  it('one without qop (RFC 2069), once', async () => {
    const old = (await challenge()).map((line) => line.replace(' qop="auth",', ''));
    const answer = answerTo(old, { algorithm: 'MD5' });
    expect(answer).not.toContain('nc=');
    expect(await check(answer)).toMatchObject({ kind: 'admitted' });
    expect(await check(answer)).toMatchObject({ kind: 'challenge', stale: true });
  });
});

describe('what is answered with another challenge', () => {
  const wrong = { ...ANN, password: 'Wrong-Horse-77' };
  const unknown = { username: 'nobody', password: ANN.password };

  it('a wrong password and an unknown user, which cannot be told apart', async () => {
    const verdicts = [];
    for (const credentials of [wrong, unknown]) {
      verdicts.push(await check(answerTo(await challenge(), { credentials })));
    }
    const shapes = verdicts.map((verdict) => ({
      ...verdict,
      claimed: undefined,
      headers: linesOf(verdict).map((line) => line.replace(/nonce="[^"]*"/, '')),
    }));
    expect(shapes[0]).toEqual(shapes[1]);
    expect(shapes[0]).toMatchObject({ kind: 'challenge', status: 407, stale: false, answer: 'wrong' });
    expect(looked).toEqual(['ann', 'nobody']); // both were looked up
  });

  it('a user of another list', async () => {
    const answer = answerTo(await challenge());
    expect(await check(answer, { lists: [`CL${'2'.repeat(32)}`] })).toMatchObject({ answer: 'wrong' });
  });

  it('an answer for another method', async () => {
    const answer = answerTo(await challenge(), { method: 'REGISTER' });
    expect(await check(answer)).toMatchObject({ kind: 'challenge', answer: 'wrong' });
  });

  it.each([
    ['another realm', (answer: string) => answer.replace('realm="sip.twilio.com"', 'realm="evil"')],
    ['another URI', (answer: string) => answer.replace(URI, 'sip:eve@acme.sip.twilio.com')],
    ['no URI', (answer: string) => answer.replace(/uri="[^"]*", /, '')],
    ['our address with a user', (answer: string) => answer.replace(URI, 'sip:eve@127.0.0.1:5060')],
    ['another algorithm', (answer: string) => answer.replace(/algorithm=[^,]*/, 'algorithm=SHA-512-256')],
    ['auth-int', (answer: string) => answer.replace('qop=auth', 'qop=auth-int')],
    ['a count that is none', (answer: string) => answer.replace('nc=00000001', 'nc=1')],
    ['two nonces', (answer: string) => `${answer}, nonce="x"`],
    ['another scheme', () => 'Basic YW5uOkNvcnJlY3QtSG9yc2UtNw=='],
    ['nonsense', () => 'Digest \u00ff"""'],
    ['nothing', () => ''],
  ])('%s', async (_what, change) => {
    const verdict = await check(change(answerTo(await challenge())));
    expect(verdict).toMatchObject({ kind: 'challenge', stale: false, answer: 'absent' });
    expect(looked).toEqual([]);
  });

  it('a response that is cut, too long or empty', async () => {
    const answer = answerTo(await challenge());
    for (const response of ['', 'ab', 'f'.repeat(500), '\u00e9'.repeat(64)]) {
      const changed = answer.replace(/response="[^"]*"/, `response="${response}"`);
      expect(await check(changed)).toMatchObject({ kind: 'challenge', answer: 'wrong' });
    }
  });

  it('a name longer than any there can be, without a look', async () => {
    const credentials = { username: 'a'.repeat(10_000), password: 'x' };
    expect(await check(answerTo(await challenge(), { credentials }))).toMatchObject({ answer: 'wrong' });
    expect(looked).toEqual([]);
  });

  it('an answer in the header of the other kind of challenge', async () => {
    const answer = answerTo(await challenge());
    expect(await check(answer, { header: 'Authorization' })).toMatchObject({ answer: 'absent' });
  });
});

describe('a nonce', () => {
  it('that is too old gets a new one, and is told so', async () => {
    const answer = answerTo(await challenge());
    clock.tick(3_600_000);
    const verdict = await check(answer);
    expect(verdict).toMatchObject({ kind: 'challenge', stale: true, answer: 'stale' });
    expect(linesOf(verdict).every((line) => line.includes('stale=true'))).toBe(true);
    expect(looked).toEqual([]);
    expect(await check(answerTo(linesOf(verdict)))).toMatchObject({ kind: 'admitted' });
  });

  it('of another process gets a new one, and is told so', async () => {
    const answer = answerTo(await challenge());
    gate = createDigestGate({ clock, ids: new RandomIds() });
    expect(await check(answer)).toMatchObject({ kind: 'challenge', stale: true });
  });

  it('of another flow gets a new one, and is told so', async () => {
    const answer = answerTo(await challenge());
    expect(await check(answer, { key: '10.0.0.3 5060' })).toMatchObject({ kind: 'challenge', stale: true });
  });

  it('opens once for each count: what was overheard does not', async () => {
    const answer = answerTo(await challenge());
    expect(await check(answer)).toMatchObject({ kind: 'admitted' });
    expect(await check(answer)).toMatchObject({ kind: 'challenge', stale: true });
    expect(await check(answer)).toMatchObject({ kind: 'challenge', stale: true });
  });

  it('is not used up by wrong answers', async () => {
    const lines = await challenge();
    await check(answerTo(lines, { credentials: { ...ANN, password: 'no' } }));
    expect(await check(answerTo(lines))).toMatchObject({ kind: 'admitted' });
  });
});

describe('who guesses', () => {
  const guess = { credentials: { ...ANN, password: 'guess' } };
  const guessing = async (times: number) => {
    for (let n = 0; n < times; n++) await check(answerTo(await challenge(), guess));
  };

  it('is not let in by the guess that is right, sees no difference, and may try again later', async () => {
    await guessing(20);
    const right = await check(answerTo(await challenge()));
    expect(right).toMatchObject({ kind: 'challenge', status: 407, stale: false, answer: 'wrong' });
    expect(looked).toHaveLength(21); // after the same work
    clock.tick(300_000);
    expect(await check(answerTo(await challenge()))).toMatchObject({ kind: 'admitted' });
  });

  it('shuts out neither the same user elsewhere nor others at the same place', async () => {
    await guessing(50);
    const elsewhere = { key: '10.0.0.2 5070' };
    expect(await check(answerTo(await challenge(elsewhere)), elsewhere)).toMatchObject({ kind: 'admitted' });
    const other = answerTo(await challenge(), { credentials: ZOE });
    expect(await check(other)).toMatchObject({ kind: 'admitted' });
  });

  it('may be mistaken now and then', async () => {
    await guessing(19);
    expect(await check(answerTo(await challenge()))).toMatchObject({ kind: 'admitted' });
  });
});

it('refuses with 503 when the lists cannot be read', async () => {
  const answer = answerTo(await challenge());
  unreadable = true;
  expect(await check(answer)).toMatchObject({ kind: 'refused', status: 503 });
});
