import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { report } from './role.ts';

export interface ChildOptions {
  readonly name: string;
  readonly script: URL;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Receives each line the process writes. */
  readonly onLine: (line: string) => void;
  /** Every process's metrics, for the one that serves them all. */
  readonly collect: () => Promise<unknown[][]>;
}

const RESTART_MS = [200, 500, 1_000, 2_000, 5_000] as const;

/** A supervised process: started again when it dies, with growing patience when it keeps dying. */
export class Child {
  readonly #o: ChildOptions;
  #process: ChildProcess | undefined;
  #ready = false;
  #stopping = false;
  #failures = 0;
  #restart: Timer | undefined;
  #firstFailure: ((message: string) => void) | undefined;
  #firstReady: (() => void) | undefined;
  #queries = new Map<number, (families: unknown[]) => void>();
  #nextQuery = 1;

  constructor(options: ChildOptions) {
    this.#o = options;
  }

  get ready(): boolean {
    return this.#ready;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves when it can work; rejects with its own words when the first start fails. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#firstReady = resolve;
      this.#firstFailure = (message) => reject(new Error(message));
      this.#spawn();
    });
  }

  /** Asks it to drain and end, and ends it when it has not after `patienceMs`; `kill` ends it at once. */
  async stop(patienceMs: number): Promise<void> {
    this.#stopping = true;
    this.#restart?.cancel();
    const running = this.#process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGTERM');
    const late = this.#o.clock.after(patienceMs, () => {
      this.#o.logger.error({ process: this.#o.name, patienceMs }, `${this.#o.name} does not end: killing it`);
      running.kill('SIGKILL');
    });
    await gone;
    late.cancel();
  }

  kill(): void {
    this.#stopping = true;
    this.#process?.kill('SIGKILL');
  }

  /** Its metrics as prom-client's JSON; empty when it does not answer within a second. */
  metrics(): Promise<unknown[]> {
    const id = this.#nextQuery++;
    const child = this.#process;
    if (!child?.connected) return Promise.resolve([]);
    return new Promise((resolve) => {
      const settle = (families: unknown[]) => {
        late.cancel();
        this.#queries.delete(id);
        resolve(families);
      };
      const late = this.#o.clock.after(1_000, () => settle([]));
      this.#queries.set(id, settle);
      child.send({ type: 'metrics', id });
    });
  }

  #spawn(): void {
    const { script, args, env } = this.#o;
    // Its own process group: a Ctrl-C in the terminal reaches the supervisor alone, which drains in order.
    const child = fork(script, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', this.#o.onLine);
    }
    child.on('message', (message) => this.#hear(message));
    child.once('exit', (code, signal) => this.#exited(code, signal));
    child.once('error', (error) => this.#firstFailure?.(`${this.#o.name}: ${error.message}`));
  }

  #hear(message: unknown): void {
    const parsed = report.safeParse(message);
    if (!parsed.success) return;
    const news = parsed.data;
    if (news.type === 'ready') {
      this.#ready = true;
      this.#firstReady?.();
      this.#firstFailure = undefined;
    } else if (news.type === 'failed') {
      this.#firstFailure?.(news.message);
      this.#o.logger.error({ process: this.#o.name }, news.message);
    } else if (news.type === 'collect') {
      this.#collect(news.id);
    } else {
      this.#queries.get(news.id)?.(news.families);
    }
  }

  #collect(id: number): void {
    const answer = (all: unknown[][]) => {
      if (this.#process?.connected) this.#process.send({ type: 'collected', id, all });
    };
    this.#o.collect().then(answer, () => answer([]));
  }

  #exited(code: number | null, signal: string | null): void {
    const wasReady = this.#ready;
    this.#ready = false;
    if (this.#stopping) return;
    this.#firstFailure?.(`${this.#o.name} ended during its start (${signal ?? `exit code ${code}`})`);
    this.#failures = wasReady ? 0 : this.#failures + 1;
    const wait = RESTART_MS[Math.min(this.#failures, RESTART_MS.length - 1)] ?? 0;
    this.#o.logger.error(
      { process: this.#o.name, code, signal, wait },
      `${this.#o.name} died: starting it again`,
    );
    this.#restart = this.#o.clock.after(wait, () => this.#spawn());
  }
}
