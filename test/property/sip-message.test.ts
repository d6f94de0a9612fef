import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRequest, makeResponse, responseTo } from '../../src/sip/message/build.ts';
import { parseCSeq } from '../../src/sip/message/cseq.ts';
import { type Framed, StreamFramer } from '../../src/sip/message/framer.ts';
import { Headers } from '../../src/sip/message/headers.ts';
import type { ParseResult, SipMessage } from '../../src/sip/message/message.ts';
import { formatNameAddr, parseNameAddr, tagOf } from '../../src/sip/message/name-addr.ts';
import { isKeepAlive, maxForwards, parseMessage } from '../../src/sip/message/parse.ts';
import { serialize } from '../../src/sip/message/serialize.ts';
import { formatUri, parseUri, userOf } from '../../src/sip/message/uri.ts';
import { formatVia, parseVia, topVia } from '../../src/sip/message/via.ts';
import { cpuMs } from '../support/cpu-time.ts';

function corpus(folder: string): { name: string; data: Buffer }[] {
  const url = new URL(`../corpus/sip/${folder}/`, import.meta.url);
  return readdirSync(url)
    .filter((name) => name.endsWith('.dat'))
    .map((name) => ({ name, data: readFileSync(new URL(name, url)) }));
}
const seeds = [...corpus('rfc4475'), ...corpus('fuzz')];

/** Parses and then reads everything a user of the message could read, as the layers above do. */
function readAll(data: Buffer): ParseResult {
  isKeepAlive(data);
  const result = parseMessage(data);
  const message = result.ok ? result.message : result.answerable;
  if (message) readHeaders(message);
  if (!result.ok && result.answerable) {
    const refusal = serialize(responseTo(result.answerable, result.status, undefined, { toTag: 't' }));
    expect(refusal.subarray(0, 8).toString()).toBe('SIP/2.0 ');
    expect(topVia(result.answerable)).toBeDefined();
  }
  if (result.ok) {
    const again = parseMessage(serialize(result.message));
    expect(again.ok && again.message.body).toBe(result.message.body);
  }
  return result;
}

function readHeaders(message: SipMessage): void {
  topVia(message);
  maxForwards(message.headers);
  if (message.kind === 'request') parseUri(message.uri);
  for (const name of new Set(message.headers.lines.map((line) => line.name.toLowerCase()))) {
    message.headers.get(name);
    for (const value of [...message.headers.all(name), ...message.headers.list(name)]) readValue(value);
  }
}

function readValue(value: string): void {
  parseCSeq(value);
  const via = parseVia(value);
  if (via) formatVia(via);
  tagOf(value);
  const address = parseNameAddr(value);
  if (!address) return;
  formatNameAddr(address);
  userOf(address.uri);
  const uri = parseUri(address.uri);
  if (uri) expect(parseUri(formatUri(uri))).toBeDefined();
}

const chars = (set: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...set), minLength, maxLength });
const ALNUM = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const token = chars(`${ALNUM}-.!%*_+\`'~`, 1, 12);
const latin1 = (maxLength: number) =>
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)), maxLength });
const value = latin1(60).map((text) => text.replace(/[\r\n]/g, '').trim());
const host = fc.oneof(
  fc.constantFrom('example.com', '192.0.2.1', '[2001:db8::1]'),
  chars(ALNUM, 1, 10).map((name) => `${name}.example`),
);
const uri = fc
  .tuple(
    chars(`${ALNUM}-_.!~*'()&=+$,;?/`, 1, 12),
    host,
    fc.option(fc.integer({ min: 1, max: 65_535 })),
    token,
  )
  .map(
    ([user, at, port, p]) => `sip:${user}@${at}${port === null ? '' : `:${port}`};p=${encodeURIComponent(p)}`,
  );
const body = latin1(300);

/** Headers every message needs, and unknown ones around them. */
const headers = (method: string) =>
  fc
    .tuple(
      token,
      host,
      uri,
      uri,
      token,
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.array(fc.tuple(token, value)),
    )
    .map(([branch, sentBy, from, to, callId, number, extra]) =>
      Headers.of([
        ['Via', `SIP/2.0/UDP ${sentBy};branch=z9hG4bK${branch}`],
        ...extra.map(([name, text]): [string, string] => [`X-${name}`, text]),
        ['From', `<${from}>;tag=${branch}`],
        ['t', `"quoted, name" <${to}>`],
        ['Call-ID', callId],
        ['CSeq', `${number} ${method}`],
      ]),
    );
const request = token.chain((method) =>
  fc.tuple(uri, headers(method), body).map(([to, lines, text]) => makeRequest(method, to, lines, text)),
);
const response = fc
  .tuple(fc.integer({ min: 100, max: 699 }), value, headers('INVITE'), body)
  .map(([status, phrase, lines, text]) => makeResponse(status, phrase, lines, text));
const anyMessage: fc.Arbitrary<SipMessage> = fc.oneof(request, response);

describe('a SIP message', () => {
  it('is what it was after serialize and parse', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const result = parseMessage(serialize(message));
        if (!result.ok) throw new Error(result.reason);
        const { headers: read, ...rest } = result.message;
        const { headers: written, ...original } = message;
        expect(rest).toEqual(original);
        expect(read.lines.slice(0, -1)).toEqual(written.lines);
        expect(read.get('content-length')).toBe(String(message.body.length));
      }),
    );
  });
});

