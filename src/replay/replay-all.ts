import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Clock, SystemClock } from '../core/clock.ts';
import { differences } from './diff.ts';
import { firstDifference } from './first-difference.ts';
import { type Found, fixturesAt, nameFilter } from './fixtures.ts';
import { type Fixture, type FixtureRun, readFixture, runFixture } from './run-fixture.ts';
import { StuckError } from './stuck.ts';

export interface ReplayOptions {
  /** Writes the golden files instead of comparing them. */
  readonly update?: boolean | undefined;
  /** Runs the fixtures whose name contains this, or matches it when it is a /regular expression/. */
  readonly filter?: string | undefined;
  /** How often each fixture runs: at least twice, which is what it does unless said. */
  readonly repeat?: number | undefined;
  /** Runs a fixture. Absent: in virtual time, as it says. */
  readonly run?: ((fixture: Fixture) => Promise<FixtureRun>) | undefined;
  /** Is told each verdict as it falls. */
  readonly onVerdict?: ((verdict: FixtureVerdict) => void) | undefined;
  /** Measures how long a fixture takes. */
  readonly clock?: Clock | undefined;
}

/** What became of one fixture. */
export type FixtureVerdict = {
  readonly name: string;
  readonly directory: string;
  /** How long it took, real time. */
  readonly ms: number;
} & Judgement;

type Judgement =
  /** `hash`: of the golden files, SHA-256. */
  | { readonly kind: 'same' | 'updated'; readonly runs: number; readonly hash: string }
  | { readonly kind: BadKind; readonly details: readonly string[] };

type BadKind = 'unstable' | 'changed' | 'stuck' | 'failed';

/**
 * Runs every fixture at these paths several times, compares the runs with each other, and then with the golden files
 * in `expected/`. Rejects where a path cannot be read.
 */
export async function replayAll(
  paths: string | readonly string[],
  options: ReplayOptions = {},
): Promise<readonly FixtureVerdict[]> {
  const { filter = '', onVerdict, clock = new SystemClock() } = options;
  const wanted = nameFilter(filter);
  const verdicts: FixtureVerdict[] = [];
  for (const found of fixturesAt(typeof paths === 'string' ? [paths] : paths)) {
    if (!wanted(found.name)) continue;
    const begun = clock.monotonic();
    const judgement = await judge(found, options);
    const verdict = { ...found, ms: clock.monotonic() - begun, ...judgement };
    verdicts.push(verdict);
    onVerdict?.(verdict);
  }
  return verdicts;
}

async function judge({ directory }: Found, options: ReplayOptions): Promise<Judgement> {
  const { update = false, repeat = 2, run = runFixture } = options;
  try {
    const fixture = readFixture(directory);
    const first = await run(fixture);
    const runs = Math.max(2, repeat);
    for (let turn = 2; turn <= runs; turn++) {
      const difference = firstDifference(first, await run(fixture));
      if (difference) {
        return { kind: 'unstable', details: [`run 1 and run ${turn} differ first in`, ...difference] };
      }
    }
    const expected = join(directory, 'expected');
    const details = compare(readGolden(expected), first);
    if (details.length > 0 && !update) return { kind: 'changed', details };
    if (details.length > 0) writeGolden(expected, first);
    return { kind: details.length > 0 ? 'updated' : 'same', runs, hash: hashOf(first) };
  } catch (error) {
    if (error instanceof StuckError) return { kind: 'stuck', details: error.details };
    return { kind: 'failed', details: (error instanceof Error ? error.message : String(error)).split('\n') };
  }
}

/** What differs, by file; nothing when all is the same. */
export function compare(expected: FixtureRun, found: FixtureRun): readonly string[] {
  if (expected.size === 0) return ['there are no golden files yet; --update writes them'];
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].sort().flatMap((file) => {
    const difference = differences(expected.get(file) ?? '', found.get(file) ?? '');
    if (!difference) return [];
    const state = expected.has(file) ? (found.has(file) ? '' : ' is no longer written') : ' is new';
    return [`${file}${state}:`, ...difference.map((line) => `  ${line}`)];
  });
}

export function readGolden(directory: string): FixtureRun {
  const names = tryReaddir(directory);
  return new Map(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')] as const));
}

function tryReaddir(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** All of them or, when they cannot be written, none: what was expected before is then still there. */
export function writeGolden(directory: string, run: FixtureRun): void {
  const fresh = join(dirname(directory), `.expected-${process.pid}`);
  try {
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh);
    for (const [name, text] of run) writeFileSync(join(fresh, name), text);
    rmSync(directory, { recursive: true, force: true });
    renameSync(fresh, directory);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${directory} cannot be written: ${why}`, { cause: error });
  }
}

function hashOf(run: FixtureRun): string {
  const hash = createHash('sha256');
  for (const [name, text] of run) hash.update(`${name}\0${text}\0`);
  return hash.digest('hex');
}
