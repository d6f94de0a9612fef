import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { differences } from './diff.ts';
import { type FixtureRun, runFixture } from './run-fixture.ts';

export interface ReplayOptions {
  /** Writes the golden files instead of comparing them. */
  readonly update?: boolean;
  /** Runs the fixtures whose name contains this. */
  readonly only?: string | undefined;
}

/** What became of one fixture. */
export type FixtureVerdict =
  | { readonly name: string; readonly kind: 'same' | 'updated' }
  | { readonly name: string; readonly kind: 'unstable' | 'changed'; readonly details: readonly string[] }
  | { readonly name: string; readonly kind: 'failed'; readonly details: readonly string[] };

/**
 * Runs every fixture of a directory, or the directory itself when it is one: twice, comparing the two runs, and
 * then with the golden files in `expected/`.
 */
export async function replayAll(
  directory: string,
  { update = false, only = '' }: ReplayOptions,
): Promise<readonly FixtureVerdict[]> {
  const verdicts: FixtureVerdict[] = [];
  for (const fixture of await fixturesIn(directory)) {
    if (basename(fixture).includes(only)) verdicts.push(await replayFixture(fixture, update));
  }
  return verdicts;
}

async function fixturesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  if (entries.some((entry) => entry.name === 'scenario.yaml')) return [directory];
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return directories.sort().map((name) => join(directory, name));
}

async function replayFixture(directory: string, update: boolean): Promise<FixtureVerdict> {
  const name = basename(directory);
  try {
    const first = await runFixture(directory);
    const unstable = compare(first, await runFixture(directory));
    if (unstable.length > 0) return { name, kind: 'unstable', details: unstable };
    const expected = join(directory, 'expected');
    const changed = compare(await readGolden(expected), first);
    if (changed.length === 0) return { name, kind: 'same' };
    if (!update) return { name, kind: 'changed', details: changed };
    await writeGolden(expected, first);
    return { name, kind: 'updated' };
  } catch (error) {
    return { name, kind: 'failed', details: [error instanceof Error ? error.message : String(error)] };
  }
}

function compare(expected: FixtureRun, found: FixtureRun): readonly string[] {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].sort().flatMap((file) => {
    const difference = differences(expected.get(file) ?? '', found.get(file) ?? '');
    return difference ? [`${file}:`, ...difference.map((line) => `  ${line}`)] : [];
  });
}

async function readGolden(directory: string): Promise<FixtureRun> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const texts = names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')] as const);
  return new Map(await Promise.all(texts));
}

async function writeGolden(directory: string, run: FixtureRun): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const [name, text] of run) await writeFile(join(directory, name), text);
}
