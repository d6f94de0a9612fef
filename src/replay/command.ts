import { writeFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { appCommand, asksForApp } from './application/app-command.ts';
import { junitXml } from './junit.ts';
import { type FixtureVerdict, type ReplayOptions, replayAll } from './replay-all.ts';
import { scenarioJsonSchema } from './scenario-json-schema.ts';

const STANDARD_PATH = 'twiml-fixtures';

const AFTER_HELP = `
A fixture is a folder with scenario.yaml, the documents it names, and expected/. Every one runs twice; the two runs must
be the same to the byte before they meet expected/.

Exit status: 0 all are as expected; 1 one is not, or none was found; 2 the arguments or a path cannot be used.`;

interface Options {
  readonly update?: boolean;
  readonly filter?: string;
  readonly only?: string;
  readonly junit?: string;
  readonly repeat?: number;
  readonly schema?: boolean;
}

export interface ReplayOutput {
  print(line: string): void;
  /** Whether it shows colours. */
  readonly colours?: boolean;
  readonly run?: ReplayOptions['run'];
}

/**
 * `trunkline replay`: runs fixtures and prints what changed. Resolves to the exit code: 0 when all are as expected, 1
 * when one is not or there is none, 2 when the arguments make no sense.
 */
export async function replayCommand(args: readonly string[], output: ReplayOutput): Promise<number> {
  if (asksForApp(args)) return await appCommand(args, output.print);
  let code = 0;
  const command = describedCommand(output).action(async (paths: string[], options: Options) => {
    code = await replay(paths, options, output);
  });
  try {
    await command.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

function describedCommand({ print }: ReplayOutput): Command {
  const write = (text: string) => print(text.trimEnd());
  return new Command('trunkline replay')
    .description('Runs TwiML fixtures in virtual time and compares what happens with what is expected.')
    .argument('[path...]', 'fixtures, or folders that hold some at any depth', [STANDARD_PATH])
    .option('--update', 'write expected/ instead of comparing it')
    .option('--filter <text>', 'only fixtures whose name contains this, or matches a /regular expression/')
    .option('--only <text>', 'the same as --filter')
    .option('--junit <file>', 'write the results there, too, as JUnit XML')
    .option('--repeat <times>', 'run each so often, all runs being the same; show the hash', timesOf)
    .option('--schema', 'print the JSON Schema of scenario.yaml, for editors')
    .option('--app <url>', 'call a running application instead: "--app --help" says more')
    .addHelpText('after', AFTER_HELP)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: write });
}

function timesOf(text: string): number {
  const times = Number(text);
  if (Number.isSafeInteger(times) && times >= 2) return times;
  throw new InvalidArgumentError('Expected a whole number from 2 on.');
}

async function replay(paths: readonly string[], options: Options, output: ReplayOutput): Promise<number> {
  const { update, filter = options.only, junit, repeat, schema } = options;
  if (schema) {
    output.print(scenarioJsonSchema().trimEnd());
    return 0;
  }
  let verdicts: readonly FixtureVerdict[];
  try {
    verdicts = await replayAll(paths, {
      update,
      filter,
      repeat,
      run: output.run,
      onVerdict: (verdict) => show(verdict, repeat !== undefined, output),
    });
    if (junit !== undefined) writeResults(junit, verdicts);
  } catch (error) {
    output.print(reason(error));
    return 2;
  }
  return summary(verdicts, output);
}

/** An error of the system names its call; people look for their path. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!('code' in error && 'path' in error)) return error.message;
  if (error.code === 'ENOENT') return `${error.path}: there is no such file or directory`;
  if (error.code === 'ENOTDIR') return `${error.path}: expected a fixture's folder, or its scenario.yaml`;
  return error.message;
}

function writeResults(file: string, verdicts: readonly FixtureVerdict[]): void {
  try {
    writeFileSync(file, junitXml(verdicts));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`--junit: ${file} cannot be written: ${why}`, { cause: error });
  }
}

const HEADLINES: Readonly<Record<FixtureVerdict['kind'], string>> = {
  same: 'ok',
  updated: 'updated',
  changed: 'CHANGED: "-" is expected, "+" and "~" are what happened; --update accepts it',
  unstable: 'UNSTABLE: the same fixture ran in two ways',
  stuck: 'STUCK: the call does not end',
  failed: 'FAILED',
};

function show(verdict: FixtureVerdict, hashes: boolean, { print, colours = false }: ReplayOutput): void {
  const bad = 'details' in verdict;
  const headline = `${verdict.name.padEnd(32)} ${HEADLINES[verdict.kind]}`;
  const hash = !bad && hashes ? `  ${verdict.runs} runs, ${verdict.hash}` : '';
  print(`${colours ? styleText(bad ? 'red' : 'green', headline) : headline}${hash}`);
  if (bad) for (const line of verdict.details) print(`    ${colours ? coloured(line) : line}`);
}

function coloured(line: string): string {
  const sign = line.trimStart()[0];
  return sign === '-' ? styleText('red', line) : sign === '+' ? styleText('green', line) : line;
}

function summary(verdicts: readonly FixtureVerdict[], { print }: ReplayOutput): number {
  if (verdicts.length === 0) {
    print('no fixture was found');
    return 1;
  }
  const bad = verdicts.filter((verdict) => 'details' in verdict).length;
  const ms = verdicts.reduce((sum, verdict) => sum + verdict.ms, 0);
  const count = `${verdicts.length} fixture${verdicts.length === 1 ? '' : 's'}`;
  const outcome = bad === 0 ? 'all as expected' : `${bad} not as expected`;
  print(`${count}, ${outcome}, ${(ms / 1000).toFixed(2)} s`);
  return bad === 0 ? 0 : 1;
}
