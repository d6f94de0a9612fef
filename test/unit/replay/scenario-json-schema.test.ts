import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { fixturesAt } from '../../../src/replay/fixtures.ts';
import { scenarioJsonSchema } from '../../../src/replay/scenario-json-schema.ts';

const FIXTURES = join(import.meta.dirname, '../../../twiml-fixtures');
const kept = readFileSync(join(FIXTURES, 'scenario.schema.json'), 'utf8');

describe('scenario.schema.json', () => {
  it('is what scenarios are checked by: npm run replay -- --schema > twiml-fixtures/scenario.schema.json', () => {
    expect(kept).toBe(scenarioJsonSchema());
  });

  const schema = z.fromJSONSchema(JSON.parse(kept));
  const accepts = (yaml: string) => schema.safeParse(parse(yaml)).success;

  it('accepts every fixture', () => {
    const fixtures = fixturesAt([FIXTURES]);
    const refused = fixtures.filter(
      ({ directory }) => !accepts(readFileSync(join(directory, 'scenario.yaml'), 'utf8')),
    );
    expect(refused.map(({ name }) => name)).toEqual([]);
    expect(fixtures.length).toBeGreaterThan(200);
  });

  const scenario = 'shows: x\nvoice: { url: http://app.test/ }\n';

  it.each([
    ['a scenario', scenario, true],
    ['steps without times', `${scenario}caller: [{ hears: x }, { press: 1 }, { hangup: true }]`, true],
    ['an unknown key', `${scenario}colour: red`, false],
    ['a bad duration', `${scenario}caller: [{ wait: soon }]`, false],
    ['an answer of two kinds', `${scenario}webhooks: [{ url: x, answers: [{ body: x, file: x }] }]`, false],
    ['an unknown Region', `${scenario}region: de1`, false],
    ['no voice', 'shows: x', false],
    ['a call of the API', 'shows: x\ncreated: { url: http://app.test/, timeout: 5s }', true],
    ['a call of the API with a document', 'shows: x\ncreated: { twiml: <Response/>, record: true }', true],
    ['a call of the API without one', 'shows: x\ncreated: { timeout: 5s }', false],
    ['a call that comes in and is made', `${scenario}created: { twiml: <Response/> }`, false],
  ])('tells about %s', (_what, yaml, accepted) => {
    expect(accepts(yaml)).toBe(accepted);
  });

  it('describes every top-level key', () => {
    const { properties } = JSON.parse(kept);
    const mute = Object.entries(properties).filter(
      ([, value]) => !JSON.stringify(value).includes('description'),
    );
    expect(mute).toEqual([]);
  });
});
