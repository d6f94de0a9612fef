import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../core/logger.ts';

const SERVERS = ['redis-server', 'valkey-server'];
const PATIENCE_MS = 300_000; // our choice: a slow line fetches the packages (3 MB, lists 9 MB) within this

/** A Redis server that can be started. */
export interface RedisBinary {
  readonly path: string;
  /** Value of LD_LIBRARY_PATH for libraries that came with it, when it was unpacked rather than installed. */
  readonly libraries: string | undefined;
}

/** No Redis can be had on this machine; the message says which command gets one. */
export class NoRedis extends Error {
  override name = 'NoRedis';
}

/**
 * Finds a Redis server, getting one when it must: PATH, then what an earlier start unpacked, then the package
 * manager where that needs no password, then Debian's packages unpacked into the home.
 * @param environment whose PATH is searched; package managers run in it
 * @throws NoRedis
 */
export async function findRedis(
  home: string,
  environment: NodeJS.ProcessEnv,
  logger: Logger,
): Promise<RedisBinary> {
  const folders = searched(environment['PATH'] ?? '');
  const unpacked = join(home, 'redis', 'package');
  const look = async (): Promise<RedisBinary | undefined> => {
    const path = await firstOf(folders, SERVERS);
    return path === undefined ? fromPackage(unpacked) : { path, libraries: undefined };
  };
  const present = await look();
  if (present) return present;

  const env = {
    ...environment,
    PATH: folders.join(delimiter),
    LC_ALL: 'C',
    DEBIAN_FRONTEND: 'noninteractive',
  };
  const problems: string[] = [];
  for (const { words, act } of await waysToGetOne(folders, unpacked, env)) {
    logger.info({}, `no redis-server found: ${words}`);
    try {
      await act();
    } catch (error) {
      problems.push(lastWords(error));
    }
    const found = await look();
    if (found) return found;
  }
  const why = problems.length > 0 ? ` (${problems.join('; ')})` : '';
  throw new NoRedis(
    `no Redis found: neither redis-server nor valkey-server is on PATH and none could be installed${why}. ` +
      'Install one (Debian and Ubuntu: sudo apt-get install redis-server; macOS: brew install redis) or set REDIS_URL.',
  );
}

interface Way {
  readonly words: string;
  readonly act: () => Promise<void>;
}

/** What can be tried on this machine, best first. */
async function waysToGetOne(
  folders: readonly string[],
  unpacked: string,
  env: NodeJS.ProcessEnv,
): Promise<Way[]> {
  const apt = await firstOf(folders, ['apt-get']);
  const brew = await firstOf(folders, ['brew']);
  const ways: Way[] = [];
  if (apt && process.getuid?.() === 0) {
    ways.push({ words: 'installing it with apt-get install redis-server', act: () => install(apt, env) });
  }
  if (brew) {
    ways.push({
      words: 'installing it with brew install redis',
      act: async () => void (await run(brew, ['install', 'redis'], { env })),
    });
  }
  if (apt) {
    ways.push({
      words: `unpacking the system's package into ${unpacked}`,
      act: () => unpack(apt, unpacked, env),
    });
  }
  return ways;
}

/** sbin and Homebrew's folder are not on every user's PATH, yet servers are installed there. */
function searched(path: string): string[] {
  const extra = ['/usr/local/bin', '/usr/sbin', '/sbin', '/opt/homebrew/bin'];
  return [...new Set([...path.split(delimiter).filter((folder) => folder !== ''), ...extra])];
}

async function firstOf(folders: readonly string[], names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of folders) {
      const file = join(folder, name);
      if (await executable(file)) return file;
    }
  }
  return undefined;
}

async function executable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const execute = promisify(execFile);

async function run(
  file: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd?: string },
): Promise<string> {
  const { stdout } = await execute(file, args, { ...options, timeout: PATIENCE_MS, maxBuffer: 2 ** 24 });
  return stdout;
}

