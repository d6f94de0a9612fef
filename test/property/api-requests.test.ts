import fc from 'fast-check';
import { XMLValidator } from 'fast-xml-parser';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Parameters } from '../../src/api/parameters.ts';
import { regionApp } from '../../src/api/region-app.ts';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import { type Listening, listen } from '../support/listen.ts';
import { type ServedOperation, servedOperations } from '../unit/api/support/operations.ts';
import { ACCOUNT, RegionWorld, sid } from '../unit/api/support/region.ts';

/** What arrives from people who try what happens. */
const HOSTILE = [
  '',
  ' ',
  '0',
  '-1',
  '1e309',
  'NaN',
  'true',
  'null',
  'undefined',
  '[object Object]',
  '__proto__',
  'constructor',
  '{"$gt":""}',
  `${'['.repeat(200)}${']'.repeat(200)}`,
  "' OR 1=1 --",
  '"; FLUSHALL; "',
  '\r\nSET x y\r\n',
  '../../../etc/passwd',
  '<script>alert(1)</script>',
  '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
  '$'.concat('{7*7}{{7*7}}'),
  '\0',
  'a\0b',
  '\uFFFE',
  '\uD800',
  '\u202E\u0000𝕏',
  '999999999999999999999',
  '2026-99-99',
  'http://',
  'http://[::1',
  'javascript:alert(1)',
  'sip:a@b@c;;;=',
  '+1'.padEnd(400, '5'),
  'x'.repeat(1_500),
  `AC${'f'.repeat(32)}`,
  `CA${'F'.repeat(32)}`,
  ACCOUNT,
];

const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);

/** Existing ones, so that requests get past the first look. */
const KNOWN = [sid('CA', 1), sid('RE', 1), 'US', '+15105550100'];

/** Read to be refused by name: only a number of any type is found by its area (21457). */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  CreateIncomingPhoneNumberLocal: ['AreaCode'],
  CreateIncomingPhoneNumberMobile: ['AreaCode'],
  CreateIncomingPhoneNumberTollFree: ['AreaCode'],
};

/** What lets most operations get to the end of what they read. */
const PLAUSIBLE = [
  ['To', '+15105550101'],
  ['From', '+15105550100'],
  ['Url', 'https://example.com/'],
  ['PhoneNumber', '+15105550102'],
  ['FriendlyName', 'x'],
] as const;

let region: RegionWorld;
let service: Listening;
let operations: readonly ServedOperation[];
const faults: unknown[] = [];

beforeAll(async () => {
  region = new RegionWorld('ie1');
  await region.addCall(1);
  await region.addRecording(1, Buffer.from('RIFF....WAVE'));
  const logger: Logger = { ...silentLogger, error: (fields) => void faults.push(fields) };
  service = await listen(regionApp(region.options({ logger })));
  operations = await servedOperations();
});

afterAll(() => service.close());

interface Asked {
  readonly operation: ServedOperation;
  readonly path: string;
  readonly pairs: readonly (readonly [string, string])[];
}

/** One request to an operation: its path filled in, its own parameters and others, repeated ones among them. */
function requestTo(operation: ServedOperation): fc.Arbitrary<Asked> {
  const holes = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
  const filled = fc.tuple(
    ...holes.map((name) =>
      name === 'AccountSid'
        ? fc.constant(ACCOUNT)
        : fc.oneof(
            fc.constantFrom(...KNOWN),
            value.map((text) => encoded(text) || 'x'),
          ),
    ),
  );
  const names = fc.constantFrom(
    ...operation.parameters,
    'Page',
    'PageSize',
    'PageToken',
    'Nonsense',
    '__proto__',
  );
  const pairs = fc.array(fc.tuple(names, value), { maxLength: 6 });
  return fc.tuple(filled, pairs).map(([values, given]) => {
    let next = 0;
    return { operation, path: operation.path.replace(/\{\w+\}/g, () => values[next++] ?? 'x'), pairs: given };
  });
}

/** As a path segment; lone surrogates have no UTF-8. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString()).slice(0, 2_000).replace(/%.?$/, '');
}

function send({ operation, path, pairs }: Asked) {
  const query = new URLSearchParams(pairs.map(([name, text]): [string, string] => [name, text])).toString();
  const asked = request(service.server)
    [operation.method](operation.method === 'post' ? path : `${path}?${query}`)
    .auth(ACCOUNT, region.token)
    .buffer(true);
  return operation.method === 'post' ? asked.type('form').send(query) : asked;
}

/** An answer is what was asked for or one of Twilio's errors; a 5xx is our fault, whatever was sent. */
function check(response: request.Response, what: unknown): void {
  expect(response.status, JSON.stringify(what)).toBeLessThan(500);
  if (response.status < 400) return;
  if (/xml/.test(response.headers['content-type'] ?? '')) {
    expect(XMLValidator.validate(response.text)).toBe(true);
    expect(response.text).toMatch(/<RestException>.*<Code>\d+<\/Code>/s);
    return;
  }
  expect(response.body, JSON.stringify(what)).toEqual({
    code: expect.any(Number),
    message: expect.any(String),
    more_info: `https://www.twilio.com/docs/errors/${response.body.code}`,
    status: response.status,
  });
}

