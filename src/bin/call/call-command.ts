import { Command, Option } from 'commander';
import { SystemClock } from '../../core/clock.ts';
import { RandomIds } from '../../core/ids.ts';
import { addSteps, checked, checkWritable, readDuration, readStart } from '../phone/arguments.ts';
import type { Start } from '../phone/script.ts';
import { type PhoneIo, summary, Terminal, timestamp } from '../phone/terminal.ts';
import { type CallPlan, readCaller, readEdge, readTarget } from './call-plan.ts';
import { placeCall } from './phone.ts';

/** A number that nobody has: NANP reserves 555-0100 to 555-0199 for fiction. */
const DEFAULT_CALLER = '+15550100099';

const DEFAULT_SIP = '127.0.0.1:5060';

export interface CallIo extends PhoneIo {
  /** The first SIP address of this installation (`TRUNKLINE_SIP`); 127.0.0.1:5060 when absent. */
  readonly sip?: string;
}

interface Options {
  readonly edge?: ReturnType<typeof readEdge>;
  readonly hear?: string;
  readonly from: Pick<CallPlan, 'caller' | 'from'>;
  readonly after: Start;
  readonly max: number;
  readonly sip?: string;
}

/**
 * `trunkline call`: a telephone on the command line. Says what happens line by line; resolves with the exit code: 0
 * when the call was answered, 1 otherwise.
 */
export async function callCommand(args: readonly string[], io: CallIo): Promise<number> {
  const terminal = new Terminal(io);
  return terminal.run(async () => run(await readPlan(args, io.sip ?? DEFAULT_SIP, terminal), terminal));
}

async function readPlan(args: readonly string[], defaultSip: string, terminal: Terminal): Promise<CallPlan> {
  const command = describe(defaultSip)
    .exitOverride()
    .configureOutput({ writeOut: terminal.write, writeErr: terminal.complain });
  const loadSteps = addSteps(command, 'callee');
  command.parse([...args], { from: 'user' });
  const options = command.opts<Options>();
  const [callee = ''] = command.args;
  const target = readTarget(callee, { edge: options.edge, sip: options.sip }, defaultSip);
  const actions = await loadSteps();
  if (options.hear !== undefined) await checkWritable(options.hear);
  return {
    ...target,
    ...options.from,
    start: options.after,
    actions,
    hear: options.hear,
    maxMs: options.max,
  };
}

function describe(defaultSip: string): Command {
  return new Command('trunkline call')
    .description('Calls a number or a SIP URI over UDP, says what happens, and saves what it hears.')
    .argument('<callee>', 'a number in E.164 such as +35315550100, or a SIP URI')
    .option('--edge <edge>', 'the Edge Location the call comes in at (default: ashburn)', checked(readEdge))
    .addOption(
      new Option('--after <time>', 'when to press and play: a time after the answer, or "silence"')
        .argParser(checked(readStart))
        .default({ afterMs: 1_000 }, '1s'),
    )
    .option('--hear <file>', 'where to save what the callee says: WAV, 8 kHz')
    .addOption(
      new Option('--from <caller>', 'a number, a name or a SIP URI')
        .argParser(checked(readCaller))
        .default(readCaller(DEFAULT_CALLER), DEFAULT_CALLER),
    )
    .addOption(
      new Option('--max <time>', 'hang up after this long')
        .argParser(checked(readDuration))
        .default(60_000, '60s'),
    )
    .option('--sip <host:port>', `the first SIP address of Trunkline (default: ${defaultSip})`)
    .addHelpText(
      'after',
      '\n--press and --play may be repeated; they happen in the order given. Ctrl-C hangs up.',
    );
}

async function run(plan: CallPlan, terminal: Terminal): Promise<number> {
  const clock = new SystemClock();
  const startedAt = clock.monotonic();
  const { callee, caller, edge } = plan;
  terminal.say(`Calling ${callee} from ${caller}${edge ? ` through the edge ${edge}` : ''}.`);
  using hangUp = terminal.hangUpSignal();
  const result = await placeCall(plan, {
    clock,
    ids: new RandomIds(),
    report: (text) => terminal.say(`${timestamp(clock.monotonic() - startedAt)}  ${text}`),
    interrupt: hangUp.signal,
  });
  if (!result.answered) {
    terminal.complain(`${result.why}\n`);
    return 1;
  }
  terminal.say(summary(result));
  return plan.hear === undefined || (await terminal.save(plan.hear, result)) ? 0 : 1;
}
