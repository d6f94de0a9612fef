import type { FixtureRun } from './run-fixture.ts';

/** Lines before and after the one that differs. */
const CONTEXT = 2;

/** The first event in which two runs of a fixture differ, with what is around it; undefined when they are the same. */
export function firstDifference(one: FixtureRun, other: FixtureRun): readonly string[] | undefined {
  for (const name of inOrder(one, other)) {
    const [first = '', second = ''] = [one.get(name), other.get(name)];
    if (first === second) continue;
    const [before, after] = [first.split('\n'), second.split('\n')];
    const index = before.findIndex((line, i) => line !== after[i]);
    const at = index < 0 ? before.length : index;
    const numbered = (lines: readonly string[], from: number, to: number, sign: string) =>
      lines.slice(Math.max(0, from), to).map((text, i) => `${sign} ${Math.max(0, from) + i + 1} ${text}`);
    return [
      `${name}, event ${at + 1}:`,
      ...numbered(before, at - CONTEXT, at, ' '),
      ...numbered(before, at, at + 1, '-'),
      ...numbered(after, at, at + 1, '+'),
      ...numbered(after, at + 1, at + 1 + CONTEXT, ' '),
    ];
  }
  return undefined;
}

/** What happened before what was made of it: the call's own timeline first. */
function inOrder(one: FixtureRun, other: FixtureRun): readonly string[] {
  const rank = (name: string) => (name === 'timeline.jsonl' ? 0 : name.endsWith('timeline.jsonl') ? 1 : 2);
  const names = [...new Set([...one.keys(), ...other.keys()])];
  return names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
