import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Clock, SystemClock } from '../core/clock.ts';
import { RandomIds } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { RegionId } from '../region/region.ts';
import { type Credentials, loadCredentials } from './credentials.ts';
import { createLogger } from './logging.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { serveMetrics } from './metrics-endpoint.ts';
import { readSettings, type Settings, SettingsError } from './settings.ts';

export type RoleName = 'edge' | 'worker' | 'region' | 'front';

/** What a role is built from. */
export interface RoleContext {
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly clock: SystemClock;
  readonly ids: RandomIds;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** `<role>[-<region>]` and the process id: unique among running processes. */
  readonly process: string;
}

/** A running role. */
export interface Role {
  /** No new work; resolves when what is running has ended, at the latest soon after `deadline` is aborted. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** From the supervisor to a role: asks for its metrics; answers `collect` with everybody's. */
const command = z.discriminatedUnion('type', [
  z.object({ type: z.literal('metrics'), id: z.number() }),
  z.object({ type: z.literal('collected'), id: z.number(), all: z.array(z.array(z.unknown())) }),
]);

/** From a role to the supervisor. */
export const report = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('failed'), message: z.string() }),
  z.object({ type: z.literal('metrics'), id: z.number(), families: z.array(z.unknown()) }),
  z.object({ type: z.literal('collect'), id: z.number() }),
]);

/**
 * Runs one role as this process: settings, pid file, signals, the way it ends. SIGINT or SIGTERM drains it up to
 * the deadline, a second one ends it at once, and so does the loss of its supervisor.
 * @param argument reads the Region from the command line, for a role that serves one
 */
export async function runRole<Argument extends RegionId | undefined>(
  role: RoleName,
  argument: () => Argument,
  start: (context: RoleContext, region: Argument) => Promise<Role>,
): Promise<void> {
  let name: string = role;
  let logger: Logger | undefined;
  let pidFile: string | undefined;
  const exit = (code: number): never => {
    if (pidFile) rmSync(pidFile, { force: true });
    process.exit(code);
  };
  const fail = (error: unknown): never => {
    const message = error instanceof Error ? error.message : String(error);
    if (process.send) process.send({ type: 'failed', message: `${name}: ${message}` });
    else process.stderr.write(`${name}: ${message}\n`);
    if (!(error instanceof SettingsError)) logger?.error({ error }, 'start-up failed');
    return exit(1);
  };
  // The S3 client warns about Node 20 on every start; what we support is said in package.json.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  try {
    const region = argument();
    if (region !== undefined) name = `${role}-${region}`;
    const { settings, unknown } = readSettings(process.env);
    const metrics = createMetrics({ role, ...(region ? { region } : {}) });
    const log = createLogger({ role, level: settings.logLevel, ...(region ? { region } : {}) });
    logger = log;
    for (const variable of unknown)
      log.warn({ variable }, `${variable} is no setting of Trunkline: it is ignored`);
    pidFile = join(settings.home, 'run', `${name}.pid`);
    mkdirSync(join(settings.home, 'run'), { recursive: true });
    writeFileSync(pidFile, `${process.pid}\n`);
    const ids = new RandomIds();
    const credentials = await loadCredentials(settings, ids, {
      regions: region === undefined ? [] : [region],
      control: role === 'edge' || role === 'worker',
    });
    process.on('unhandledRejection', (error) => {
      log.error(
        { error },
        'a promise was rejected with nobody listening: this process ends, its supervisor restarts it',
      );
      exit(70); // EX_SOFTWARE
    });
    const clock = new SystemClock();
    const context: RoleContext = {
      settings,
      credentials,
      clock,
      ids,
      logger: log,
      metrics,
      process: `${name}-${process.pid}-${ids.token(3)}`,
    };
    const running = await start(context, region);
    const endpoint =
      settings.metrics && !process.send ? await serveMetrics(settings.metrics, metrics) : undefined;
    stopOnSignals(running, settings.drainMs, clock, log, async () => {
      await endpoint?.close();
      exit(0);
    });
    answerSupervisor(metrics);
    process.send?.({ type: 'ready' });
    log.info({}, 'ready');
  } catch (error) {
    fail(error);
  }
}

function stopOnSignals(
  running: Role,
  drainMs: number,
  clock: SystemClock,
  logger: Logger,
  done: () => Promise<void>,
): void {
  let stopping = false;
  const stop = (why: string, patience: number) => {
    if (stopping) {
      logger.warn({}, `${why} again: ending at once`);
      process.exit(1);
    }
    stopping = true;
    logger.info({ patience }, `${why}: draining`);
    const deadline = new AbortController();
    clock.after(patience, () => deadline.abort());
    clock.after(patience + 10_000, () => process.exit(1)); // our choice: clean-up itself may not hang for ever
    running
      .stop(deadline.signal)
      .catch((error: unknown) => logger.error({ error }, 'stopping failed'))
      .then(done)
      .catch(() => process.exit(1));
  };
  process.on('SIGTERM', () => stop('SIGTERM', drainMs));
  process.on('SIGINT', () => stop('SIGINT', drainMs));
  // The supervisor is gone without a word: nobody would ever stop this process.
  process.on('disconnect', () => {
    if (!stopping) stop('the supervisor is gone', 0);
  });
}

function answerSupervisor(metrics: Metrics): void {
  if (!process.send) return;
  process.on('message', (message) => {
    const parsed = command.safeParse(message);
    if (!parsed.success || parsed.data.type !== 'metrics') return;
    const { id } = parsed.data;
    metrics.registry
      .getMetricsAsJSON()
      .then((families) => process.send?.({ type: 'metrics', id, families }))
      .catch(() => {}); // the supervisor reports the missing answer
  });
}

/**
 * The metrics of every process under the same supervisor, as prom-client's JSON; undefined without a supervisor.
 */
export function everyProcessMetrics(clock: Clock): (() => Promise<unknown[][]>) | undefined {
  if (!process.send) return undefined;
  let next = 1;
  const waiting = new Map<number, (all: unknown[][]) => void>();
  process.on('message', (message) => {
    const parsed = command.safeParse(message);
    if (parsed.success && parsed.data.type === 'collected') waiting.get(parsed.data.id)?.(parsed.data.all);
  });
  return () =>
    new Promise((resolve) => {
      const id = next++;
      const settle = (all: unknown[][]) => {
        late.cancel();
        waiting.delete(id);
        resolve(all);
      };
      const late = clock.after(3_000, () => settle([]));
      waiting.set(id, settle);
      process.send?.({ type: 'collect', id });
    });
}
