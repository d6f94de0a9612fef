import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/core/diagnostic.ts';
import { decodeBody } from '../../src/twiml/document/decode.ts';
import {
  isElement,
  type Position,
  type TwimlElement,
  type TwimlText,
  textOf,
} from '../../src/twiml/document/element.ts';
import { parseDocument } from '../../src/twiml/document/parse.ts';
import { readVerbs } from '../../src/twiml/verbs/registry.ts';
import { cpuMs } from '../support/cpu-time.ts';

const URL_OF_DOCUMENT = 'http://app.test/voice';

/** The pieces that parsers stumble over. */
const PIECES = [
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
  '/',
  '=',
  '&',
  '&amp;',
  '&#x0;',
  '&#1114112;',
  '<!--',
  '-->',
  '--',
  '<![CDATA[',
  ']]>',
  '<?xml version="1.0"?>',
  '<?',
  '?>',
  '<!DOCTYPE r [<!ENTITY a "&a;">]>',
  '__proto__',
  '<__proto__/>',
  ' constructor="1"',
  '\uFEFF',
  '\u0000',
  '\uD800',
  '\u{10000}',
  '\r\n',
  '\r',
  ' ',
];

const piece = fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 5 }));
const hostile = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));

const CORPUS = new URL('../corpus/twiml/', import.meta.url);
const corpus = ['good/', 'broken/'].flatMap((folder) =>
  readdirSync(new URL(folder, CORPUS))
    .map((file) => readFileSync(new URL(folder + file, CORPUS)))
    .filter((body) => body.length < 4_000),
);

/** Changes at ten-thousandths of the length: `remove` characters go, `insert` comes. */
const changes = fc.array(fc.record({ at: fc.nat(9_999), remove: fc.nat(4), insert: piece }), {
  minLength: 1,
  maxLength: 3,
});

function damage(text: string, wanted: readonly { at: number; remove: number; insert: string }[]): string {
  return wanted.reduce((whole, { at, remove, insert }) => {
    const from = Math.floor((at / 10_000) * whole.length);
    return whole.slice(0, from) + insert + whole.slice(from + remove);
  }, text);
}

const damagedText = fc
  .tuple(fc.constantFrom(...corpus), changes)
  .map(([body, wanted]) => damage(body.toString('utf8'), wanted));

/** The lines of a text as editors count them. */
const linesOf = (text: string) => text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);

function expectInside({ line = 0, column = 0 }: Diagnostic, text: string): void {
  const lines = linesOf(text);
  expect(line).toBeGreaterThanOrEqual(1);
  expect(line).toBeLessThanOrEqual(lines.length);
  expect(column).toBeGreaterThanOrEqual(1);
  // A CR and its LF are behind the characters of their line, and one more place is behind these.
  expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 2);
}

describe('parseDocument', () => {
  it('never throws: any text is a tree or a diagnostic whose place is in the text', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' }), damagedText), (text) => {
        const parsed = parseDocument(text, URL_OF_DOCUMENT);
        if (parsed.ok) readVerbs(parsed.root, URL_OF_DOCUMENT);
        else expectInside(parsed.diagnostic, text);
      }),
      { numRuns: 6_000 },
    );
  });

  it('never leaves it to the tree builder to refuse a document', () => {
    fc.assert(
      fc.property(damagedText, (text) => {
        const parsed = parseDocument(text, URL_OF_DOCUMENT);
        expect(parsed.ok ? '' : parsed.diagnostic.message).not.toContain('cannot be read');
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes no longer than a moment for 64 KB of hostile text, wherever it stands', () => {
    const places = [
      ['', ''],
      ['<Response>', '</Response>'],
      ['<Response ', '/>'],
      ['<Response a="', '"/>'],
      ['<Response><!--', '--></Response>'],
      ['<Response><?a ', '?></Response>'],
      ['<Response><![CDATA[', ']]></Response>'],
    ] as const;
    const repeated = [
      ...PIECES,
      '<a "',
      '<a b="',
      "<a '",
      '</',
      ' <a',
      '<a>',
      '<a/>',
      'x<a/>',
      ' a=""',
      '- -',
    ];
    for (const one of repeated) {
      for (const [before, after] of places) {
        const times = Math.floor((65_536 - before.length - after.length) / Buffer.byteLength(one));
        const text = before + one.repeat(times) + after;
        expect(
          cpuMs(() => parseDocument(text, URL_OF_DOCUMENT)),
          `${before}${one} ${times} times${after}`,
        ).toBeLessThan(500);
      }
    }
    const names = Array.from({ length: 6_000 }, (_, at) => `a${at}=""`).join(' ');
    expect(cpuMs(() => parseDocument(`<Response ${names}/>`, URL_OF_DOCUMENT))).toBeLessThan(500);
  });

  it('refuses whatever the validator of the tree builder refuses', () => {
    fc.assert(
      fc.property(damagedText, (text) => {
        const verdict = XMLValidator.validate(text);
        // Names may have characters beyond the first plane (XML 1.0 §2.3); the validator knows none.
        if (verdict === true || /[\u{10000}-\u{EFFFF}]/u.test(text)) return;
        const parsed = parseDocument(text, URL_OF_DOCUMENT);
        expect(parsed.ok ? 'ok' : parsed.diagnostic.code, verdict.err.msg).toBe(12100);
      }),
      { numRuns: 3_000 },
    );
  });

  it('reads attributes as the tree builder would', () => {
    const bare = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: '',
      preserveOrder: true,
      trimValues: false,
      processEntities: false,
    });
    const normalized = (values: unknown) =>
      Object.fromEntries(
        Object.entries(values ?? {}).map(([name, text]) => [name, String(text).replace(/[\t\n]/g, ' ')]),
      );
    const builders = (nodes: readonly Readonly<Record<string, unknown>>[]): unknown[] =>
      nodes.flatMap((node) =>
        Object.entries(node).flatMap(([name, content]) =>
          name !== ':@' && Array.isArray(content)
            ? [[name, normalized(node[':@'])], ...builders(content)]
            : [],
        ),
      );
    const ours = (element: TwimlElement): unknown[] => [
      [element.name, Object.fromEntries([...element.attributes].map(([name, { value }]) => [name, value]))],
      ...element.children.filter(isElement).flatMap(ours),
    ];
    fc.assert(
      fc.property(damagedText, (text) => {
        // References are ours to resolve, some names the builder refuses or changes, and an instruction is an element.
        if (/&|__proto__|constructor|prototype|toString|hasOwn|valueOf|<\?/.test(text)) return;
        const parsed = parseDocument(text, URL_OF_DOCUMENT);
        if (parsed.ok) expect(ours(parsed.root)).toEqual(builders(bare.parse(text.replace(/^\uFEFF/, ''))));
      }),
      { numRuns: 3_000 },
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
        const parsed = parseDocument(
          `<Response a="${escaped(text)}">${escaped(text)}</Response>`,
          URL_OF_DOCUMENT,
        );
        if (!parsed.ok) throw new Error(parsed.diagnostic.message);
        expect(parsed.root.attributes.get('a')?.value).toBe(text);
        expect(textOf(parsed.root)).toBe(text);
      }),
    );
  });
});

