import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFixture, runFixture } from '../../../src/replay/run-fixture.ts';
import { LastRead } from '../../../src/twiml/interpreter/last-read.ts';
import { readProgram } from '../../../src/twiml/interpreter/program.ts';
import type { AudioLibrary } from '../../../src/twiml/interpreter/world.ts';
import { projectRoot } from '../../support/program.ts';

const unheard: AudioLibrary = {
  speech: () => Promise.reject(new Error('nothing is spoken')),
  media: () => Promise.reject(new Error('nothing is fetched')),
  decode: () => Promise.reject(new Error('nothing is decoded')),
};

const read = (body: string, url = 'http://app.test/voice') =>
  readProgram({ url, contentType: 'text/xml', body }, unheard);

describe('what was last read', () => {
  it('is forgotten when others have been asked for since', () => {
    const kept = new LastRead<string>(10);
    for (const text of ['aaaa', 'bbbb']) kept.keep(text, `made of ${text}`);
    expect(kept.find('aaaa')).toBe('made of aaaa');
    kept.keep('cccc', 'made of cccc');
    expect(['aaaa', 'bbbb', 'cccc'].map((text) => kept.find(text))).toEqual([
      'made of aaaa',
      undefined,
      'made of cccc',
    ]);
    expect(kept.characters).toBe(8);
  });

  it('is nothing that is longer than all may be', () => {
    const kept = new LastRead<string>(10);
    kept.keep('short', '');
    kept.keep('x'.repeat(11), '');
    expect([kept.find('short'), kept.find('x'.repeat(11)), kept.characters]).toEqual(['', undefined, 5]);
  });
});

describe('a document', () => {
  it('is read once as long as its text and its address are the same', async () => {
    const body = '<Response><Say x="1">Once.</Say></Response>';
    const [first, second, elsewhere] = [
      await read(body),
      await read(body),
      await read(body, 'http://b.test/'),
    ];
    expect(second).toBe(first);
    expect(elsewhere).not.toBe(first);
    expect(elsewhere).toMatchObject({ ok: true, diagnostics: [{ url: 'http://b.test/' }] });
    expect(await read('<Response>')).toMatchObject({ ok: false });
    expect(await read('<Response>')).toMatchObject({ ok: false });
  });

  const folder = join(projectRoot(), 'twiml-fixtures');
  const elements = readdirSync(folder).filter(
    (name) => name.startsWith('element-') && !name.endsWith('-bad'),
  );

  it('of every element runs in two calls at once as it does in one', async () => {
    expect(elements.length).toBeGreaterThan(50);
    for (const name of elements) {
      const fixture = readFixture(join(folder, name));
      const alone = await runFixture(fixture);
      const [one, other] = await Promise.all([runFixture(fixture), runFixture(fixture)]);
      expect([one, other], name).toEqual([alone, alone]);
    }
  });
});
