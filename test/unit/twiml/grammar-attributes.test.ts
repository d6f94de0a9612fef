import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../../src/twiml/document/parse.ts';
import { nameIn } from '../../../src/twiml/grammar/element-spec.ts';
import { grammar } from '../../../src/twiml/grammar/grammar.ts';
import { readVerbs } from '../../../src/twiml/verbs/registry.ts';

/** One attribute as the table beside this file has it. */
interface Row {
  readonly key: string;
  readonly name: string;
  readonly good: string;
  /** '' when any text can be used. */
  readonly bad: string;
  /** `13313 warning`. */
  readonly raises: string;
}

const rows: readonly Row[] = readFileSync(join(import.meta.dirname, 'grammar-attributes.tsv'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [key = '', name = '', good = '', bad = '', raises = ''] = line.split('\t');
    return { key, name, good, bad, raises };
  });

/** What stands in an element that needs something in it. */
const CONTENT: Readonly<Record<string, string>> = {
  Application: 'AP0123456789abcdef0123456789abcdef',
  Autopilot: 'UA1',
  Client: 'joe',
  Conference: 'room',
  Connect: '<Room>lobby</Room>',
  Dial: '+15005550006',
  Enqueue: 'support',
  Number: '+15005550006',
  Play: 'http://media.example/a.wav',
  Queue: 'support',
  Refer: '<Sip>a@b.example</Sip>',
  Room: 'lobby',
  Say: 'Hello',
  Sip: 'sip:a@b.example',
  Sms: 'Hello',
  Start: '<Recording/>',
  Stop: '<Recording name="a"/>',
  Uri: 'sip:a@b.example',
  WhatsApp: '+15005550006',
};

/** Attributes that another one goes with. */
const BESIDE: Readonly<Record<string, string>> = {
  'Pay bankAccountType': ' paymentMethod="ach-debit"',
  'Record transcribeCallback': ' transcribe="true"',
  'Stream connectorName': ' url="wss://stream.example/"',
  'Connect>Stream connectorName': ' url="wss://stream.example/"',
};

/** A document with the element in it, and nothing wrong but what the attribute says. */
function documentWith({ key, name }: Row, value: string): string {
  const written = `${name}="${value.replaceAll('"', '&quot;')}"`;
  const needed = Object.entries(grammar.get(key)?.attributes ?? {})
    .filter(([other, { required }]) => required !== undefined && other !== name)
    .map(([other]) => ` ${other}="${goodValue(key, other)}"`);
  const beside = BESIDE[`${key} ${name}`] ?? '';
  const tag = nameIn(key);
  let document = `<${tag} ${written}${needed.join('')}${beside}>${CONTENT[key] ?? ''}</${tag}>`;
  for (let inner = key; inner !== 'Response'; ) {
    const parent = parentOf(inner);
    document = `<${nameIn(parent)}${parent === 'Response' ? '' : attributesOf(parent)}>${document}</${nameIn(parent)}>`;
    inner = parent;
  }
  return document;
}

function parentOf(key: string): string {
  const parents = [...grammar.values()].filter(({ children }) => children.includes(key));
  const parent = parents.find((spec) => spec.key === 'Response') ?? parents.find((spec) => spec.key !== key);
  if (!parent) throw new Error(`nothing takes ${key}`);
  return parent.key;
}

const attributesOf = (key: string) =>
  Object.entries(grammar.get(key)?.attributes ?? {})
    .filter(([, { required }]) => required !== undefined)
    .map(([name]) => ` ${name}="${goodValue(key, name)}"`)
    .join('');

const goodValue = (key: string, name: string) =>
  rows.find((row) => row.key === key && row.name === name)?.good ?? '';

/** What is reported at the attribute under test. */
function reportedAt(document: string, name: string): readonly string[] {
  const parsed = parseDocument(document, 'http://app.test/voice');
  if (!parsed.ok) throw new Error(parsed.diagnostic.message);
  const { diagnostics } = readVerbs(parsed.root, 'http://app.test/voice');
  const column = document.indexOf(` ${name}="`) + 2;
  return diagnostics
    .filter((found) => found.line === 1 && found.column === column)
    .map(({ code, level }) => `${code} ${level}`);
}

describe('the attributes of the grammar', () => {
  it('are all in the table, and no other', () => {
    const known = [...grammar.values()].flatMap(({ key, attributes }) =>
      Object.keys(attributes).map((name) => `${key} ${name}`),
    );
    const listed = rows.map(({ key, name }) => `${key} ${name}`);
    expect(listed.toSorted()).toEqual(known.filter((entry) => entry !== 'Response version').toSorted());
  });

  it.each(rows)('take $key: $name=$good', (row) => {
    expect(reportedAt(documentWith(row, row.good), row.name)).toEqual([]);
  });

  it.each(rows.filter(({ bad }) => bad !== ''))('raise $raises for $key: $name=$bad', (row) => {
    expect(reportedAt(documentWith(row, row.bad), row.name)).toEqual([row.raises]);
  });

  const required = [...grammar.values()].flatMap(({ key, attributes }) =>
    Object.entries(attributes).flatMap(([name, { required: code }]) => (code ? [{ key, name, code }] : [])),
  );
  it.each(required)('raise $code for a <$key> without $name', ({ key, name, code }) => {
    const row = rows.find((candidate) => candidate.key === key && candidate.name === name);
    if (!row) throw new Error(`no row for ${key} ${name}`);
    const document = documentWith(row, row.good).replace(` ${name}="${row.good}"`, '');
    const parsed = parseDocument(document, '');
    if (!parsed.ok) throw new Error(parsed.diagnostic.message);
    const codes = readVerbs(parsed.root, '').diagnostics.map((found) => found.code);
    expect(codes).toContain(code);
  });
});