/** The line of a failed command that says why; apt's begins with "E: ". */
function lastWords(error: unknown): string {
  const printed: unknown = error instanceof Error && 'stderr' in error ? error.stderr : undefined;
  const lines = typeof printed === 'string' ? printed.split('\n').filter((line) => line.trim() !== '') : [];
  const line = lines.find((one) => one.startsWith('E: ')) ?? lines.at(-1);
  return line?.trim() ?? (error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
}

const PATIENT = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20'];

async function install(apt: string, env: NodeJS.ProcessEnv): Promise<void> {
  // A machine just started is often still upgrading itself and holds the lock.
  const options = [...PATIENT, '-o', 'DPkg::Lock::Timeout=60'];
  await afterUpdate(apt, options, env, () =>
    run(apt, [...options, 'install', '-y', '--no-install-recommends', 'redis-server'], { env }),
  );
}

/** One broken package source among several does not matter; when `act` fails too, it is the reason. */
async function afterUpdate(
  apt: string,
  options: readonly string[],
  env: NodeJS.ProcessEnv,
  act: () => Promise<unknown>,
): Promise<void> {
  let failure: unknown;
  await run(apt, [...options, 'update', '--error-on=any'], { env }).catch((error: unknown) => {
    failure = error;
  });
  await act().catch((error: unknown) => {
    throw failure ?? error;
  });
}

/**
 * Unpacks redis-server and what this machine lacks for it. All of it or nothing: the folder appears when the
 * server in it has been seen to run.
 */
async function unpack(apt: string, into: string, env: NodeJS.ProcessEnv): Promise<void> {
  await mkdir(join(into, '..'), { recursive: true });
  const scratch = await mkdtemp(`${into}-`);
  try {
    await download(apt, [], scratch, env).catch(async () => {
      // The system's package lists are missing or out of date, and only root may renew them: have our own.
      const lists = join(scratch, 'apt');
      await mkdir(join(lists, 'lists', 'partial'), { recursive: true });
      await mkdir(join(lists, 'cache', 'archives', 'partial'), { recursive: true });
      const own = [
        '-o',
        `Dir::State::lists=${join(lists, 'lists')}`,
        '-o',
        `Dir::Cache=${join(lists, 'cache')}`,
      ];
      await afterUpdate(apt, [...PATIENT, ...own], env, () => download(apt, own, scratch, env));
      await rm(lists, { recursive: true });
    });
    for (const file of await readdir(scratch)) {
      if (!file.endsWith('.deb')) continue;
      await run('dpkg', ['-x', join(scratch, file), scratch], { env });
      await rm(join(scratch, file));
    }
    const binary = await fromPackage(scratch);
    if (!binary) throw new Error('the package has no usr/bin/redis-server');
    await run(binary.path, ['--version'], { env: { ...env, LD_LIBRARY_PATH: binary.libraries } });
    await rm(into, { recursive: true, force: true });
    await rename(scratch, into);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Downloads redis-server, redis-tools (which holds the binary) and those of their dependencies that are missing. */
async function download(
  apt: string,
  options: readonly string[],
  into: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const simulate = ['install', '--simulate', '--no-install-recommends', 'redis-server'];
  const plan = await run(apt, [...options, ...simulate], { env });
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  const names = new Set(['redis-server', 'redis-tools', ...missing]);
  names.delete('libc6'); // must be the one that belongs to the system's own loader
  await run(apt, [...PATIENT, ...options, 'download', ...names], { env, cwd: into });
}

async function fromPackage(root: string): Promise<RedisBinary | undefined> {
  const path = join(root, 'usr', 'bin', 'redis-server');
  if (!(await executable(path))) return undefined;
  const folders = await Promise.all([join(root, 'usr', 'lib'), join(root, 'lib')].map(librariesBelow));
  return { path, libraries: folders.flat().join(delimiter) };
}

/** Debian's folders of shared libraries: usr/lib/x86_64-linux-gnu and the like. */
async function librariesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) =>
    entry.isDirectory() && entry.name.includes('-linux-') ? [join(folder, entry.name)] : [],
  );
}
