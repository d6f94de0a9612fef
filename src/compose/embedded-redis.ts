import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { type Clock, sleep } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import { NoRedis, type RedisBinary } from './redis-package.ts';

/** A Redis of our own: a child process with append-only persistence on a private loopback port. */
export interface EmbeddedRedis {
  readonly url: string;
  /** At its start; see `onRestart`. */
  readonly pid: number;
  /** Saves and ends it. */
  stop(): Promise<void>;
}

interface Options {
  /** `redis/<region>` of the home. */
  readonly directory: string;
  readonly name: string;
  readonly binary: RedisBinary;
  readonly clock: Clock;
  readonly ids: Ids;
  /** It died after it had started, and was started again on its data: same port, another `pid`. */
  readonly onRestart: (pid: number, code: number | null) => void;
  /** It died after it had started and cannot be started again. */
  readonly onExit: (code: number | null) => void;
}

const stateSchema = z.object({ pid: z.number(), port: z.number(), password: z.string() });
type State = z.infer<typeof stateSchema>;

/**
 * Starts a server on this directory, or goes on with the one an earlier start left running. Resolves when it
 * answers and has loaded its data.
 */
export async function startRedis(options: Options): Promise<EmbeddedRedis> {
  const { directory, clock } = options;
  await mkdir(directory, { recursive: true });
  const stateFile = join(directory, 'server.json');
  const left = await running(stateFile, clock);
  if (left) return embedded(left, { child: undefined, stopping: false });

  const address = { port: await freePort(), password: options.ids.token(16) };
  const server: Server = { child: undefined, stopping: false };

  const launch = async () => {
    const child = spawnServer(options, address);
    if (child.pid === undefined) throw new NoRedis(`${options.binary.path} could not be started`);
    const state = { ...address, pid: child.pid };
    await answering(state, clock, child, options.name, directory);
    child.once('exit', onDeath);
    server.child = child;
    await writeFile(stateFile, JSON.stringify(state), { mode: 0o600 });
    return state;
  };
  /** Its clients reconnect by themselves: what they wait for meanwhile is bounded, and calls go on. */
  const onDeath = (code: number | null) => {
    if (server.stopping) return;
    launch().then(
      ({ pid }) => options.onRestart(pid, code),
      () => options.onExit(code),
    );
  };
  return embedded(await launch(), server);
}

interface Server {
  /** Absent: it was started by an earlier process. */
  child: ChildProcess | undefined;
  stopping: boolean;
}

function spawnServer({ binary, directory }: Options, { port, password }: Omit<State, 'pid'>): ChildProcess {
  const child = spawn(binary.path, ['-'], {
    cwd: directory,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // a Ctrl-C in the terminal must not end it before its clients
    env: {
      ...process.env,
      ...(binary.libraries ? { LD_LIBRARY_PATH: binary.libraries } : {}),
    },
  });
  child.on('error', () => {}); // it has no pid then
  child.stdin.on('error', () => {}); // it exited before it read its configuration: the wait for it says so
  child.stdin.end(configuration(directory, port, password));
  return child;
}

function configuration(directory: string, port: number, password: string): string {
  return [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${directory}"`,
    'appendonly yes', // without it every waiting call of a killed Redis is lost
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction', // BullMQ requires it
    `logfile "${join(directory, 'redis.log')}"`,
    'daemonize no',
    '',
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free loopback port');
  return address.port;
}

const urlOf = (state: Pick<State, 'port' | 'password'>) =>
  `redis://:${state.password}@127.0.0.1:${state.port}`;

/**
 * Opens a connection for one command; resolves with what came back when it is closed: '' when nobody answered.
 * Every start waits for this, and loading a Redis client would take longer than the server itself.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/#inline-commands
 */
function ask({ port, password }: State, command: string, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = createConnection({ port, host: '127.0.0.1', ...(signal && { signal }) }, () => {
      socket.write(`AUTH ${password}\r\n${command}\r\n`);
    });
    socket.on('data', (data) => {
      heard += data.toString('latin1');
      if (/^[+-].*\r\n[+-].*\r\n/.test(heard)) socket.end(); // both answers
    });
    socket.on('error', () => {}); // closes too
    socket.once('close', () => resolve(heard));
  });
}

async function ping(state: State, clock: Clock): Promise<'ready' | 'loading' | 'away'> {
  const patience = new AbortController(); // by now another program may hold the port, and say nothing
  const timer = clock.after(1_000, () => patience.abort());
  const heard = await ask(state, 'PING', patience.signal);
  timer.cancel();
  if (heard.includes('+PONG')) return 'ready';
  return heard.includes('-LOADING') ? 'loading' : 'away';
}

async function running(stateFile: string, clock: Clock): Promise<State | undefined> {
  let state: State;
  try {
    state = stateSchema.parse(JSON.parse(await readFile(stateFile, 'utf8')));
  } catch {
    return undefined; // none was left, or its note is unreadable: a new one is started
  }
  for (;;) {
    const answer = await ping(state, clock);
    if (answer !== 'loading') return answer === 'ready' ? state : undefined;
    await sleep(clock, 50);
  }
}

async function answering(state: State, clock: Clock, child: ChildProcess, name: string, directory: string) {
  const patience = 60_000; // an append-only file of some gigabytes loads within this
  for (const start = clock.monotonic(); clock.monotonic() - start < patience; await sleep(clock, 15)) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    if ((await ping(state, clock)) === 'ready') return;
  }
  throw new NoRedis(`the embedded Redis of ${name} did not start: see ${join(directory, 'redis.log')}`);
}

function embedded(state: State, server: Server): EmbeddedRedis {
  return {
    url: urlOf(state),
    pid: state.pid,
    async stop() {
      server.stopping = true; // this end is wanted
      const { child } = server;
      const gone = child && new Promise((resolve) => child.once('exit', resolve));
      await ask(state, 'SHUTDOWN'); // answers by closing the connection
      if (child && child.exitCode === null && child.signalCode === null) await gone;
    },
  };
}
