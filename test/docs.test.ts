import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** A file that proves a row, and the title of the test in it; without one, a title there carries the row's id. */
interface Proof {
  readonly file: string;
  readonly title: string | undefined;
  /** The file or the title may still be missing. */
  readonly pending: boolean;
}

interface Row {
  readonly id: string;
  readonly sentence: string;
  readonly cell: string;
  readonly proofs: readonly Proof[];
}

const page = readFileSync(join(root, 'docs/regional-pages.md'), 'utf8');

const rows: readonly Row[] = [...page.matchAll(/^\| ([A-Z]\d+) \| (.*) \| (.*) \|$/gm)].map(
  ([, id = '', sentence = '', cell = '']) => ({ id, sentence, cell, proofs: proofsIn(cell) }),
);

/** `file` “title” pending, one after the other. */
function proofsIn(cell: string): Proof[] {
  return [...cell.matchAll(/`([^`]+)`(?: “([^”]+)”)?( pending)?/g)].map(([, file = '', title, pending]) => ({
    file,
    title,
    pending: pending !== undefined,
  }));
}

/** The texts in quotes of a source file: its titles are among them. */
function quotedIn(file: string): string[] {
  const path = join(root, file);
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`([^`]*)`/g)].map(
    ([, single, double, template]) => single ?? double ?? template ?? '',
  );
}

function isThere({ id }: Row, { file, title }: Proof): boolean {
  return quotedIn(file).some((text) => (title === undefined ? text.includes(`[${id}]`) : text === title));
}

describe('docs/regional-pages.md', () => {
  it('has every number of a page once, in order', () => {
    for (const letter of 'EPDX') {
      const numbers = rows.filter(({ id }) => id.startsWith(letter)).map(({ id }) => Number(id.slice(1)));
      expect(numbers.length, letter).toBeGreaterThan(0);
      expect(numbers).toEqual(numbers.map((_, n) => n + 1));
    }
  });

  it('names a test for every sentence, or the reason why there is none', () => {
    const bare = rows.filter(({ cell, proofs }) => proofs.length === 0 && !/^no test: \S/.test(cell));
    expect(bare.map(({ id }) => id)).toEqual([]);
  });

  it('names tests that are there, but for those marked pending', () => {
    const missing = rows.flatMap((row) =>
      row.proofs
        .filter((proof) => !proof.pending && !isThere(row, proof))
        .map(({ file, title }) => `${row.id}: ${file} has no test “${title ?? `…[${row.id}]…`}”`),
    );
    expect(missing).toEqual([]);
  });
});
