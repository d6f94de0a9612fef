import { describe, expect, it } from 'vitest';
import { parseCSeq } from '../../../../src/sip/message/cseq.ts';
import { formatNameAddr, parseNameAddr, tagOf } from '../../../../src/sip/message/name-addr.ts';
import {
  escapeUser,
  formatUri,
  parseUri,
  type SipUri,
  schemeOf,
  userOf,
} from '../../../../src/sip/message/uri.ts';
import { formatVia, isVia, parseVia } from '../../../../src/sip/message/via.ts';

describe('parseUri', () => {
  const none = new Map();
  const cases: [text: string, value: Partial<SipUri>][] = [
    [
      'sip:example.com',
      { scheme: 'sip', user: undefined, host: 'example.com', port: undefined, params: none },
    ],
    ['SIPS:Bob@EXAMPLE.com:5061', { scheme: 'sips', user: 'Bob', host: 'example.com', port: 5061 }],
    [
      'sip:+14155550100@10.0.0.1;transport=UDP;lr',
      {
        params: new Map([
          ['transport', 'UDP'],
          ['lr', ''],
        ]),
      },
    ],
    ['sip:bob:s%40t@example.com', { user: 'bob', password: 's%40t' }],
    ['sip:[2001:db8::1]:5070', { host: '2001:db8::1', port: 5070, user: undefined }],
    ['sip:a@[::1]', { host: '::1', port: undefined }],
    [
      'sip:a@b?Subject=hi%20there&X-a=',
      {
        headers: new Map([
          ['Subject', 'hi there'],
          ['X-a', ''],
        ]),
      },
    ],
    ['sip:a@b;x?y=z', { params: new Map([['x', '']]), headers: new Map([['y', 'z']]) }],
    ['sip:a@b;p=1;P=2', { params: new Map([['p', '1']]) }],
    ['sip:%41%zz@b', { user: '%41%zz', userDecoded: 'A%zz' }],
    ['sip:my_host.internal', { host: 'my_host.internal' }],
  ];
  it.each(cases)('%s', (text, value) => {
    expect(parseUri(text)).toMatchObject(value);
  });

  it.each([
    '',
    'sip:',
    'sip',
    'example.com',
    'tel:+1415',
    'http://a@b',
    'sip:@b',
    'sip:a@',
    'sip:a@b:',
    'sip:a@b:0',
    'sip:a@b:65536',
    'sip:a@b:5060x',
    'sip:a b@c',
    'sip:a@b c',
    '<sip:a@b>',
    'sip:a@"b"',
    'sip:a@[::1',
    'sip:a@-b',
    'sip:a@b/c',
    'sip:a@b@c',
    'sip:jörg@b',
    'sip:a@b\r\nX: y',
  ])('refuses %j', (text) => {
    expect(parseUri(text)).toBeUndefined();
  });

  it('formats what it parsed', () => {
    for (const text of [
      'sip:example.com',
      'sips:bob:pw@example.com:5061;transport=tcp;lr?Subject=hi%20there',
      'sip:a;b=c@[2001:db8::1]:5070',
      'sip:%00@host',
    ]) {
      const uri = parseUri(text);
      expect(uri && formatUri(uri)).toBe(text);
    }
    expect(formatUri({ scheme: 'sip', user: escapeUser('a b@Ω'), host: 'h' })).toBe('sip:a%20b%40%CE%A9@h');
  });

  it('names the scheme and the user', () => {
    expect(schemeOf('SIP:a')).toBe('sip');
    expect(schemeOf('soap.beep://x')).toBe('soap.beep');
    expect(schemeOf('//x')).toBeUndefined();
    expect(userOf('tel:+14155550100;phone-context=x')).toBe('+14155550100');
    expect(userOf('sip:+1415;npdi@h')).toBe('+1415');
    expect(userOf('sip:h')).toBeUndefined();
  });
});