describe('what peers send', () => {
  it.each(corpus('fuzz'))('$name does no harm', ({ data }) => {
    readAll(data);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void readAll(Buffer.from(bytes))));
  });

  it('never throws when a message is damaged', () => {
    const damage = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 30 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
        fc
          .constantFrom(
            '\r\n',
            '\r\n\r\n',
            '\r\n ',
            '\n',
            '\r',
            ':',
            ';',
            ',',
            '"',
            '<',
            '>',
            '\\',
            '%',
            '@',
            '[',
            '\0',
          )
          .map((text) => Buffer.from(text)),
        fc.constantFrom(...seeds).map(({ data }) => data.subarray(0, 60)),
      ),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        ({ data }, wounds) => {
          let damaged = data;
          for (const { at, remove, insert } of wounds) {
            const i = at % (damaged.length + 1);
            damaged = Buffer.concat([damaged.subarray(0, i), insert, damaged.subarray(i + remove)]);
          }
          readAll(damaged);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  const MOST = 65_000;
  const around = (header: string) =>
    Buffer.from(
      `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=b\r\nFrom: <sip:c@d>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n${header}\r\n\r\n`,
      'latin1',
    );
  const fill = (unit: string) => unit.repeat(MOST / unit.length);
  it.each([
    ['folded lines', around(`X: a\r\n${fill(' a\r\n')} b`)],
    ['empty folded lines', around(`X: a\r\n${fill(' \r\n')} b`)],
    ['short headers', around(fill('a:\r\n').slice(0, -2))],
    ['commas in Contact', around(`Contact: <sip:a@b>${fill(',')}`)],
    ['contacts', around(`Contact: ${fill('<sip:a@b>,')}<sip:a@b>`)],
    ['Contact lines', around(fill('m:<sip:a@b>\r\n').slice(0, -2))],
    ['quotes', around(`Contact: ${fill('"')}`)],
    ['quoted backslashes', around(`Contact: "${fill('\\')}`)],
    ['open brackets', around(`Contact: ${fill('<')}`)],
    ['parameters', around(`Contact: <sip:a@b>${fill(';a=b')}`)],
    ['semicolons', around(`Contact: <sip:a@b>${fill(';')}`)],
    ['display tokens', around(`Contact: ${fill('a ')}`)],
    ['spaces', around(`X:${fill(' ')}x`)],
    ['zeros in Content-Length', around(`Content-Length: ${fill('0')}x`)],
    ['zeros in CSeq', around(`X: ${fill('0')}`)],
    ['a Request-URI', Buffer.from(`OPTIONS sip:${fill('a;')}@${fill('-')} SIP/2.0\r\n\r\n`)],
    ['spaces in the request line', Buffer.from(`OPTIONS ${fill(' ')}\r\n\r\n`)],
    ['line ends', Buffer.from(fill('\r\n'))],
    ['no line end', Buffer.from(fill('a'))],
    ['Via elements', around(`Via: ${fill('SIP/2.0/UDP h,')}SIP/2.0/UDP h`)],
    ['a host of dashes', around(`Via: SIP/2.0/UDP ${fill('a-')}`)],
  ])('is read in time proportional to its length: %s', (_, data) => {
    expect(cpuMs(() => readAll(data))).toBeLessThan(1_500); // a quadratic reading of 65 kB takes many seconds
  });
});

describe('a SIP stream', () => {
  const pieces = fc.array(
    fc.oneof(
      anyMessage.map((message) => serialize(message)),
      fc.constant(Buffer.from('\r\n\r\n')),
    ),
    { maxLength: 8 },
  );
  const show = (framed: readonly Framed[]) =>
    framed.map((f) => (f.kind === 'message' ? f.data.toString('latin1') : f));
  const cut = (data: Buffer, cuts: readonly number[]) => {
    const at = [0, ...cuts.map((n) => n % (data.length + 1)).sort((a, b) => a - b), data.length];
    return at.slice(1).map((end, i) => data.subarray(at[i], end));
  };

  it('carries the same messages however it is cut', () => {
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(), { maxLength: 40 }), (messages, cuts) => {
        const stream = Buffer.concat(messages);
        const framer = new StreamFramer();
        const framed = cut(stream, cuts).flatMap((chunk) => framer.push(chunk));
        expect(show(framed)).toEqual(
          messages.map((data) => (data.length === 4 ? { kind: 'ping' } : data.toString('latin1'))),
        );
        expect(framer.pending).toBe(0);
      }),
    );
  });

  it('ends the same way however noise is cut, holding no more than its limit', () => {
    const noise = fc.array(
      fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constantFrom(...seeds.map((s) => s.data))),
    );
    fc.assert(
      fc.property(noise, fc.array(fc.nat(), { maxLength: 40 }), (parts, cuts) => {
        const stream = Buffer.concat(parts.map((part) => Buffer.from(part)));
        const whole = new StreamFramer(2_000);
        const pieced = new StreamFramer(2_000);
        const framed: Framed[] = [];
        for (const chunk of cut(stream, cuts)) {
          framed.push(...pieced.push(chunk));
          expect(pieced.pending).toBeLessThanOrEqual(2_000);
        }
        expect(show(framed)).toEqual(show(whole.push(stream)));
      }),
    );
  });
});
