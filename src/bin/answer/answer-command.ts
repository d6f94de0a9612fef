import { Command, Option } from 'commander';
import { SystemClock } from '../../core/clock.ts';
import { RandomIds } from '../../core/ids.ts';
import {
  addSteps,
  checked,
  checkWritable,
  readAddress,
  readDuration,
  readStart,
} from '../phone/arguments.ts';
import { type PhoneIo, Terminal, timestamp } from '../phone/terminal.ts';
import {
  type AnswerPlan,
  readCount,
  readCredentials,
  readHeader,
  readStatus,
  readTransport,
} from './answer-plan.ts';
import { takeCalls } from './switchboard.ts';

/** Above the ports of the edges, 5060 to 5091. */
const DEFAULT_SIP = '127.0.0.1:5099';

export interface AnswerIo extends PhoneIo {
  /** Where to listen when nothing else is said: where the demo of this installation calls. */
  readonly sip?: string;
}

interface Options {
  readonly sip: AnswerPlan['at'];
  readonly transport?: 'udp' | 'tcp';
  readonly after: number;
  readonly early: boolean;
  readonly status?: number;
  readonly hear?: string;
  readonly user?: string;
  readonly password?: string;
  readonly header: Readonly<Record<string, string>>;
  readonly max: number;
  readonly once: boolean;
  readonly calls?: number;
}

/**
 * `trunkline answer`: a telephone on the command line that waits for calls. Says line by line what arrives; resolves
 * with the exit code: 0 once it was told to stop or all its calls were taken, 1 when it could not listen or save.
 */
export async function answerCommand(args: readonly string[], io: AnswerIo): Promise<number> {
  const terminal = new Terminal(io);
  return terminal.run(async () => run(await readPlan(args, terminal, io.sip ?? DEFAULT_SIP), terminal));
}

async function readPlan(args: readonly string[], terminal: Terminal, sip: string): Promise<AnswerPlan> {
  const command = describe(sip)
    .exitOverride()
    .configureOutput({ writeOut: terminal.write, writeErr: terminal.complain });
  const loadSteps = addSteps(command, 'caller');
  command.parse([...args], { from: 'user' });
  const options = command.opts<Options>();
  const credentials = readCredentials(options.user, options.password);
  const actions = await loadSteps();
  if (options.hear !== undefined) await checkWritable(options.hear);
  return {
    at: options.sip,
    transports: options.transport ? [options.transport] : ['udp', 'tcp'],
    ringMs: options.after,
    early: options.early,
    status: options.status,
    actions,
    hear: options.hear,
    credentials,
    headers: options.header,
    maxMs: options.max,
    calls: options.once ? 1 : (options.calls ?? Number.POSITIVE_INFINITY),
  };
}

function describe(sip: string): Command {
  return new Command('trunkline answer')
    .description('Waits for SIP calls, answers or refuses them, says what happens, and saves what it hears.')
    .addOption(
      new Option('--sip <host:port>', 'where to listen')
        .argParser(checked(readAddress))
        .default(readAddress(sip), sip),
    )
    .option('--transport <transport>', 'udp or tcp (default: both)', checked(readTransport))
    .addOption(
      new Option('--after <time>', 'how long it rings').argParser(checked(readRinging)).default(1_000, '1s'),
    )
    .option('--early', 'begins to play and press while it rings, as early media', false)
    .option('--status <status>', 'refuses with this SIP status once it has rung', checked(readStatus))
    .option('--hear <file>', 'where to save what the caller says: WAV, 8 kHz')
    .option('--user <name>', 'callers must know this name, by digest')
    .option('--password <password>', 'and this password')
    .option(
      '--header <name=value>',
      'a header of the responses; may be repeated',
      (text: string, before: Readonly<Record<string, string>>) =>
        checked((one) => readHeader(one, before))(text),
      {},
    )
    .addOption(
      new Option('--max <time>', 'hang up after this long')
        .argParser(checked(readDuration))
        .default(60_000, '60s'),
    )
    .addOption(new Option('--once', 'end after one call').default(false).conflicts('calls'))
    .option('--calls <n>', 'end after this many calls', checked(readCount))
    .addHelpText(
      'after',
      '\n--press and --play may be repeated; they happen in the order given, for every call anew. --hear saves the\n' +
        'second call in <file>-2, and so on. Ctrl-C hangs up and ends.',
    );
}

/** 0 is at once. */
function readRinging(text: string): number {
  const start = readStart(text);
  return start === 'silence' ? readDuration(text) : start.afterMs;
}

async function run(plan: AnswerPlan, terminal: Terminal): Promise<number> {
  const clock = new SystemClock();
  const startedAt = clock.monotonic();
  using stop = terminal.hangUpSignal();
  return takeCalls(plan, {
    clock,
    ids: new RandomIds(),
    terminal,
    report: (text) => terminal.say(`${timestamp(clock.monotonic() - startedAt)}  ${text}`),
    interrupt: stop.signal,
  });
}