describe('parseNameAddr', () => {
  const cases: [text: string, displayName: string, uri: string, params: [string, string][]][] = [
    ['<sip:a@b>', '', 'sip:a@b', []],
    ['sip:a@b;tag=1', '', 'sip:a@b', [['tag', '1']]],
    [
      '<sip:a@b;lr>;Tag=x;q=0.5',
      '',
      'sip:a@b;lr',
      [
        ['tag', 'x'],
        ['q', '0.5'],
      ],
    ],
    ['Al Bo <sip:a@b>', 'Al Bo', 'sip:a@b', []],
    ['"Al \\"Bo\\"" <sip:a@b> ; tag = 2', 'Al "Bo"', 'sip:a@b', [['tag', '2']]],
    ['"" <tel:+1415>', '', 'tel:+1415', []],
    ['<sip:a@b>;+sip.instance="<urn:x;y,z>"', '', 'sip:a@b', [['+sip.instance', '<urn:x;y,z>']]],
    ['<sip:a@b>;received=::1', '', 'sip:a@b', [['received', '::1']]],
  ];
  it.each(cases)('%s', (text, displayName, uri, params) => {
    expect(parseNameAddr(text)).toEqual({ displayName, uri, params: new Map(params) });
  });

  it.each([
    '',
    '*',
    'a',
    'a b',
    '<a>',
    '<>',
    '<sip:>',
    '<sip:a',
    'sip:a@b>',
    '"a <sip:a@b>',
    '"a" sip:a@b',
    'a, b <sip:a@b>',
    '< sip:a@b>',
    '<sip:a@b >',
    '<sip:a@b> x',
    '<sip:a@b>;',
    '<sip:a@b>;;a',
    '<sip:a@b>;a=',
    '<sip:a@b>;a="b',
    'sip:a@b?c=d',
    'sip:a,b@c',
    '<sip:a@b>, <sip:c@d>',
    '<sip:a@b>;a=b c',
  ])('refuses %j', (text) => {
    expect(parseNameAddr(text)).toBeUndefined();
  });

  it('formats with brackets, quoting what needs it', () => {
    expect(formatNameAddr({ uri: 'sip:a@b;lr' })).toBe('<sip:a@b;lr>');
    expect(formatNameAddr({ displayName: 'Al', uri: 'sip:a@b', params: new Map([['tag', 'x']]) })).toBe(
      'Al <sip:a@b>;tag=x',
    );
    const awkward = { displayName: 'A "B" \\ C', uri: 'sip:a@b', params: new Map([['p', 'x;y']]) };
    expect(parseNameAddr(formatNameAddr(awkward))).toEqual(awkward);
    expect(tagOf('<sip:a@b>;tag=1')).toBe('1');
    expect(tagOf('<sip:a@b>')).toBeUndefined();
  });
});

describe('parseVia', () => {
  it('reads sent-by, branch, received and rport', () => {
    expect(parseVia('SIP/2.0/udp Host:5070;branch=z9hG4bKx;received=::1;rport=4000')).toMatchObject({
      transport: 'UDP',
      host: 'host',
      port: 5070,
      branch: 'z9hG4bKx',
      received: '::1',
      rport: 4000,
    });
    expect(parseVia('SIP/2.0/TCP [2001:db8::9]:5060')).toMatchObject({ host: '2001:db8::9', port: 5060 });
    const asked = parseVia('SIP/2.0/UDP h;rport;branch=b');
    expect(asked?.rport).toBeUndefined();
    expect(asked?.params.has('rport')).toBe(true);
    expect(asked && formatVia(asked)).toBe('SIP/2.0/UDP h;rport;branch=b');
  });

  it('reads as far as it can of a malformed one, which isVia tells', () => {
    expect(parseVia('SIP/2.0/UDP h;branch=b;;x')).toMatchObject({ host: 'h', branch: 'b' });
    expect(isVia('SIP/2.0/UDP h;branch=b;;x')).toBe(false);
    expect(isVia('SIP/2.0/UDP h;branch=b, SIP/2.0/UDP g')).toBe(true);
  });

  it.each([
    '',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'SIP/2.0 h',
    'HTTP/2.0/UDP h',
    'SIP/2.0/UDP h:0',
    'SIP/2.0/UDP h:99999',
    'SIP/2.0/UDP h:x',
    'SIP/2.0/UDPh',
    'SIP/2.0/ h',
  ])('refuses %j', (text) => {
    expect(parseVia(text)).toBeUndefined();
    expect(isVia(text)).toBe(false);
  });
});

describe('parseCSeq', () => {
  it('reads number and method', () => {
    expect(parseCSeq('0009   INVITE')).toEqual({ number: 9, method: 'INVITE' });
    expect(parseCSeq('2147483647 ACK')).toEqual({ number: 2_147_483_647, method: 'ACK' });
  });
  it.each([
    '',
    '1',
    'INVITE',
    '1 ',
    ' 1 INVITE',
    '-1 INVITE',
    '1.5 INVITE',
    '0x1 INVITE',
    '2147483648 INVITE',
    '1 A B',
  ])('refuses %j', (text) => {
    expect(parseCSeq(text)).toBeUndefined();
  });
});
