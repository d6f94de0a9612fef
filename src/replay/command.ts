import { parseArgs } from 'node:util';
import { type FixtureVerdict, replayAll } from './replay-all.ts';

const USAGE = 'usage: trunkline replay [directory…] [--only <part of a name>] [--update]';
const STANDARD_DIRECTORY = 'twiml-fixtures';

/**
 * `trunkline replay`: runs the fixtures of the directories (default `twiml-fixtures`) and prints what changed.
 * Resolves to the exit code: 0 when all are as expected, 1 when one is not, 2 when the arguments make no sense.
 */
export async function replayCommand(
  args: readonly string[],
  print: (line: string) => void = console.log,
): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    print(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  const { positionals, values } = parsed;
  const verdicts: FixtureVerdict[] = [];
  for (const directory of positionals.length > 0 ? positionals : [STANDARD_DIRECTORY]) {
    try {
      const { update, only } = values;
      verdicts.push(...(await replayAll(directory, { ...(update !== undefined && { update }), only })));
    } catch (error) {
      print(`${directory} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      return 2;
    }
  }
  return report(verdicts, print);
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { update: { type: 'boolean' }, only: { type: 'string' } },
  });
}

const HEADLINES: Readonly<Record<FixtureVerdict['kind'], string>> = {
  same: 'ok',
  updated: 'updated',
  changed: 'CHANGED: "-" is expected, "+" is what happened; --update accepts it',
  unstable: 'UNSTABLE: two runs differ',
  failed: 'FAILED',
};

function report(verdicts: readonly FixtureVerdict[], print: (line: string) => void): number {
  for (const verdict of verdicts) {
    print(`${verdict.name.padEnd(32)} ${HEADLINES[verdict.kind]}`);
    if ('details' in verdict) for (const line of verdict.details) print(`    ${line}`);
  }
  const bad = verdicts.filter((verdict) => 'details' in verdict).length;
  print(`${verdicts.length} fixtures, ${bad === 0 ? 'all as expected' : `${bad} not as expected`}`);
  if (verdicts.length === 0) print('no fixture matches');
  return bad === 0 && verdicts.length > 0 ? 0 : 1;
}
