import { Redis } from 'ioredis';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { Outage, PATIENCE_MS } from '../../core/outage.ts';

/** Our choice: how long a producer waits for Redis before it says so; an edge answers 503 then. */
export const ADD_TIMEOUT_MS = PATIENCE_MS;

/** Our choice: reconnects within a second of Redis being back. */
const LONGEST_RECONNECT_MS = 1_000;

/** Our choice: how long closing waits for Redis to take what is being written. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface QueueConnection {
  readonly redis: Redis;
  readonly outage: Outage;
  /** Ends the connection once `work` is done, or after a second when Redis does not let it finish. */
  close(clock: Clock, work: Promise<unknown>): Promise<void>;
}

/**
 * A connection as BullMQ needs it: commands are never given up, because its blocking reads and its scripts
 * resume after a reconnect. Bounds on waiting are ours, see `bounded`.
 *
 * @see https://docs.bullmq.io/guide/connections#maxretriesperrequest
 */
export function connectQueue(url: string, name: string, logger: Logger): QueueConnection {
  let ending = false;
  let away = false;
  const redis = new Redis(url, {
    connectionName: name,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => (ending ? null : Math.min(25 * 2 ** attempt, LONGEST_RECONNECT_MS)),
  });
  redis.on('error', (error: Error) => {
    if (!away) logger.warn({ err: error, queue: name }, 'Redis is not reachable; reconnecting');
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.info({ queue: name }, 'Redis is back');
    away = false;
    if (ending) redis.disconnect();
  });
  return {
    redis,
    outage: new Outage(`the Redis of ${name}`, redis),
    async close(clock, work) {
      await settled(work, clock, CLOSE_TIMEOUT_MS);
      ending = true;
      // Between two attempts `disconnect` would leave commands pending for ever; the next attempt ends them.
      if (redis.status !== 'reconnecting') redis.disconnect();
    },
  };
}

/** Resolves when `work` has settled, whatever its result, or after `ms`. */
function settled(work: Promise<unknown>, clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const deadline = clock.after(ms, resolve);
    const done = () => {
      deadline.cancel();
      resolve();
    };
    work.then(done, done);
  });
}

/**
 * Runs `work` once Redis is connected; rejects after `ms` in all, and at once when Redis has been away for a while. Work that did not begin by then never does, so
 * an outage leaves no pile of stale commands behind. Work that did begin may still take effect after the rejection:
 * a command on its way when the connection breaks is sent again by the next one. Whoever adds must therefore bear
 * with a job that arrives late: jobs have ids, and an edge refuses the claim of a call that it has ended.
 */
export function bounded<T>(
  { redis, outage }: QueueConnection,
  clock: Clock,
  ms: number,
  work: () => Promise<T>,
): Promise<T> {
  const away = outage.errorWhen(redis.status === 'ready');
  if (away) return Promise.reject(away);
  return new Promise<T>((resolve, reject) => {
    const begin = () => {
      redis.off('ready', begin);
      outage.asked();
      work()
        .then(resolve, reject)
        .finally(() => deadline.cancel());
    };
    const deadline = clock.after(ms, () => {
      redis.off('ready', begin);
      reject(new Error(`Redis did not answer within ${ms} ms (connection is ${redis.status})`));
    });
    if (redis.status === 'ready') begin();
    else redis.on('ready', begin);
  });
}
