import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { SystemClock } from '../core/clock.ts';
import { RandomIds } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { RegionId } from '../region/region.ts';
import { startBanner } from './banner.ts';
import { Child } from './child.ts';
import { childEnvironment } from './child-environment.ts';
import { type Credentials, loadCredentials } from './credentials.ts';
import { currentCredentials } from './current-tokens.ts';
import { demoNumbers } from './demo-numbers.ts';
import { seedDemo } from './demo-seed.ts';
import { type EmbeddedRedis, startRedis } from './embedded-redis.ts';
import { lineWriter } from './log-lines.ts';
import { createLogger } from './logging.ts';
import { demoAddress, takenPort } from './ports.ts';
import { findRedis } from './redis-package.ts';
import { demoPhone, readSettings, type Settings, SettingsError } from './settings.ts';
import { speechToText } from './speech.ts';

/** Everything of a start on one machine that has to be stopped again. */
interface Running {
  readonly redis: EmbeddedRedis[];
  edge: Child | undefined;
  readonly workers: Child[];
  readonly services: Child[];
  demo: Server | undefined;
}

/**
 * `trunkline start`: every role on this machine as a process of its own, supervised. Resolves when calls can be
 * taken, after printing how to place one; the process then lives until it is told to stop.
 * @param scripts folder of the process entry points
 */
export async function start(scripts: URL): Promise<void> {
  const clock = new SystemClock();
  const ids = new RandomIds();
  const writeLine = lineWriter(process.stdout);
  let logger: Logger | undefined;
  const running: Running = { redis: [], edge: undefined, workers: [], services: [], demo: undefined };
  let lock: string | undefined;
  try {
    const { settings, unknown } = readSettings(process.env);
    speechToText(settings, clock); // says at once what is missing
    logger = createLogger({ role: 'start', level: settings.logLevel });
    for (const name of unknown)
      logger.warn({ variable: name }, `${name} is no setting of Trunkline: it is ignored`);
    lock = takeLock(settings.home);
    const taken = await takenPort(settings);
    if (taken) throw taken;
    const credentials = await loadCredentials(settings, ids, { regions: settings.regions, control: true });
    const stopping = supervise(running, settings, logger, () => release(lock));
    const redisUrls = await startStores(settings, running, { clock, ids, logger, stopping });
    await startProcesses({ settings, credentials, redisUrls, running, scripts, clock, logger, writeLine });
    const current = await currentCredentials(credentials, redisUrls, { clock, ids, logger });
    if (settings.demo) {
      // Only now: loading an HTTP server must not keep the other processes waiting.
      const { serveDemo } = await import('./demo-application.ts');
      running.demo = await serveDemo(demoAddress(settings), demoPhone(settings.sip));
      await seedDemo(settings, current, demoNumbers(settings.regions));
    }
    process.stdout.write(startBanner(settings, current, settings.demo ? demoNumbers(settings.regions) : []));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`trunkline start: ${message}\n`);
    for (const child of everyChild(running)) child.kill();
    await Promise.allSettled(running.redis.map((redis) => redis.stop()));
    release(lock);
    process.exit(1);
  }
}

