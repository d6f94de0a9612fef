import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../../src/twiml/document/decode.ts';
import { isElement, type TwimlElement, textOf } from '../../../src/twiml/document/element.ts';
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

  it('names the elements that a document cut short leaves open', () => {
    expect(parseDocument('<Response>\n<Gather><Say>Press', URL)).toMatchObject({
      diagnostic: {
        code: 12100,
        message: expect.stringContaining('<Response>, <Gather>, <Say> never closed'),
      },
    });
    expect(parseDocument('<Response>', URL)).toMatchObject({
      diagnostic: { code: 12100, message: expect.stringContaining("Unclosed tag 'Response'") },
    });
  });

  it.each([
    ['nothing', '', 12100, undefined],
    ['white space', '  \n', 12100, undefined],
    ['plain text', 'hello', 12100, 1],
    ['an unclosed element', '<Response>\n<Say>', 12100, 1],
    ['an unclosed tag', '<Response>\n<Say', 12100, 2],
    ['crossed elements', '<Response>\n<a></Response></a>', 12100, 2],
    ['two roots', '<Response/>\n<Response/>', 12100, 2],
    ['text behind the root', '<Response/>\n\nx', 12100, 3],
    ['text before the root', 'x<Response/>', 12100, 1],
    ['an unknown entity', '<Response>\n <Say>&nbsp;</Say></Response>', 12100, 2],
    ['an unknown entity in an attribute', '<Response><Play\n digits="&x;"/></Response>', 12100, 2],
    ['a bare ampersand', '<Response>\n\n<Say>a & b</Say></Response>', 12100, 3],
    ['a reference to no character', '<Response>&#1;</Response>', 12100, 1],
    ['a control character', '<Response>\n\u0001</Response>', 12100, 2],
    ['a lone surrogate', '<Response>\n\uD800</Response>', 12100, 2],
    ['a document type', '<!DOCTYPE Response>\n<Response/>', 12100, 1],
    ['an entity bomb', '<!DOCTYPE r [<!ENTITY a "b">]><Response>&a;</Response>', 12100, 1],
    ['space before the declaration', ' <?xml version="1.0"?><Response/>', 12100, 1],
    ['an attribute twice', '<Response>\n<Say a="1" a="2"/></Response>', 12100, 2],
    ['an attribute without quotes', '<Response>\n<Say a=1/></Response>', 12100, 2],
    ['an attribute without value', '<Response>\n<Say a/></Response>', 12100, 2],
    ['< in an attribute', '<Response>\n<Say a="x<y"/></Response>', 12100, 2],
    ['hyphens in a comment', '<Response>\n<!-- a -- b --></Response>', 12100, 2],
    ['an unclosed comment', '<Response>\n<!-- a</Response>', 12100, 2],
    ['an unclosed CDATA section', '<Response>\n<![CDATA[ a</Response>', 12100, 2],
    ['a root in lower case', '<response/>', 12102, 1],
    ['another root', '<!-- x -->\n  <html/>', 12102, 2],
    ['an unknown version', '<Response\n version="3"/>', 12101, 2],
    ['too much', `<Response>${' '.repeat(65_536)}</Response>`, 11750, undefined],
  ])('refuses %s', (_what, text, code, line) => {
    const parsed = parseDocument(text, URL);
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    expect(parsed.diagnostic).toMatchObject({ code, level: 'error', url: URL });
    expect(parsed.diagnostic.line).toBe(line);
  });

  it('refuses nesting without end instead of overflowing', () => {
    expect(parseDocument('<Response>'.repeat(3_000) + '</Response>'.repeat(3_000), URL).ok).toBe(false);
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
    expect(say?.attributes.get('voice')).toEqual({ value: 'man', position: { line: 3, column: 8 } });
    expect(say?.attributes.get('loop')).toEqual({ value: '2', position: { line: 4, column: 5 } });
  });

  it('resolves references and keeps CDATA as it is', () => {
    const root = rootOf('<Response>a &amp;&lt;&#65;&#x42; <!-- no --><![CDATA[<&amp;>]]></Response>');
    expect(textOf(root)).toBe('a &<AB <&amp;>');
  });

  it('reads white space in attributes as spaces', () => {
    const root = rootOf('<Response a="x\ny&#10;z"/>');
    expect(root.attributes.get('a')?.value).toBe('x y\nz');
  });
});

describe('decodeBody', () => {
  it.each([
    ['UTF-8', Buffer.from('<a>é</a>'), '<a>é</a>'],
    ['UTF-8 with a mark', Buffer.from('\uFEFF<a>é</a>'), '<a>é</a>'],
    ['UTF-16', Buffer.from('\uFEFF<a>é</a>', 'utf16le'), '<a>é</a>'],
    [
      'a declared encoding',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', 'latin1'),
      '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>',
    ],
  ])('reads %s', (_what, body, text) => {
    expect(decodeBody(body, URL)).toEqual({ ok: true, text });
  });

  it.each([
    ['bytes that are no UTF-8', Buffer.from([0x3c, 0xff, 0x3e])],
    ['an unknown encoding', Buffer.from('<?xml version="1.0" encoding="klingon"?><a/>')],
  ])('refuses %s', (_what, body) => {
    expect(decodeBody(body, URL)).toMatchObject({ ok: false, diagnostic: { code: 12100 } });
  });
});
