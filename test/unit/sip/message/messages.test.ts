import { describe, expect, it } from 'vitest';
import { makeRequest, makeResponse, responseTo } from '../../../../src/sip/message/build.ts';
import { Headers } from '../../../../src/sip/message/headers.ts';
import { isKeepAlive, maxForwards, parseMessage } from '../../../../src/sip/message/parse.ts';
import { reasonPhrase } from '../../../../src/sip/message/reason-phrases.ts';
import { serialize } from '../../../../src/sip/message/serialize.ts';

const MINIMAL = [
  'OPTIONS sip:a@b SIP/2.0',
  'Via: SIP/2.0/UDP h;branch=z9hG4bKx',
  'From: <sip:c@d>;tag=1',
  'To: <sip:a@b>',
  'Call-ID: x',
  'CSeq: 1 OPTIONS',
];
const text = (lines: readonly string[], body = '') =>
  Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
const parse = (lines: readonly string[], body = '') => parseMessage(text(lines, body));
const swap = (index: number, line: string) => MINIMAL.map((old, i) => (i === index ? line : old));

describe('parseMessage', () => {
  it('takes the least a request may be', () => {
    const result = parse(MINIMAL, 'a body without a length');
    expect(result.ok && result.message.body).toBe('a body without a length');
    expect(result.ok && maxForwards(result.message.headers)).toBe(70);
  });

  it('skips line ends before the start line', () => {
    expect(parseMessage(Buffer.concat([Buffer.from('\r\n\r\n'), text(MINIMAL)])).ok).toBe(true);
    expect(parseMessage(Buffer.from('\r\n\r\n'))).toMatchObject({ ok: false, answerable: undefined });
    expect(isKeepAlive(Buffer.from('\r\n\r\n'))).toBe(true);
    expect(isKeepAlive(Buffer.from('\0\0\0\0'))).toBe(true);
    expect(isKeepAlive(text(MINIMAL))).toBe(false);
  });

  it('cuts the body to Content-Length', () => {
    const result = parse([...MINIMAL, 'Content-Length: 3'], 'abcdef');
    expect(result.ok && result.message.body).toBe('abc');
  });

  it('leaves out of a response what is no header, with what is folded behind it', () => {
    const [, ...headers] = MINIMAL;
    const result = parse(
      [
        'SIP/2.0 200 OK',
        ' before: everything',
        ...headers,
        'X-bad name: q',
        '\tfolded',
        'no colon',
        ': no name',
        'X-Good: one',
        '  two',
        'A(b): c',
        'Content-Length: 3',
      ],
      'abcdef',
    );
    expect(result.ok && result.message.body).toBe('abc');
    const lines = result.ok ? result.message.headers.lines.slice(headers.length) : [];
    expect(lines).toEqual([
      { name: 'X-Good', value: 'one two' },
      { name: 'Content-Length', value: '3' },
    ]);
  });

  it('takes a response whatever its Contact', () => {
    const [, ...headers] = MINIMAL;
    expect(parse(['SIP/2.0 200 OK', ...headers, 'Contact: <sip:a@b>, x']).ok).toBe(true);
  });

  it('drops a response whose lines may end in two ways', () => {
    const [, ...headers] = MINIMAL;
    expect(parse(['SIP/2.0 200 OK', ...headers, 'X: a\nY: b']).ok).toBe(false);
  });

  const refusals: [name: string, lines: readonly string[], reason: RegExp][] = [
    ['no Via', MINIMAL.filter((l) => !l.startsWith('Via')), /no Via/],
    ['a broken Via', swap(1, 'Via: SIP/2.0/UDP'), /malformed Via/],
    ['no From', MINIMAL.filter((l) => !l.startsWith('From')), /no from/],
    ['a broken To', swap(3, 'To: a b'), /malformed to/],
    ['no Call-ID', MINIMAL.filter((l) => !l.startsWith('Call')), /no Call-ID/],
    ['a Call-ID of two words', swap(4, 'Call-ID: a b'), /malformed Call-ID/],
    ['no CSeq', MINIMAL.filter((l) => !l.startsWith('CSeq')), /no CSeq/],
    ['a CSeq of another method', swap(5, 'CSeq: 1 INVITE'), /CSeq says INVITE/],
    ['two CSeq', [...MINIMAL, 'CSeq: 1 OPTIONS'], /more than one cseq/],
    ['two lengths, one compact', [...MINIMAL, 'l: 0', 'Content-Length: 0'], /more than one content-length/],
    ['a negative Max-Forwards', [...MINIMAL, 'Max-Forwards: -1'], /Max-Forwards/],
    ['a length that is no number', [...MINIMAL, 'Content-Length: 1e3'], /no number/],
    ['a length beyond the datagram', [...MINIMAL, 'Content-Length: 4'], /only 0 bytes/],
    ['a line without colon', [...MINIMAL, 'nonsense'], /malformed header line/],
    ['a name that is no token', [...MINIMAL, 'A(b): c'], /malformed header line/],
    ['a fold with nothing before it', [MINIMAL[0] ?? '', ' x', ...MINIMAL.slice(1)], /folded line without/],
    ['a lone LF', [...MINIMAL, 'X: a\nY: b'], /lone CR or LF/],
    ['a lone CR', [...MINIMAL, 'X: a\rY: b'], /lone CR or LF/],
    ['a CR in the URI of another scheme', swap(0, 'OPTIONS a\r:b SIP/2.0'), /lone CR or LF/],
    ['a CR behind the request line', swap(0, 'OPTIONS a:b SIP/2.0\r'), /lone CR or LF/],
    ['a LF in the request line', swap(0, 'OPTIONS a:b\nc SIP/2.0'), /lone CR or LF/],
    ['a broken Contact', [...MINIMAL, 'Contact: <sip:a@b>, x'], /malformed Contact/],
    ['a Request-URI without scheme', swap(0, 'OPTIONS a@b SIP/2.0'), /malformed Request-URI/],
    ['a sip URI that is none', swap(0, 'OPTIONS sip:@ SIP/2.0'), /malformed Request-URI/],
  ];
  it.each(refusals)('refuses %s', (name, lines, reason) => {
    const result = parse(lines);
    if (result.ok) throw new Error('accepted');
    expect(result.reason).toMatch(reason);
    expect(result.status).toBe(400);
    expect(result.answerable === undefined).toBe(/Via$/.test(name));
  });

  it('drops what nobody could answer', () => {
    for (const lines of [
      ['hello'],
      ['GET / HTTP/1.1'],
      ['SIP/2.0 99 x'],
      ['SIP/2.0 200'],
      ['SIP/3.0 200 OK'],
      [''],
    ])
      expect(parse(lines)).toMatchObject({ ok: false, answerable: undefined });
    const ack = MINIMAL.map((l) => l.replace('OPTIONS', 'ACK'));
    expect(parse(ack).ok).toBe(true);
    expect(parse([...ack, 'CSeq: 1 ACK'])).toMatchObject({ ok: false, answerable: undefined });
    expect(parseMessage(Buffer.from(MINIMAL.join('\r\n')))).toMatchObject({ ok: false }); // no empty line
  });

  it('takes * and lists in Contact', () => {
    expect(parse([...MINIMAL, 'Contact: *']).ok).toBe(true);
    expect(parse([...MINIMAL, 'm: "a, b" <sip:a@b>;q=1, sip:c@d;expires=5', 'm: <sip:e@f>']).ok).toBe(true);
  });
});

