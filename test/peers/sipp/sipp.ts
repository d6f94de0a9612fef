import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../support/program.ts';

export interface SippOptions {
  /** A scenario of this folder, without `.xml`. */
  readonly scenario: string;
  readonly transport: 'udp' | 'tcp';
  /** How many calls, and how many of them a second. */
  readonly calls: number;
  readonly rate?: number;
  /** For callers: where to call. */
  readonly target?: { readonly address: string; readonly port: number };
  /** For callees: where to listen. */
  readonly port: number;
  /** What stands for each `@name@` in the scenario. */
  readonly keys?: Readonly<Record<string, string>>;
}

export interface SippResult {
  /** 0: every call went as the scenario says. */
  readonly code: number | null;
  readonly failed: number;
  readonly successful: number;
  /** What sipp found unexpected. */
  readonly errors: string;
}

export interface Sipp {
  readonly done: Promise<SippResult>;
  stop(): void;
}

/** A sipp process on 127.0.0.1 that ends after its calls, or after two and a half minutes. */
export function startSipp(path: string, options: SippOptions): Sipp {
  const running = run(path, options);
  return { done: running.then(({ done }) => done), stop: () => void running.then(({ stop }) => stop()) };
}

async function run(path: string, options: SippOptions) {
  const { scenario, transport, calls, rate = 50, target, port, keys = {} } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sipp-'));
  const file = join(folder, 'scenario.xml');
  const written = await readFile(join(projectRoot(), 'test/peers/sipp', `${scenario}.xml`), 'latin1');
  await writeFile(
    file,
    written.replace(/@(\w+)@/g, (_, name: string) => keys[name] ?? ''),
  );
  const child = spawn(
    path,
    [
      ...(target ? [`${target.address}:${target.port}`] : []),
      ...[
        '-sf',
        file,
        '-i',
        '127.0.0.1',
        '-p',
        String(port),
        '-s',
        '+353155501',
        '-t',
        transport === 'udp' ? 'u1' : 't1',
      ],
      ...[
        '-m',
        String(calls),
        '-r',
        String(rate),
        '-l',
        String(10 * rate),
        '-timeout',
        '150',
        '-timeout_error',
      ],
      ...['-nostdin', '-buff_size', '4194304', '-trace_err', '-trace_stat', '-fd', '1'],
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  const done = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  }).then(async (code) => ({ code, ...(await results(folder)) }));
  return { done, stop: () => child.kill() };
}

async function results(folder: string): Promise<Omit<SippResult, 'code'>> {
  const names = await readdir(folder);
  const read = async (suffix: string) => {
    const name = names.find((n) => n.endsWith(suffix));
    return name === undefined ? '' : readFile(join(folder, name), 'latin1');
  };
  const [head = '', ...rows] = (await read('_.csv')).trim().split('\n');
  const columns = head.split(';');
  const last = rows.at(-1)?.split(';') ?? [];
  const value = (name: string) => Number(last[columns.indexOf(name)] ?? Number.NaN);
  const errors = ofCalls(await read('_errors.log')).slice(0, 2_000);
  await rm(folder, { recursive: true });
  return { failed: value('FailedCall(C)'), successful: value('SuccessfulCall(C)'), errors };
}

/**
 * What sipp says of a machine that has not let it run for half a second, and of a second answer to what it sent a second
 * time meanwhile.
 */
const OF_THE_MACHINE = [/: Overload warning: /, /: Dead call \S+ \(successful\), received 'SIP\/2\.0 200 /];

/** The entries about calls. */
function ofCalls(log: string): string {
  const [heading = '', ...entries] = log.split(/(?=\d{4}-\d\d-\d\d\s\d\d:\d\d:\d\d)/);
  const told = entries.filter((entry) => !OF_THE_MACHINE.some((known) => known.test(entry)));
  return told.length === 0 ? '' : heading + told.join('');
}