/** A document to write, and what is to be read of it. */
interface Written {
  readonly name: string;
  readonly attributes: readonly (readonly [name: string, value: string])[];
  readonly children: readonly (Written | string)[];
}

const word = fc.constantFrom('a', 'Say', 'x-y', 'é', '名', 'constructor', '__proto__', 'toString');
const value = fc.constantFrom('', '1', 'a b', '>', '/', '😀', '=', "it's");
const run = fc.constantFrom('text', 'é\n', ' ', '\n\n  ', '😀', '>', 'a\tb');
const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.record({
    name: word,
    attributes: fc.uniqueArray(fc.tuple(word, value), { maxLength: 3, selector: ([name]) => name }),
    children: fc.array(fc.oneof({ depthSize: 'small' }, run, tie('written')), { maxLength: 4 }),
  }),
}));

/** Ways of writing that mean nothing. */
const style = fc.record({
  eol: fc.constantFrom('\n', '\r\n', '\r'),
  space: fc.constantFrom(' ', '\n', '\t', ' \n '),
  between: fc.constantFrom('<!-- - < & " -->', "<?p don't > ?>", '<!---->'),
  cdata: fc.boolean(),
  mark: fc.constantFrom('', '\uFEFF'),
});

type Style = typeof style extends fc.Arbitrary<infer S> ? S : never;

/** Writes a document piece by piece, noting where each thing begins. */
class Writer {
  text = '';
  readonly #style: Style;

  constructor(wanted: Style) {
    this.#style = wanted;
  }

  #put(part: string): void {
    this.text += part.replace(/\n/g, this.#style.eol);
  }

  #here(): Position {
    const lines = linesOf(this.text);
    return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
  }

  element({ name, attributes, children }: Written): TwimlElement {
    const position = this.#here();
    const { space } = this.#style;
    this.#put(`<${name}`);
    const read = attributes.map(([key, text]) => {
      this.#put(space);
      const at = this.#here();
      this.#put(`${key}${space}=${text.includes("'") ? '"' : "'"}`);
      const valuePosition = this.#here();
      this.#put(`${text}${text.includes("'") ? '"' : "'"}`);
      return [key, { value: text, position: at, valuePosition, end: this.#here() }] as const;
    });
    this.#put(`${space}>`);
    const inner = children.map((child) =>
      typeof child === 'string' ? this.#run(child) : this.element(child),
    );
    this.#put(`</${name}${space}>`);
    return { name, attributes: new Map(read), children: inner, position, end: this.#here() };
  }

  /** Behind a comment, so that it does not continue the text before. */
  #run(text: string): TwimlText {
    this.#put(this.#style.between);
    if (this.#style.cdata) this.#put('<![CDATA[');
    const position = this.#here();
    this.#put(text);
    if (this.#style.cdata) this.#put(']]>');
    return { text, position };
  }
}

it('knows every element, attribute and text and where it is, whatever the style', () => {
  fc.assert(
    fc.property(written, style, (content, wanted) => {
      const writer = new Writer(wanted);
      writer.text = wanted.mark;
      const expected = writer.element({ ...content, name: 'Response' });
      const parsed = parseDocument(writer.text, URL_OF_DOCUMENT);
      if (!parsed.ok) throw new Error(parsed.diagnostic.message);
      expect(parsed.root).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

it('decodes damaged bytes to a text, or says where they cannot be read', () => {
  const damagedBytes = fc
    .tuple(fc.constantFrom(...corpus), changes)
    .map(([body, wanted]) => Buffer.from(damage(body.toString('latin1'), wanted), 'latin1'));
  fc.assert(
    fc.property(damagedBytes, (body) => {
      const decoded = decodeBody(body, URL_OF_DOCUMENT);
      if (decoded.ok) return;
      expect(decoded.diagnostic).toMatchObject({ code: 12100, line: expect.any(Number) });
      // No encoding of these documents has more characters than bytes.
      expect(decoded.diagnostic.column).toBeLessThanOrEqual(body.length + 1);
    }),
    { numRuns: 1_500 },
  );
});
