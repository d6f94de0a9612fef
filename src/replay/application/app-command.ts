import { basename, join } from 'node:path';
import { AUTH_TOKEN } from '../call-parts.ts';
import { fixturesAt } from '../fixtures.ts';
import { compare, readGolden, writeGolden } from '../replay-all.ts';
import { readScenario, type Scenario, ScenarioError, scenarioOf } from '../scenario.ts';
import { APP_USAGE, type AppArguments, readAppArguments } from './app-arguments.ts';
import { type AppRun, asExpected, runAgainstApp } from './run-scenario.ts';

type Print = (line: string) => void;

/** Claims that the arguments are about an application that runs. */
export function asksForApp(args: readonly string[]): boolean {
  return args.some((arg) => arg === '--app' || arg.startsWith('--app='));
}

/**
 * `trunkline replay --app <url>`: calls a running application in virtual time. Resolves to the exit code: 0 when nothing
 * is wrong, 1 when something is, 2 when the arguments make no sense.
 */
export async function appCommand(args: readonly string[], print: Print): Promise<number> {
  if (args.includes('--help')) {
    print(APP_USAGE);
    return 0;
  }
  try {
    const read = await readAppArguments(args);
    return await runAll(read, print);
  } catch (error) {
    if (error instanceof ScenarioError || isUsage(error)) {
      print(`error: ${error.message}\n"trunkline replay --app --help" says what can be asked for.`);
      return 2;
    }
    throw error;
  }
}

/** What `parseArgs` throws, and a directory that cannot be read. */
function isUsage(error: unknown): error is Error {
  return (
    error instanceof Error && 'code' in error && /^(ERR_PARSE_ARGS_|ENOENT|ENOTDIR)/.test(String(error.code))
  );
}

async function runAll(read: AppArguments, print: Print): Promise<number> {
  if (!read.json) print(signedWith(read.token));
  const found = fixturesAt(read.directories).map(({ directory }) => directory);
  const directories = read.directories.length === 0 ? [undefined] : found;
  let failed = 0;
  for (const directory of directories) {
    const scenario = directory === undefined ? scenarioOf(oneCall(read)) : readScenario(directory);
    const run = await runOne(read, directory, scenario);
    if (run.failures.length > 0) failed++;
    if (read.json)
      print(JSON.stringify({ fixture: directory, sid: run.sid, failures: run.failures, ...run.outcome }));
    else show(run, directory, scenario, print);
  }
  if (directories.length > 1 && !read.json)
    print(
      `${directories.length} calls, ${failed === 0 ? 'nothing wrong' : `${failed} with something wrong`}`,
    );
  if (directories.length === 0)
    throw new ScenarioError(`${read.directories.join(', ')}: found no scenario.yaml`);
  return failed === 0 ? 0 : 1;
}

function oneCall({ app }: AppArguments) {
  return { shows: 'one call', voice: { url: app.url } };
}

async function runOne(read: AppArguments, directory: string | undefined, written: Scenario): Promise<AppRun> {
  const { app, token, allowHosts, plans, maxMs, expectations } = read;
  const scenario = {
    ...written,
    ...read.settings,
    voice: { ...written.voice, ...read.voice },
    caller: directory === undefined ? read.caller : written.caller,
  };
  const seed = read.seed ?? (expectations === 'ignored' ? undefined : written.seed);
  const run = await runAgainstApp({ app, directory, scenario, token, allowHosts, seed, plans, maxMs });
  if (directory === undefined || expectations === 'ignored') return run;
  const expected = join(directory, 'expected');
  if (expectations === 'written') writeGolden(expected, run.texts);
  const golden = asExpected(readGolden(expected), app.origin, new URL(written.voice.url, app.url).origin);
  const differences = compare(golden, run.texts);
  if (differences.length === 0) return run;
  const failure = ['it is not as expected ("-" is expected, "+" is what happened):', ...differences].join(
    '\n  ',
  );
  return { ...run, failures: [...run.failures, failure] };
}

function signedWith(token: string | undefined): string {
  if (token !== undefined) return 'Requests are signed with the token that was given.\n';
  return `Requests are signed with the token ${AUTH_TOKEN}: give your application the same, or --token yours.\n`;
}

function show(run: AppRun, directory: string | undefined, { shows }: Scenario, print: Print): void {
  if (directory !== undefined) print(`${basename(directory)}: ${shows}`);
  print(run.transcript);
  const { requests = [] } = run.outcome ?? {};
  const ms = requests.reduce((sum, { realMs }) => sum + realMs, 0);
  if (run.failures.length === 0)
    print(`ok; the application was asked ${requests.length} times and took ${ms} ms in all\n`);
  else print(`WRONG:\n${run.failures.map((failure) => `  ${failure}`).join('\n')}\n`);
}
