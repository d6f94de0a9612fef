import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { builtCommand } from '../../support/trunkline.ts';
import { until } from '../../support/until.ts';

export interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** The command as a process of its own, with this environment and nothing else of ours. */
export class LoneRole {
  readonly lines: string[] = [];
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    // PATH alone: a role must live on what its container gets.
    const environment = { PATH: process.env['PATH'] ?? '', ...env };
    const child = spawn(process.execPath, [builtCommand, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
    this.ended = new Promise((resolve) =>
      child.once('close', (code) => resolve({ code, lines: this.lines })),
    );
  }

  /** Waits until it says that it is ready; fails with what it said when it ends instead. */
  async ready(): Promise<void> {
    await until('a ready role', () => {
      if (this.#child.exitCode !== null) throw new Error(`it ended:\n${this.lines.join('\n')}`);
      return this.lines.some((line) => line.includes('"msg":"ready"'));
    });
  }

  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<Ended> {
    this.#child.kill('SIGTERM');
    return this.ended;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
