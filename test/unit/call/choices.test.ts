import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STANDARD_CHOICES, twimlChoices, variableOf } from '../../../src/call/choices.ts';
import { outcomeOfOutgoing } from '../../../src/call/outcomes.ts';
import { readSettings, SettingsError } from '../../../src/compose/settings.ts';

const root = join(import.meta.dirname, '../../..');
const names = Object.keys(twimlChoices.shape);

describe('what Twilio leaves open', () => {
  it.each(names)('%s is in the README, with the value it has when nothing is said', (name) => {
    const line = readFileSync(join(root, 'README.md'), 'utf8')
      .split('\n')
      .find((candidate) => candidate.includes(`\`${variableOf(name)}\``));
    const standard = Object.entries(STANDARD_CHOICES).find(([key]) => key === name)?.[1];
    expect(line?.split('|').slice(2, 4).join('|')).toMatch(new RegExp(`^ \`${name}\` \\| \`${standard}\``));
  });

  it.each(names)('%s has a fixture in which it is not the standard', (name) => {
    const fixtures = readdirSync(join(root, 'twiml-fixtures')).filter((entry) => entry.startsWith('choice-'));
    const texts = fixtures.map((entry) =>
      readFileSync(join(root, 'twiml-fixtures', entry, 'scenario.yaml'), 'utf8'),
    );
    expect(texts.filter((text) => text.includes(`choices: { ${name}:`))).toHaveLength(1);
  });

  it('is read from the environment, words and numbers', () => {
    const { settings, unknown } = readSettings({
      TRUNKLINE_TWIML_DECLINED: 'no-answer',
      TRUNKLINE_TWIML_DIAL_BUFFER_MS: '5000',
    });
    expect(unknown).toEqual([]);
    expect(settings.choices).toEqual({ ...STANDARD_CHOICES, declined: 'no-answer', dialBufferMs: 5_000 });
  });

  it.each([
    ['TRUNKLINE_TWIML_DECLINED', 'refused'],
    ['TRUNKLINE_TWIML_DIAL_BUFFER_MS', '5s'],
    ['TRUNKLINE_TWIML_SILENT_DOCUMENTS', '-1'],
  ])('%s=%s is a start-up error that names it', (variable, value) => {
    expect(() => readSettings({ [variable]: value })).toThrow(SettingsError);
    expect(() => readSettings({ [variable]: value })).toThrow(`${variable} is "${value}"`);
  });

  it.each([
    [408, true, {}, 'no-answer'],
    [408, false, {}, 'failed'],
    [408, true, { requestTimeout: 'failed' }, 'failed'],
    [408, false, { requestTimeout: 'no-answer' }, 'no-answer'],
    [603, true, {}, 'busy'],
    [603, true, { declined: 'no-answer' }, 'no-answer'],
  ])('%i, rang: %s, %j: %s', (sipStatus, rang, chosen, status) => {
    const choices = twimlChoices.parse(chosen);
    expect(outcomeOfOutgoing({ cause: 'rejected', sipStatus }, false, undefined, rang, choices)).toBe(status);
  });
});
