import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../../src/twiml/document/decode.ts';
import {
  isElement,
  type TwimlElement,
  textOf,
  visiblePosition,
} from '../../../src/twiml/document/element.ts';
import { parseDocument } from '../../../src/twiml/document/parse.ts';

const URL = 'http://app.test/voice';

function rootOf(text: string): TwimlElement {
  const parsed = parseDocument(text, URL);
  if (!parsed.ok) throw new Error(parsed.diagnostic.message);
  return parsed.root;
}

describe('parseDocument', () => {
  it.each([
    ['an empty response', '<Response/>'],
    ['a declaration', '<?xml version="1.0" encoding="UTF-8"?>\n<Response></Response>'],
    ['a byte order mark', '\uFEFF<?xml version="1.0"?>\n<Response/>'],
    ['comments and instructions around the root', '<!-- a --><?php x?>\n<Response/>\n<!-- b -->\n'],
    ['space before the end of a closing tag', '<Response></Response >'],
    ['the version', '<Response version="2010-04-01"/>'],
    ['names of object prototypes', '<Response><a toString="1"/></Response>'],
  ])('accepts %s', (_what, text) => {
    expect(parseDocument(text, URL)).toMatchObject({ ok: true, root: { name: 'Response' } });
  });

  /** Where a document is refused: the place of the mark in it, which is not part of the document. */
  const marked = (text: string) => {
    const before = text
      .slice(0, text.indexOf('^'))
      .replace(/^\uFEFF/, '')
      .split(/\r\n?|\n/);
    return { text: text.replace('^', ''), line: before.length, column: (before.at(-1) ?? '').length + 1 };
  };

  it.each([
    ['nothing', '^', 12100],
    ['white space', '  \n^', 12100],
    ['only a comment', '<!-- x -->^', 12100],
    ['plain text', '^hello', 12100],
    ['JSON', ' ^{"a": 1}', 12100],
    ['an unclosed element', '<Response>\n ^<Say>', 12100],
    ['an unclosed tag', '<Response>\n^<Say', 12100],
    ['a tag that another cuts off', '<Response>\n<Say ^<Pause/></Response>', 12100],
    ['crossed elements', '<Response>\n<a>^</Response></a>', 12100],
    ['an end tag without start', '<Response/>\n^</Response>', 12100],
    ['an end tag that is never closed', '<Response>^</Response', 12100],
    ['an end tag with an attribute', '<Response></Response ^a="1">', 12100],
    ['an end tag without name', '<Response>^</></Response>', 12100],
    ['two roots', '<Response/>\n^<Response/>', 12100],
    ['text behind the root', '<Response/>\n\n ^x', 12100],
    ['text before the root', '^x<Response/>', 12100],
    ['CDATA outside the root', '<Response/>^<![CDATA[ ]]>', 12100],
    ['a second mark', '\uFEFF^\uFEFF<Response/>', 12100],
    ['an unknown entity', '<Response>\n <Say>a ^&nbsp;</Say></Response>', 12100],
    ['an unknown entity in an attribute', '<Response><Play\n digits="1^&x;"/></Response>', 12100],
    ['a bare ampersand', '<Response>\n\n<Say>a ^& b</Say></Response>', 12100],
    ['a reference without semicolon', '<Response>\n\n<Say>a ^&amp b</Say></Response>', 12100],
    ['a reference to no character', '<Response>^&#1;</Response>', 12100],
    ['a control character', '<Response>\n^\u0001</Response>', 12100],
    ['a lone surrogate', '<Response>\n^\uD800</Response>', 12100],
    ['a document type', '^<!DOCTYPE Response>\n<Response/>', 12100],
    ['an entity bomb', '^<!DOCTYPE r [<!ENTITY a "b">]><Response>&a;</Response>', 12100],
    ['another declaration', '<Response>^<!x></Response>', 12100],
    ['space before the declaration', ' ^<?xml version="1.0"?><Response/>', 12100],
    ['a declaration without version', '^<?xml encoding="UTF-8"?><Response/>', 12100],
    ['another version of XML', '<?xml version=^"2.0"?><Response/>', 12100],
    [
      'a declaration out of order',
      '<?xml version="1.0" standalone="no" ^encoding="UTF-8"?><Response/>',
      12100,
    ],
    ['an attribute twice', '<Response>\n<Say a="1" ^a="2"/></Response>', 12100],
    ['an attribute without quotes', '<Response>\n<Say a=^1/></Response>', 12100],
    ['an attribute without value', '<Response>\n<Say ^a/></Response>', 12100],
    ['typographic quotes', '<Response>\n<Say a=^“1”/></Response>', 12100],
    ['attributes without space between', '<Response><Say a="1"^b="2"/></Response>', 12100],
    ['a slash inside a tag', '<Response><Say ^/ ></Say></Response>', 12100],
    ['a character in the name of an element', '<Response><Say^,></Say></Response>', 12100],
    ['< in an attribute', '<Response>\n<Say a="x^<y"/></Response>', 12100],
    ['a quote that is never closed', '<Response>\n<Say a=^"x/></Response>', 12100],
    ['a quote that the next tag closes', '<Response>\n<Say a=^"x>a</Say><Say b="">b</Say></Response>', 12100],
    ['a quote that the next attribute closes', '<Response>\n<Say a=^"x b="y">b</Say></Response>', 12100],
    ['a bare less-than sign', '<Response><Say>1 ^< 2</Say></Response>', 12100],
    ['the end of CDATA in text', '<Response>a ^]]></Response>', 12100],
    ['hyphens in a comment', '<Response>\n<!-- a ^-- b --></Response>', 12100],
    ['an unclosed comment', '<Response>\n^<!-- a</Response>', 12100],
    ['an unclosed CDATA section', '<Response>\n^<![CDATA[ a</Response>', 12100],
    ['an unclosed instruction', '<Response>\n^<?a </Response>', 12100],
    ['an instruction without name', '<Response>\n^<? a ?></Response>', 12100],
    ['a root in lower case', '^<response/>', 12102],
    ['another root', '<!-- x -->\n  ^<html/>', 12102],
    ['an unknown version', '<Response\n ^version="3"/>', 12101],
    ['too much', `<Response>\n${' '.repeat(65_525)}^ </Response>`, 11750],
    ['too much in few characters', `<Response>\n${'é'.repeat(32_762)}^é</Response>`, 11750],
    ['100 levels and one', `<Response>${'<a>'.repeat(99)}\n ^<a></a>${'</a>'.repeat(99)}</Response>`, 12100],
  ])('refuses %s at its place', (_what, document, code) => {
    const { text, ...place } = marked(document);
    expect(parseDocument(text, URL)).toMatchObject({
      ok: false,
      diagnostic: { code, level: 'error', url: URL, ...place },
    });
  });

  it.each([
    [
      'what a document cut short leaves open, and where it ends',
      '<Response>\n<Gather><Say>Press',
      'found <Say> still open at the end of the document (line 2, column 19), and so are <Gather> of line 2, column 1, <Response> of line 1, column 1; expected </Say>',
    ],
    [
      'what is open where another element ends',
      '<Response>\n <Say>Hi\n</Response>',
      'found </Response> while <Say> of line 2, column 2 is open; expected </Say>; close <Say> before </Response>',
    ],
    ['that case matters', '<Response><Say></say></Response>', 'names are case-sensitive: write </Say>'],
    ['where an attribute was first', '<Response a=""\na=""/>', '(first at line 1, column 11)'],
    ['a web page', '<!doctype html><html>', '"<!" that begins neither'],
    ['a web page by its type', '<!DOCTYPE html><html>', 'this is a web page'],
    [
      'what to do about names of HTML',
      '<Response>&eacute;</Response>',
      'write the character itself or its number',
    ],
    ['what to do about an ampersand', '<Response>a & b</Response>', 'write &amp; for an ampersand'],
  ])('says %s', (_what, text, message) => {
    expect(parseDocument(text, URL)).toMatchObject({
      diagnostic: { message: expect.stringContaining(message) },
    });
  });

  it.each([
    ['3,000 levels', '<Response>'.repeat(3_000) + '</Response>'.repeat(3_000), 12100],
    ['100,000 levels', '<Response>'.repeat(100_000) + '</Response>'.repeat(100_000), 11750],
  ])('refuses %s instead of overflowing', (_what, text, code) => {
    expect(parseDocument(text, URL)).toMatchObject({ ok: false, diagnostic: { code } });
  });

  it('reads names that the tree builder reserves', () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'a.b', ':', 'é'];
    const [inner] = rootOf(
      `<Response>${names.map((name) => `<${name} ${name}="1"><${name}/></${name}>`).join('')}</Response>`,
    ).children.filter(isElement);
    expect(inner?.attributes.get('__proto__')?.value).toBe('1');
    const root = rootOf(`<Response>${names.map((name) => `<${name} ${name}="1"/>`).join('')}</Response>`);
    expect(root.children.filter(isElement).map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('knows where elements and attributes are, with %s', (_name, eol) => {
    const text = [
      '<?xml version="1.0"?>',
      '<Response>',
      '  <Say voice="man"',
      '    loop = "2">hi</Say>',
      '</Response>',
    ];
    const say = rootOf(text.join(eol)).children.find(isElement);
    expect(say?.position).toEqual({ line: 3, column: 3 });
    expect(say?.end).toEqual({ line: 4, column: 24 });
    expect(say?.attributes.get('voice')).toEqual({
      value: 'man',
      position: { line: 3, column: 8 },
      valuePosition: { line: 3, column: 15 },
      end: { line: 3, column: 19 },
    });
    expect(say?.attributes.get('loop')).toEqual({
      value: '2',
      position: { line: 4, column: 5 },
      valuePosition: { line: 4, column: 13 },
      end: { line: 4, column: 15 },
    });
  });

  it('knows where text is, each stretch that markup ends', () => {
    const root = rootOf(
      '<Response>\n a<!-- x -->b&amp;\r\nc<![CDATA[<d>\n]]>\n<![CDATA[]]> <?p "?>e<Pause/>f<!-- --></Response>',
    );
    expect(root.children.map((child) => (isElement(child) ? child.name : child))).toEqual([
      { text: '\n a', position: { line: 1, column: 11 } },
      { text: 'b&\nc', position: { line: 2, column: 13 } },
      { text: '<d>\n', position: { line: 3, column: 11 } },
      { text: '\n', position: { line: 4, column: 4 } },
      { text: ' ', position: { line: 5, column: 13 } },
      { text: 'e', position: { line: 5, column: 21 } },
      'Pause',
      { text: 'f', position: { line: 5, column: 30 } },
    ]);
    expect(root.end).toEqual({ line: 5, column: 50 });
  });

  it.each([
    ['right away', '<Response>x', { line: 1, column: 11 }],
    ['behind spaces', '<Response> \t x', { line: 1, column: 14 }],
    ['behind line ends', '<Response>\r\n\r\n  x\n', { line: 3, column: 3 }],
    ['never', '<Response>\n ', { line: 1, column: 11 }],
  ])('knows where a text has something to read: %s', (_where, text, place) => {
    const [first] = rootOf(`${text}</Response>`).children;
    if (!first || isElement(first)) throw new Error('no text');
    expect(visiblePosition(first)).toEqual(place);
  });

  it('resolves references and keeps CDATA as it is', () => {
    const root = rootOf('<Response>a &amp;&lt;&#65;&#x42; <!-- no --><![CDATA[<&amp;>]]></Response>');
    expect(textOf(root)).toBe('a &<AB <&amp;>');
  });

  it('reads white space in attributes as spaces', () => {
    const root = rootOf('<Response a="x\r\ny\t\rz&#10;"/>');
    expect(root.attributes.get('a')?.value).toBe('x y  z\n');
  });
});

describe('decodeBody', () => {
  it.each([
    ['UTF-8', Buffer.from('<a>é</a>'), '<a>é</a>'],
    ['UTF-8 with a mark', Buffer.from('\uFEFF<a>é</a>'), '<a>é</a>'],
    ['UTF-16', Buffer.from('\uFEFF<a>é</a>', 'utf16le'), '<a>é</a>'],
    [
      'ISO-8859-1 with the characters that Windows has there',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>\x93\xe9\x94\x80</a>', 'latin1'),
      '<?xml version="1.0" encoding="ISO-8859-1"?><a>“é”€</a>',
    ],
    [
      'a declared encoding',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', 'latin1'),
      '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>',
    ],
  ])('reads %s', (_what, body, text) => {
    expect(decodeBody(body, URL)).toEqual({ ok: true, text });
  });

  it.each([
    ['UTF-16, little endian', 'utf16le', (bytes: Buffer) => bytes],
    ['UTF-16, big endian', 'utf16le', (bytes: Buffer) => bytes.swap16()],
  ] as const)('reads %s without a mark', (_what, encoding, order) => {
    const body = order(Buffer.from('<?xml version="1.0" encoding="UTF-16"?><a>é</a>', encoding));
    expect(decodeBody(body, URL)).toMatchObject({ ok: true, text: expect.stringContaining('<a>é</a>') });
  });

  it.each([
    ['bytes that are no UTF-8', Buffer.from('<a>\n é\xe9</a>', 'latin1'), { line: 2, column: 2 }],
    ['bytes of one character cut off', Buffer.from('<a>é€').subarray(0, -1), { line: 1, column: 5 }],
    [
      'half a character of UTF-16',
      Buffer.from('\uFEFF<a>\n', 'utf16le').subarray(0, -1),
      { line: 1, column: 4 },
    ],
    [
      'an unknown encoding',
      Buffer.from('<?xml version="1.0"\n encoding="klingon"?><a/>'),
      { line: 2, column: 12 },
    ],
    [
      'bytes that are not of the declared encoding',
      Buffer.from('<?xml version="1.0" encoding="Shift_JIS"?>\n<a>\x81\x20</a>', 'latin1'),
      { line: 2, column: 4 },
    ],
  ])('refuses %s at their place', (_what, body, place) => {
    expect(decodeBody(body, URL)).toMatchObject({ ok: false, diagnostic: { code: 12100, ...place } });
  });

  const latin1 = (text: string) => Buffer.from(text, 'latin1');
  const declaring = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?><a>é</a>`;
  const OF_DECLARATION = { line: 1, column: 31 };

  it.each([
    ['the charset where nothing else is said', latin1('<a>é</a>'), 'iso-8859-1', '<a>é</a>', undefined],
    ['the charset before UTF-8', latin1('<a>Ж</a>'.replace('Ж', '\xf6')), 'KOI8-R', '<a>Ж</a>', undefined],
    ['both where they agree', Buffer.from(declaring('UTF-8')), 'utf8', declaring('UTF-8'), undefined],
    ['UTF-16 by its charset', Buffer.from('<a>é</a>', 'utf16le').swap16(), 'utf-16', '<a>é</a>', undefined],
    [
      'the charset, not the declaration',
      latin1(declaring('UTF-8')),
      'ISO-8859-1',
      declaring('UTF-8'),
      OF_DECLARATION,
    ],
    [
      'the charset, not UTF-16',
      Buffer.from(declaring('utf-16')),
      'utf-8',
      declaring('utf-16'),
      OF_DECLARATION,
    ],
    [
      'the charset, not what nobody knows',
      Buffer.from(declaring('x-klingon')),
      'utf-8',
      declaring('x-klingon'),
      OF_DECLARATION,
    ],
    [
      'the mark, not the charset',
      Buffer.from('\uFEFF<a>é</a>'),
      'iso-8859-1',
      '<a>é</a>',
      { line: 1, column: 1 },
    ],
    [
      'the mark, not a charset that nobody knows',
      Buffer.from('\uFEFF<a>é</a>'),
      'klingon',
      '<a>é</a>',
      { line: 1, column: 1 },
    ],
    [
      'the mark, not the declaration',
      Buffer.from(`\uFEFF${declaring('ISO-8859-1')}`),
      undefined,
      declaring('ISO-8859-1'),
      OF_DECLARATION,
    ],
    [
      'the mark of UTF-16, not the declaration',
      Buffer.from(`\uFEFF${declaring('UTF-8')}`, 'utf16le'),
      undefined,
      declaring('UTF-8'),
      OF_DECLARATION,
    ],
  ])('follows %s', (_what, body, charset, text, place) => {
    const decoded = decodeBody(body, URL, charset);
    expect(decoded).toMatchObject({ ok: true, text });
    const disagreement = decoded.ok ? decoded.disagreement : undefined;
    expect(disagreement && { line: disagreement.line, column: disagreement.column }).toEqual(place);
  });

  it.each([
    [
      'that nobody knows',
      Buffer.from('\n<a>é</a>'),
      'x-klingon',
      { line: 1, column: 1 },
      /unknown encoding x-klingon/,
    ],
    [
      'that the bytes are not of',
      latin1(`${declaring('ISO-8859-1')}`),
      'utf-8',
      { line: 1, column: 47 },
      /charset=utf-8/,
    ],
  ])('refuses a charset %s', (_what, body, charset, place, message) => {
    const decoded = decodeBody(body, URL, charset);
    expect(decoded).toMatchObject({ ok: false, diagnostic: { code: 12100, level: 'error', ...place } });
    expect(decoded).toMatchObject({ diagnostic: { message: expect.stringMatching(message) } });
    expect(decoded).toMatchObject({
      diagnostic: { message: expect.stringContaining('charset of the Content-Type') },
    });
  });

  it('names what it found', () => {
    const decoded = decodeBody(Buffer.from('<a>\xe9</a>', 'latin1'), URL);
    expect(decoded).toMatchObject({ diagnostic: { actual: 'bytes that are no utf-8', expected: 'UTF-8' } });
  });
});
