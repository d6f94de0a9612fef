import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Attack {
  /** Path of `svmap`, `svwar` or `svcrack`. */
  readonly tool: string;
  readonly target: { readonly host: string; readonly port: number };
  readonly options: readonly string[];
  /** Words to try, in this order. */
  readonly dictionary?: readonly string[];
}

/** A tool that is refused in a way it does not expect goes on for ever. */
const LONGEST_MS = 60_000;

/**
 * Runs a tool of sipvicious in a home of its own: it keeps its sessions there. It ends when it has tried everything,
 * has found what it looked for, or after a minute of trying.
 *
 * @returns what it printed, without colours
 */
export async function attack({ tool, target, options, dictionary }: Attack): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'sipvicious-'));
  try {
    const words = join(home, 'words.txt');
    if (dictionary) await writeFile(words, `${dictionary.join('\n')}\n`);
    const dictionaryOptions = dictionary ? ['-d', words] : [];
    const child = spawn(
      tool,
      [...options, ...dictionaryOptions, '-b', '127.0.0.1', '-p', String(target.port), target.host],
      {
        cwd: home,
        env: { ...process.env, HOME: home, XDG_DATA_HOME: home },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        printed += data.toString('latin1');
      });
    }
    const end = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    }).finally(() => clearTimeout(end));
    return printed.replace(/\u001b\[[0-9;]*m/g, '');
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
