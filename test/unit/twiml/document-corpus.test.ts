import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../../src/twiml/document/decode.ts';
import { isElement, type TwimlElement } from '../../../src/twiml/document/element.ts';
import { type ParsedDocument, parseDocument } from '../../../src/twiml/document/parse.ts';

const CORPUS = new URL('../../corpus/twiml/', import.meta.url);
const URL_OF_DOCUMENT = 'http://app.test/voice';

/** The rows of a table, without its head, by the name of the document. */
function table(name: string): ReadonlyMap<string, readonly string[]> {
  const [, ...rows] = readFileSync(new URL(name, CORPUS), 'utf8').trimEnd().split('\n');
  return new Map(rows.map((row) => row.split('\t')).map(([file = '', ...columns]) => [file, columns]));
}

const documents = (folder: string) =>
  readdirSync(new URL(folder, CORPUS)).map((file) => file.replace(/\.xml$/, ''));

function parse(file: string, charset: string | undefined): ParsedDocument {
  const decoded = decodeBody(readFileSync(new URL(file, CORPUS)), URL_OF_DOCUMENT, charset);
  return decoded.ok ? parseDocument(decoded.text, URL_OF_DOCUMENT) : decoded;
}

function all(element: TwimlElement): readonly TwimlElement[] {
  return [element, ...element.children.filter(isElement).flatMap(all)];
}

const allText = (element: TwimlElement): string =>
  element.children.map((child) => (isElement(child) ? allText(child) : child.text)).join('');

const shown = (text: string) => (text.length <= 400 ? text : `${text.length} units`);
const asWritten = (column = '') => (column.startsWith('"') ? JSON.parse(column) : column);

describe('broken documents', () => {
  const expected = table('broken.tsv');

  it('are all in the table', () => {
    expect(documents('broken/').sort()).toEqual([...expected.keys()].sort());
    expect(expected.size).toBeGreaterThan(100);
  });

  it.each([...expected])('%s', (name, [code, line, column, charset]) => {
    expect(parse(`broken/${name}.xml`, charset)).toMatchObject({
      ok: false,
      diagnostic: { code: Number(code), line: Number(line), column: Number(column), url: URL_OF_DOCUMENT },
    });
  });
});

describe('good documents', () => {
  const expected = table('good.tsv');

  it('are all in the table', () => {
    expect(documents('good/').sort()).toEqual([...expected.keys()].sort());
    expect(expected.size).toBeGreaterThan(100);
  });

  it.each([...expected])('%s', (name, [elements, attributes, last, line, column, values, text, charset]) => {
    const parsed = parse(`good/${name}.xml`, charset);
    if (!parsed.ok) throw new Error(parsed.diagnostic.message);
    const found = all(parsed.root);
    const written = found.flatMap((element) => [...element.attributes.values()].map(({ value }) => value));
    expect({
      elements: found.length,
      attributes: written.length,
      last: found.at(-1)?.name,
      position: found.at(-1)?.position,
      values: shown(written.join(' ')),
      text: shown(allText(parsed.root)),
    }).toEqual({
      elements: Number(elements),
      attributes: Number(attributes),
      last,
      position: { line: Number(line), column: Number(column) },
      values: asWritten(values),
      text: asWritten(text),
    });
  });
});