describe('serialize', () => {
  it('writes the length of the body, whatever the headers say', () => {
    const request = makeRequest(
      'INFO',
      'sip:a@b',
      { Via: 'x', 'Content-Length': '99', l: '98' },
      'abc',
      'text/plain',
    );
    expect(serialize(request).toString()).toBe(
      'INFO sip:a@b SIP/2.0\r\nVia: x\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc',
    );
  });

  it('lets no value become a header', () => {
    const wire = serialize(
      makeResponse(200, 'OK\r\nX-Evil: 1', {
        Subject: 'a\r\nX-Evil: 1\r\n\r\nbody',
        'X-Name': 'Ā\u0d0aX-Evil: 1', // low bytes that would be a line end
      }),
    ).toString('latin1');
    expect(wire.split('\r\n').filter((line) => line.startsWith('X-Evil'))).toEqual([]);
    expect(wire).toContain('Subject: a X-Evil: 1 body\r\n');
    expect(wire.split('\r\n')).toHaveLength(6);
  });

  it('writes text beyond latin1 as UTF-8 and counts bytes', () => {
    const wire = serialize(makeResponse(200, undefined, { 'X-Name': 'Łódź' }, 'Łódź'));
    expect(wire.toString('utf8')).toBe('SIP/2.0 200 OK\r\nX-Name: Łódź\r\nContent-Length: 7\r\n\r\nŁódź');
  });
});

describe('responseTo', () => {
  const request = makeRequest('INVITE', 'sip:a@b', {
    Via: ['SIP/2.0/UDP p;branch=1', 'SIP/2.0/UDP q;branch=2'],
    'Record-Route': ['<sip:p;lr>', '<sip:q;lr>'],
    From: '<sip:c@d>;tag=1',
    To: '<sip:a@b>',
    'Call-ID': 'x',
    CSeq: '1 INVITE',
    Timestamp: '54',
    Subject: 'not copied',
  });
  const lines = (status: number) =>
    responseTo(request, status, undefined, { toTag: 'us', headers: { Allow: 'ACK' } }).headers.lines.map(
      (l) => `${l.name}: ${l.value}`,
    );
  const common = (to: string) => [
    'Via: SIP/2.0/UDP p;branch=1',
    'Via: SIP/2.0/UDP q;branch=2',
    'From: <sip:c@d>;tag=1',
    `To: ${to}`,
    'Call-ID: x',
    'CSeq: 1 INVITE',
  ];
  const routes = ['Record-Route: <sip:p;lr>', 'Record-Route: <sip:q;lr>'];

  it('copies what RFC 3261 §8.2.6 and §12.1.1 say', () => {
    expect(lines(100)).toEqual([...common('<sip:a@b>'), 'Timestamp: 54', 'Allow: ACK']);
    expect(lines(180)).toEqual([...common('<sip:a@b>;tag=us'), ...routes, 'Allow: ACK']);
    expect(lines(200)).toEqual([...common('<sip:a@b>;tag=us'), ...routes, 'Allow: ACK']);
    expect(lines(404)).toEqual([...common('<sip:a@b>;tag=us'), 'Allow: ACK']);
  });

  it('keeps a tag that is there and names the status', () => {
    const inDialog = { ...request, headers: Headers.of({ To: '<sip:a@b>;tag=old' }) };
    const response = responseTo(inDialog, 481, undefined, {
      toTag: 'new',
      body: 'v=0',
      contentType: 'application/sdp',
    });
    expect(response.headers.get('to')).toBe('<sip:a@b>;tag=old');
    expect(response).toMatchObject({ phrase: 'Call/Transaction Does Not Exist', body: 'v=0' });
    expect(response.headers.get('c')).toBe('application/sdp');
    expect(responseTo(inDialog, 486, 'Later').phrase).toBe('Later');
    expect([reasonPhrase(699), reasonPhrase(499), reasonPhrase(999)]).toEqual([
      'Busy Everywhere',
      'Bad Request',
      'Unknown',
    ]);
  });
});
