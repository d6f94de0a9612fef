#!/usr/bin/env node
import { Command } from 'commander';
import type { Installation } from '../compose/installation.ts';
import type { ExportOptions } from './export/export-command.ts';
import { addLint } from './lint/entry.ts';
import { endWithOutput } from './lost-output.ts';

const workers = new URL('../../workers/', import.meta.url);

/**
 * The `trunkline` command. Each subcommand is imported when it is asked for: starting one process must not load
 * them all.
 */
const program = new Command('trunkline')
  .description('Self-hosted, Twilio-compatible voice platform with regional execution')
  .showHelpAfterError();

program
  .command('start')
  .description('every role on this machine, each as a process of its own')
  .action(async () => {
    const { start } = await import('../compose/start.ts');
    await start(workers);
  });

program
  .command('edge')
  .description('an edge process: SIP, dialogs and media of Edge Locations')
  .option('--edge <edge...>', 'the Edge Locations it serves (default: all)')
  .action(({ edge = [] }: { edge?: string[] }) => runAlone('edge', edge));

for (const [name, script, description] of [
  ['worker', 'call-worker', 'a call worker of one Region: webhooks, TwiML, audio'],
  ['region', 'region', "one Region's REST API, callbacks and storage"],
] as const) {
  program
    .command(name)
    .description(description)
    .requiredOption('--region <region>', 'us1, ie1 or au1')
    .action(({ region }: { region: string }) => runAlone(script, [region]));
}

program
  .command('front')
  .description('the HTTP router from host name to Region')
  .action(() => runAlone('front', []));

program
  .command('edges')
  .description('the Edge Locations: what they are called, their addresses, and where each is here')
  .option('--json', 'as JSON', false)
  .action(({ json }: { json: boolean }) =>
    withInstallation(async (installation) => {
      const { edgesText } = await import('./edges/edges-text.ts');
      process.stdout.write(edgesText(installation, json));
      return 0;
    }),
  );

program
  .command('doctor')
  .description('explains which edge and which Region something means, why, and what is wrong with it')
  .argument(
    '<subject>',
    'a REST host or URL, SIP URI or host, phone number or credential (AC…:token); -: from stdin',
  )
  .option('--json', 'as JSON', false)
  .action((subject: string, { json }: { json: boolean }) =>
    withInstallation(async (installation) => {
      const { doctorCommand } = await import('./doctor/doctor-command.ts');
      return doctorCommand(subject, json, { stdin: process.stdin, stdout: process.stdout, installation });
    }),
  );

// These read their own arguments.
program
  .command('call')
  .description('a SIP caller: dials, shows what happens, saves what it hears')
  .argument('[arguments...]')
  .allowUnknownOption()
  .helpOption(false)
  .action(async () => {
    const { callCommand } = await import('./call/call-command.ts');
    const { firstSipAddress } = await import('../compose/settings.ts');
    process.exitCode = await callCommand(process.argv.slice(3), {
      stdout: process.stdout,
      stderr: process.stderr,
      sip: firstSipAddress(),
    });
  });

program
  .command('answer')
  .description(
    'a SIP callee: waits for calls, answers or refuses them, shows what happens, saves what it hears',
  )
  .argument('[arguments...]')
  .allowUnknownOption()
  .helpOption(false)
  .action(async () => {
    const { answerCommand } = await import('./answer/answer-command.ts');
    const { demoPhone } = await import('../compose/settings.ts');
    process.exitCode = await answerCommand(process.argv.slice(3), {
      stdout: process.stdout,
      stderr: process.stderr,
      sip: demoPhone(),
    });
  });

program
  .command('replay')
  .description('runs TwiML fixtures in virtual time and compares them with what is expected')
  .argument('[arguments...]')
  .allowUnknownOption()
  .helpOption(false)
  .action(async () => {
    const { replayCommand } = await import('../replay/command.ts');
    process.exitCode = await replayCommand(process.argv.slice(3), {
      print: (line) => process.stdout.write(`${line}\n`),
      colours: process.stdout.isTTY && process.stdout.hasColors(),
    });
  });

addLint(program);

program
  .command('export')
  .description('makes a fixture of a finished live call: replayed, it leaves the same timeline')
  .argument('<call>', 'its SID, CA…')
  .argument('<directory>', 'where the fixture goes, into a directory of its own')
  .option(
    '--region <region>',
    'where the call was processed (default: each Region of this installation is asked)',
  )
  .option('--url <url>', 'of a front or a Region elsewhere, such as http://127.0.0.1:8080')
  .option('--account <sid>', 'the account, with --token (default: those of this home)')
  .option('--token <token>', 'its auth token in that Region')
  .option('--name <name>', "the fixture's name")
  .option(
    '--no-redact',
    'keeps numbers, names, users, SIDs and private addresses; passwords are never written',
  )
  .option('--force', 'replaces a fixture of this name', false)
  .addHelpText(
    'after',
    '\nExit status: 0 the replay leaves the same timeline, 1 it differs, 2 misused, 3 nothing was written.',
  )
  .action((call: string, directory: string, options: ExportOptions) =>
    withInstallation(async (installation) => {
      const { exportCommand } = await import('./export/export-command.ts');
      const { stdout, stderr } = process;
      return exportCommand(call, directory, options, { stdout, stderr, installation });
    }),
  );

/** Runs a command that looks at this installation to its exit code; settings that cannot be used are said, and are 1. */
async function withInstallation(run: (installation: Installation) => Promise<number>): Promise<void> {
  const { thisInstallation } = await import('../compose/installation.ts');
  const { SettingsError } = await import('../compose/settings.ts');
  try {
    process.exitCode = await run(await thisInstallation());
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** Runs one role as this very process, as its container or unit does. */
async function runAlone(script: string, args: readonly string[]): Promise<void> {
  process.argv.splice(2, process.argv.length, ...args);
  await import(new URL(`${script}.js`, workers).href);
}

/** They go on with their calls when nobody reads their log. */
const ROLES: ReadonlySet<string> = new Set(['start', 'edge', 'worker', 'region', 'front']);
program.hook('preAction', (_program, command) => {
  if (!ROLES.has(command.name())) endWithOutput();
});

await program.parseAsync();
