#!/usr/bin/env node
import { Command } from 'commander';

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
    process.exitCode = await replayCommand(process.argv.slice(3));
  });

/** Runs one role as this very process, as its container or unit does. */
async function runAlone(script: string, args: readonly string[]): Promise<void> {
  process.argv.splice(2, process.argv.length, ...args);
  await import(new URL(`${script}.js`, workers).href);
}

await program.parseAsync();
