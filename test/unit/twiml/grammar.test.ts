import { describe, expect, it } from 'vitest';
import { nameIn } from '../../../src/twiml/grammar/element-spec.ts';
import { grammar } from '../../../src/twiml/grammar/grammar.ts';
import { names } from './grammar-names.ts';

const words = (text: string) => text.split(' ').filter((word) => word !== '');
const sorted = (list: Iterable<string>) => [...list].sort();

/** Keys of the grammar that are one name in Twilio's types. */
const OTHER_MEANINGS = [
  'Connect>Stream',
  'Stop>Stream',
  'Stop>Siprec',
  'Stop>Transcription',
  'Stop>Recording',
];

/** Ours to read beside Twilio's types: `version` is XML's, the others are on its pages or were once. */
const BEYOND: Readonly<Record<string, readonly string[]>> = {
  Response: ['version'],
  Sip: ['sendDigits'],
};

describe('the grammar', () => {
  it('has every element of Twilio’s, and no other', () => {
    const expected = [...Object.keys(names), ...OTHER_MEANINGS];
    expect(sorted(grammar.keys())).toEqual(sorted(expected));
  });

  it.each(Object.entries(names))('knows every attribute of <%s>', (key, { attributes }) => {
    const known = Object.keys(grammar.get(key)?.attributes ?? {});
    const wanted = Object.keys(attributes);
    expect(known).toEqual(expect.arrayContaining(wanted));
    expect(known.filter((name) => !wanted.includes(name))).toEqual(
      (BEYOND[key] ?? []).filter((name) => !wanted.includes(name)),
    );
  });

  it.each(Object.entries(names))('lets stand in <%s> what Twilio’s lets', (key, { children }) => {
    const allowed = grammar.get(key)?.children.map(nameIn) ?? [];
    expect(sorted(allowed)).toEqual(sorted(words(children)));
  });

  const listed = Object.entries(names).flatMap(([key, { attributes }]) =>
    Object.entries(attributes).flatMap(([name, values]) => words(values).map((word) => [key, name, word])),
  );
  it.each(listed)('takes <%s %s="%s">', (key = '', name = '', word = '') => {
    expect(grammar.get(key)?.attributes[name]?.read(word)).toBeDefined();
  });

  it('lets nothing stand anywhere that it does not know', () => {
    for (const { children } of grammar.values()) {
      for (const child of children) expect(grammar.has(child), child).toBe(true);
    }
  });

  it('is data: whatever is refused has a code, whatever is enumerated has its words', () => {
    for (const { key, name, docs, support, refusal, attributes } of grammar.values()) {
      expect(name).toBe(nameIn(key));
      expect(docs).toMatch(/^https:\/\/www\.twilio\.com\/docs\//);
      if (support === 'refused') expect(refusal, key).toBeGreaterThan(0);
      for (const { kind, values = [], expected } of Object.values(attributes)) {
        expect(expected).not.toBe('');
        if (kind === 'enum' || kind === 'list') expect(values.length).toBeGreaterThan(0);
      }
    }
  });
});