/** One start per home: two would fight over its Redis. */
function takeLock(home: string): string {
  const path = join(home, 'run', 'start.pid');
  try {
    mkdirSync(join(home, 'run'), { recursive: true });
    accessSync(join(home, 'run'), constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new SettingsError(
      `TRUNKLINE_HOME is ${home}, where nothing can be written (${why}): set it to another directory`,
    );
  }
  if (existsSync(path)) {
    const pid = Number(readFileSync(path, 'utf8'));
    if (pid > 0 && pid !== process.pid && alive(pid) && isTrunkline(pid)) {
      throw new SettingsError(
        `Trunkline already runs in ${home} (process ${pid}): stop it, or set TRUNKLINE_HOME to another directory`,
      );
    }
  }
  writeFileSync(path, `${process.pid}\n`);
  return path;
}

function release(lock: string | undefined): void {
  if (lock) rmSync(lock, { force: true });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Pids are given out again, after a restart of the machine or of a container. Where one cannot look, it counts. */
function isTrunkline(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('trunkline');
  } catch {
    return true; // no such file outside Linux
  }
}

const everyChild = (running: Running): Child[] => [
  ...(running.edge ? [running.edge] : []),
  ...running.workers,
  ...running.services,
];

async function startStores(
  settings: Settings,
  running: Running,
  parts: { clock: SystemClock; ids: RandomIds; logger: Logger; stopping: () => boolean },
): Promise<Map<RegionId, string>> {
  const urls = new Map<RegionId, string>();
  const missing = settings.regions.filter((region) => {
    const url = settings.region[region].redisUrl;
    if (url) urls.set(region, url);
    return url === undefined;
  });
  if (missing.length === 0) return urls;
  const binary = await findRedis(settings.home, process.env, parts.logger);
  await Promise.all(
    missing.map(async (region) => {
      const writePid = (pid: number) =>
        writeFileSync(join(settings.home, 'run', `redis-${region}.pid`), `${pid}\n`);
      const redis = await startRedis({
        ...parts,
        binary,
        name: region,
        directory: join(settings.home, 'redis', region),
        onRestart: (pid, code) => {
          parts.logger.error({ region, code }, `the embedded Redis of ${region} died and was started again`);
          writePid(pid);
        },
        onExit: (code) => {
          if (parts.stopping()) return;
          // Its data is on disk; its clients wait. Going on without it would lose what they write.
          parts.logger.error(
            { region, code },
            `the embedded Redis of ${region} died and cannot be started again: stopping; its redis.log says why`,
          );
          process.kill(process.pid, 'SIGTERM');
        },
      });
      running.redis.push(redis);
      writePid(redis.pid);
      urls.set(region, redis.url);
    }),
  );
  return urls;
}

async function startProcesses(parts: {
  settings: Settings;
  credentials: Credentials;
  redisUrls: ReadonlyMap<RegionId, string>;
  running: Running;
  scripts: URL;
  clock: SystemClock;
  logger: Logger;
  writeLine: (line: string) => void;
}): Promise<void> {
  const { settings, running, scripts, clock, logger } = parts;
  const child = (role: 'edge' | 'call-worker' | 'region' | 'front', region?: RegionId): Child =>
    new Child({
      name: region ? `${role} of ${region}` : role,
      script: new URL(`${role}.js`, scripts),
      args: region ? [region] : [],
      env: childEnvironment(process.env, { ...parts, role, region }),
      clock,
      logger,
      onLine: parts.writeLine,
      collect: async () => Promise.all(everyChild(running).map((one) => one.metrics())),
    });
  running.edge = child('edge');
  for (const region of settings.regions) {
    running.workers.push(child('call-worker', region));
    running.services.push(child('region', region));
  }
  running.services.push(child('front'));
  await Promise.all(everyChild(running).map((one) => one.start()));
}

/** Our choice: a process whose deadline for draining and clean-up has passed by this much hangs. */
const STUCK_MS = 15_000;

/** Drains in order on the first signal, ends everything at once on the second. Returns whether it is stopping. */
function supervise(running: Running, settings: Settings, logger: Logger, done: () => void): () => boolean {
  let stopping = false;
  let ending = false;
  const patience = settings.drainMs + STUCK_MS;
  const stop = async () => {
    // The edge takes no new calls and, with the workers, sees the live ones out; then what stores their ends.
    await Promise.all(
      [...(running.edge ? [running.edge] : []), ...running.workers].map((child) => child.stop(patience)),
    );
    await Promise.all(running.services.map((child) => child.stop(patience)));
    running.demo?.closeAllConnections();
    running.demo?.close();
    await Promise.allSettled(running.redis.map((redis) => redis.stop()));
    for (const region of settings.regions)
      rmSync(join(settings.home, 'run', `redis-${region}.pid`), { force: true });
    done();
    process.exit(ending ? 1 : 0);
  };
  const onSignal = (signal: string) => {
    if (ending) process.exit(1);
    if (stopping) {
      // The stop that is under way then ends Redis, which nobody else would ever do, and this process.
      ending = true;
      for (const child of everyChild(running)) child.kill();
      return;
    }
    stopping = true;
    logger.info(
      { drain_ms: settings.drainMs },
      `${signal}: no new calls; live ones have ${settings.drainMs / 1000} s (again: end at once)`,
    );
    stop().catch((error: unknown) => {
      logger.error({ error }, 'stopping failed');
      process.exit(1);
    });
  };
  process.on('SIGINT', () => onSignal('SIGINT'));
  process.on('SIGTERM', () => onSignal('SIGTERM'));
  return () => stopping;
}