describe('whatever is asked', () => {
  it('only parameters are read that the description names', async () => {
    const read = new Set<string>();
    const text = vi.spyOn(Parameters.prototype, 'text');
    const list = vi.spyOn(Parameters.prototype, 'list');
    const undeclared: string[] = [];
    for (const operation of operations) {
      text.mockClear();
      list.mockClear();
      read.clear();
      const path = operation.path.replace('{AccountSid}', ACCOUNT);
      for (const known of KNOWN) {
        await send({
          operation,
          path: path.replace(/\{\w+\}/g, encodeURIComponent(known)),
          pairs: PLAUSIBLE,
        });
      }
      for (const [name] of [...text.mock.calls, ...list.mock.calls]) read.add(name);
      const known = [...operation.parameters, ...(REFUSED[operation.id] ?? [])];
      const missing = [...read].filter((name) => !known.includes(name));
      if (missing.length > 0) undeclared.push(`${operation.id}: ${missing.join(', ')}`);
    }
    text.mockRestore();
    list.mockRestore();
    expect(undeclared).toEqual([]);
  });

  it('every operation answers, or says in Twilio’s words why not', async () => {
    for (const operation of operations) {
      await fc.assert(
        fc.asyncProperty(requestTo(operation), async (asked) => {
          check(await send(asked), asked);
        }),
        { numRuns: 8 },
      );
    }
    expect(faults).toEqual([]);
  });

  it.each([
    ['application/json', JSON.stringify({ To: 'x' })],
    ['application/json', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="To"\r\n\r\nx\r\n--x--'],
    ['text/xml', '<x/>'],
    ['application/x-www-form-urlencoded; charset=klingon', 'To=x'],
    ['application/x-www-form-urlencoded', 'To=%'],
    ['application/x-www-form-urlencoded', 'To=%FF%FE&%00=%00'],
    ['application/x-www-form-urlencoded', '&&&===&[]=&a[b][c]=1&__proto__[x]=1'],
    ['application/x-www-form-urlencoded', `To=${'x'.repeat(1_000_000)}`],
    ['application/x-www-form-urlencoded', 'a=1&'.repeat(50_000)],
    ['nonsense', 'x'],
  ])('every POST answers to %s: %#', async (type, body) => {
    for (const { path } of operations.filter(({ method }) => method === 'post')) {
      const filled = path.replace('{AccountSid}', ACCOUNT).replace(/\{\w+\}/g, sid('CA', 1));
      const response = await request(service.server)
        .post(filled)
        .auth(ACCOUNT, region.token)
        .set('Content-Type', type)
        .send(body);
      check(response, [path, type]);
    }
    expect(faults).toEqual([]);
  });

  it.each([
    `/2010-04-01/Accounts/${ACCOUNT}/Calls/%`,
    `/2010-04-01/Accounts/${ACCOUNT}/Calls/%E0%A4%A.json`,
    `/2010-04-01/Accounts/${ACCOUNT}/Calls/%00.json`,
    `/2010-04-01/Accounts/%2e%2e/Calls.json`,
    `/2010-04-01/Accounts/${ACCOUNT}//Calls.json`,
    `/2010-04-01/Accounts/${ACCOUNT}/Calls.json?Page=%&PageSize=%FF`,
    `/2010-04-01/Accounts/${ACCOUNT}/Calls.json?PageSize=5&Page=999999999&EndTime=2026-01-01`,
    `/2010-04-01/Accounts/${ACCOUNT}/Calls.json?PageToken=PA${'f'.repeat(32)}`,
    `/2010-04-01/Accounts/${ACCOUNT}/Calls.json?StartTime%3E=${'9'.repeat(400)}`,
    `/2010-04-01/Accounts/${ACCOUNT}/Calls.json?${'a=b&'.repeat(2_000)}`,
    '/2010-04-01',
    '/2010-04-01/',
    '/2010-04-01/Accounts/.json',
    '/2010-04-01/.xml',
    '/v2/PhoneNumbers/%2B',
    '/v2/%5Cx',
    '/__proto__/constructor',
    '/trunkline/v1/Connections/__proto__',
  ])('GET %s answers', async (path) => {
    check(await request(service.server).get(path).auth(ACCOUNT, region.token), path);
    expect(faults).toEqual([]);
  });

  it('credentials of any kind answer', async () => {
    await fc.assert(
      fc.asyncProperty(value, value, async (user, password) => {
        const header = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
        const response = await request(service.server)
          .get(`/2010-04-01/Accounts/${ACCOUNT}/Calls.json`)
          .set('Authorization', header);
        expect(response.status).toBe(401);
        check(response, [user, password]);
      }),
      { numRuns: 50 },
    );
  });
});
