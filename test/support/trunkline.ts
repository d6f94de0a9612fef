import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from './program.ts';

export const builtCommand = join(projectRoot(), 'dist/src/bin/trunkline.js');

/** A real `trunkline start` of the built program, in a home and on ports of its own. */
export interface RunningTrunkline {
  readonly home: string;
  readonly process: ChildProcess;
  readonly sip: { readonly host: string; readonly port: number };
  /** Port of the front; the services of us1, ie1 and au1 follow. */
  readonly httpPort: number;
  readonly accountSid: string;
  readonly tokens: Readonly<Record<string, string>>;
  /** Everything it has printed so far. */
  readonly output: readonly string[];
  /** Resolves with the first printed line, past or future, that matches. */
  line(pattern: RegExp, withinMs?: number): Promise<string>;
  /** SIGTERM, and waits for the end; the home stays unless it was made here. */
  stop(): Promise<number | null>;
}

export interface StartOptions {
  readonly home?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts it on random free ports; a clash with another test is tried again elsewhere. */
export async function startTrunkline(options: StartOptions = {}): Promise<RunningTrunkline> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      if (attempt >= 5 || !(error instanceof Error) || !error.message.includes('is taken')) throw error;
    }
  }
}

async function startOnce({ home: given, env = {} }: StartOptions): Promise<RunningTrunkline> {
  const home = given ?? mkdtempSync(join(tmpdir(), 'trunkline-'));
  const base = 20_000 + 100 * Math.floor(Math.random() * 100);
  const child = spawn(process.execPath, [builtCommand, 'start'], {
    env: {
      ...process.env,
      TRUNKLINE_HOME: home,
      TRUNKLINE_SIP: `127.0.0.1:${base}`,
      TRUNKLINE_HTTP: `127.0.0.1:${base + 50}`,
      TRUNKLINE_RTP: '30000-60000',
      TRUNKLINE_DRAIN_MS: '3000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  const watchers = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (text) => {
      output.push(text);
      for (const watch of watchers) watch(text);
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));

  const line = (pattern: RegExp, withinMs = 120_000): Promise<string> =>
    new Promise((resolve, reject) => {
      const found = output.find((text) => pattern.test(text));
      if (found !== undefined) return resolve(found);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        watchers.delete(watch);
        act();
      };
      const watch = (text: string) => {
        if (pattern.test(text)) settle(() => resolve(text));
      };
      const tell = (why: string) =>
        settle(() => reject(new Error(`${why} before ${pattern}:\n${output.slice(-40).join('\n')}`)));
      const timer = setTimeout(() => tell(`${withinMs} ms passed`), withinMs);
      watchers.add(watch);
      exited.then((code) => tell(`it ended with ${code}`)).catch(() => {});
    });

  await line(/^ready /);
  const value = (name: string) => {
    const row = output.find((text) => text.trim().startsWith(name));
    return row?.trim().slice(name.length).trim() ?? '';
  };
  return {
    home,
    process: child,
    sip: { host: '127.0.0.1', port: base },
    httpPort: base + 50,
    accountSid: value('Account SID'),
    tokens: Object.fromEntries(
      ['us1', 'ie1', 'au1'].map((region) => [region, value(`Auth token ${region}`)]),
    ),
    output,
    line,
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM');
      const code = await exited;
      if (given === undefined) rmSync(home, { recursive: true, force: true });
      return code;
    },
  };
}
