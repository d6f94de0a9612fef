import { type Command, Option } from 'commander';
import { REGION_IDS } from '../../region/region.ts';
import type { LintCommandOptions } from './lint-command.ts';

/** EX_USAGE of sysexits(3). */
const USAGE = 64;

const AFTER = `
Exit status: 0 nothing or notes only, 1 warnings, 2 errors, 3 something could not be read, ${USAGE} wrong usage.

Examples:
  trunkline lint voice.xml twiml/
  trunkline lint https://app.example.com/voice --method POST
  curl -s localhost:3000/voice | trunkline lint - --url http://localhost:3000/voice
  trunkline lint twiml/ --region ie1 --format sarif > twiml.sarif`;

/** `trunkline lint`: what the command takes. What it does is loaded when it is asked for. */
export function addLint(program: Command): void {
  program
    .command('lint')
    .description('finds what is wrong with TwiML documents: line, column, code, and what to do')
    .argument('<input...>', 'files, directories (their *.xml and *.twiml), URLs; -: standard input')
    .addOption(
      new Option('--format <format>', 'how it is printed; github: workflow commands')
        .choices(['text', 'json', 'sarif', 'github'])
        .default('text'),
    )
    .addOption(
      new Option('--region <region>', 'reports what does not exist in this Region').choices(REGION_IDS),
    )
    .option('--url <url>', 'where files and standard input are served: the base of their relative URLs')
    .option('--inline', "they are handed over as the API's Twiml parameter and have no URL", false)
    .addOption(new Option('--method <method>', 'how URLs are asked').choices(['GET', 'POST']).default('GET'))
    .option('--domain <domain>', "the installation's base domain beside twilio.com", 'trunkline.localhost')
    .addHelpText('after', AFTER)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE))
    .action(async (inputs: string[], options: LintCommandOptions, command: Command) => {
      if (options.url !== undefined && !/^https?:\/\//i.test(options.url)) {
        command.error(`error: --url takes an absolute http or https URL, not "${options.url}"`);
      }
      if (options.url !== undefined && options.inline) {
        command.error('error: --url and --inline exclude each other');
      }
      const { lintCommand } = await import('./lint-command.ts');
      const { stdin, stdout, stderr } = process;
      const color = stdout.isTTY === true && stdout.hasColors();
      process.exitCode = await lintCommand(inputs, options, { stdin, stdout, stderr, color });
    });
}
