import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFixture } from '../../src/replay/run-fixture.ts';
import { isElement, type TwimlElement } from '../../src/twiml/document/element.ts';
import { parseDocument } from '../../src/twiml/document/parse.ts';
import type { ElementSpec } from '../../src/twiml/grammar/element-spec.ts';
import { grammar, specIn } from '../../src/twiml/grammar/grammar.ts';

const root = join(import.meta.dirname, '../..');
const fixtures = readdirSync(join(root, 'twiml-fixtures'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => join(root, 'twiml-fixtures', name));

/** Raised by the linter and the API, which no fixture runs. */
const ELSEWHERE = new Map([
  [14219, 'only said by the linter, of a Region without TaskRouter'],
  [14226, 'only said by the linter, of a Region without TaskRouter'],
  [11242, 'needs an exchange without a connection: test/unit/webhook/overrides.test.ts'],
]);

/** Every document that a fixture's application or the API answers with. */
function documentsOf(directory: string): readonly string[] {
  const { scenario, files } = readFixture(directory);
  const answers = scenario.webhooks.flatMap((webhook) => webhook.answers);
  return [
    ...[...files.values()].map((body) => body.toString('utf8')),
    ...answers.flatMap(({ body }) => body ?? []),
    ...scenario.orders.flatMap((order) => ('twiml' in order ? order.twiml : [])),
  ];
}

function note(element: TwimlElement, spec: ElementSpec, seen: Set<string>): void {
  seen.add(spec.key);
  for (const name of element.attributes.keys()) seen.add(`${spec.key} ${name}`);
  for (const child of element.children.filter(isElement)) {
    const inner = specIn(spec, child.name);
    if (inner) note(child, inner, seen);
  }
}

function written(): ReadonlySet<string> {
  const seen = new Set<string>();
  const response = grammar.get('Response');
  if (!response) throw new Error('the grammar has no root');
  for (const text of fixtures.flatMap(documentsOf)) {
    const parsed = parseDocument(text, 'http://app.test/voice');
    if (parsed.ok) note(parsed.root, response, seen);
  }
  return seen;
}

function raised(): ReadonlySet<number> {
  const codes = new Set<number>();
  for (const directory of fixtures) {
    const expected = join(directory, 'expected');
    if (!existsSync(expected)) continue;
    for (const name of readdirSync(expected).filter((file) => file.endsWith('timeline.jsonl'))) {
      for (const [, code] of readFileSync(join(expected, name), 'utf8').matchAll(
        /"type":"diagnostic","code":(\d+)/g,
      ))
        codes.add(Number(code));
    }
  }
  return codes;
}

/** What the code can say of a document or a webhook: the catalogue, and what webhooks report themselves. */
function known(): readonly number[] {
  const catalogue = readFileSync(join(root, 'src/core/error-catalogue.ts'), 'utf8');
  const listed = [...catalogue.matchAll(/^ {2}(\d{5}): /gm)];
  const sources = ['src/webhook', 'src/twiml', 'src/call'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, folder, name), 'utf8')),
  );
  const said = sources.flatMap((text) => [...text.matchAll(/\b(?:failure|warning|diagnose)\(\s*(\d{5})/g)]);
  return [...new Set([...listed, ...said].map(([, code]) => Number(code)))].sort((a, b) => a - b);
}

describe('the fixtures', () => {
  it('hold every element and every attribute of the grammar', () => {
    const seen = written();
    const entries = [...grammar.values()].flatMap(({ key, attributes }) => [
      key,
      ...Object.keys(attributes).map((name) => `${key} ${name}`),
    ]);
    expect(entries.length).toBeGreaterThan(360); // of Twilio's grammar: 60 elements and 301 attributes
    expect(entries.filter((entry) => !seen.has(entry))).toEqual([]);
  });

  it('raise every code that a document or a webhook can raise', () => {
    const codes = raised();
    const missing = known().filter((code) => !codes.has(code) && !ELSEWHERE.has(code));
    expect(missing).toEqual([]);
    expect([...ELSEWHERE.keys()].filter((code) => codes.has(code))).toEqual([]);
  });
});
