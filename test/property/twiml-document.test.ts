import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isElement, textOf } from '../../src/twiml/document/element.ts';
import { parseDocument } from '../../src/twiml/document/parse.ts';
import { readVerbs } from '../../src/twiml/verbs/registry.ts';
import { cpuMs } from '../support/cpu-time.ts';

const URL = 'http://app.test/voice';

/** Text made of the pieces that parsers stumble over. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<Response>',
        '</Response>',
        '<Response/>',
        '<Say>',
        '</Say>',
        '<Gather input="dtmf">',
        '</Gather>',
        '<Play digits="1',
        '">',
        "'",
        '"',
        '<',
        '>',
        '&',
        '&amp;',
        '&#x0;',
        '&#1114112;',
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<?xml version="1.0"?>',
        '<?',
        '?>',
        '<!DOCTYPE r [<!ENTITY a "&a;">]>',
        '__proto__',
        'constructor="1"',
        '\uFEFF',
        '\u0000',
        '\uD800',
        '\r\n',
        ' ',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join(''));

describe('parseDocument', () => {
  it('never throws: any text is a tree or a diagnostic', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), (text) => {
        const parsed = parseDocument(text, URL);
        if (parsed.ok) readVerbs(parsed.root, URL);
        else expect(parsed.diagnostic.code).toBeGreaterThan(0);
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes no longer than a moment for 64 KB of hostile text', () => {
    for (const piece of ['<a "', '<!--', '<![CDATA[', '&', '<?', '<a b="', "<a '", '</', '<', ' <a', '<a>']) {
      const text = piece.repeat(Math.floor(65_536 / piece.length));
      expect(
        cpuMs(() => parseDocument(text, URL)),
        `repeated ${piece}`,
      ).toBeLessThan(2_000);
    }
  });

  it('knows the position of every verb and attribute, whatever ends the lines', () => {
    const eol = fc.constantFrom('\n', '\r\n', '\r');
    const line = fc.record({
      indent: fc.nat(6),
      verb: fc.constantFrom('Say', 'Pause', 'Blink'),
      break: fc.boolean(),
    });
    fc.assert(
      fc.property(eol, fc.array(line, { minLength: 1, maxLength: 12 }), (newline, lines) => {
        const wanted: { line: number; column: number; attribute: { line: number; column: number } }[] = [];
        const rows = ['<Response>'];
        for (const { indent, verb, break: broken } of lines) {
          const column = indent + 1;
          const at = rows.length + 1;
          if (broken) {
            rows.push(`${' '.repeat(indent)}<${verb}`, `${' '.repeat(indent)}x="é&amp;"/>`);
            wanted.push({ line: at, column, attribute: { line: at + 1, column } });
          } else {
            rows.push(`${' '.repeat(indent)}<${verb} x="1"/>`);
            wanted.push({ line: at, column, attribute: { line: at, column: column + verb.length + 2 } });
          }
        }
        rows.push('</Response>');
        const parsed = parseDocument(rows.join(newline), URL);
        if (!parsed.ok) throw new Error(parsed.diagnostic.message);
        const found = parsed.root.children.filter(isElement).map(({ position, attributes }) => ({
          ...position,
          attribute: attributes.get('x')?.position,
        }));
        expect(found).toEqual(wanted);
      }),
    );
  });

  it('gives back the text that was escaped into it', () => {
    const escaped = (text: string) =>
      text.replace(/[&<>"\r\n\t]/g, (character) => `&#${character.codePointAt(0)};`);
    const printable = fc
      .string({ unit: 'grapheme' })
      .filter((text) => !/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/.test(text));
    fc.assert(
      fc.property(printable, (text) => {
        const parsed = parseDocument(`<Response a="${escaped(text)}">${escaped(text)}</Response>`, URL);
        if (!parsed.ok) throw new Error(parsed.diagnostic.message);
        expect(parsed.root.attributes.get('a')?.value).toBe(text);
        expect(textOf(parsed.root)).toBe(text);
      }),
    );
  });
});
