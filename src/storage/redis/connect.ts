import { Redis } from 'ioredis';
import type { Logger } from '../../core/logger.ts';
import { Outage, PATIENCE_MS } from '../../core/outage.ts';

/** Our choice: reconnects within a second of Redis being back, without hammering a host that is down. */
const LONGEST_RECONNECT_MS = 1_000;

/** Our choice: a command that has not been answered by then is treated as failed; callers have deadlines too. */
const COMMAND_TIMEOUT_MS = PATIENCE_MS;

/**
 * Our choice: a connection that has said nothing for so long, with a command unanswered, leads nowhere (its peer is
 * gone and nobody closed it) and is replaced. TCP by itself may take a quarter of an hour to notice.
 */
const SILENCE_MS = 5_000;

/** Delay before the n-th attempt to reconnect, milliseconds. */
export function reconnectDelay(attempt: number): number {
  return Math.min(25 * 2 ** attempt, LONGEST_RECONNECT_MS);
}

/** Reports an outage once when it begins and once when it is over, not once per attempt. */
export function logOutages(redis: Redis, name: string, logger: Logger): void {
  let away = false;
  redis.on('error', (error: Error) => {
    if (!away) logger.warn({ err: error, redis: name }, 'Redis is not reachable; reconnecting');
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.info({ redis: name }, 'Redis is back');
    away = false;
  });
}

/** What ioredis itself sends to make a new connection ready. */
const HANDSHAKE: ReadonlySet<string> = new Set(['hello', 'auth', 'client', 'select', 'info', 'readonly']);

/**
 * Writes the commands of one turn of the event loop together: a system call each is a fifth of what a REGISTER costs.
 * Their order stays, and what was not written when a connection breaks is sent again as ever.
 *
 * A command waits for a connection that was just lost, but not for one that has been gone, or silent, for longer: a
 * request of the API takes several, one after the other, and each would wait anew.
 */
class GatheringRedis extends Redis {
  readonly #outage = new Outage(`the Redis of ${this.options.connectionName}`, this);

  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    const [asked] = command;
    const isReady = this.status === 'ready';
    const refused = this.#isOwn(asked.name) ? undefined : this.#outage.errorWhen(isReady);
    if (refused) {
      asked.reject(refused);
      return asked.promise;
    }
    const stream: Redis['stream'] | undefined = this.stream; // none before it first connects
    if (isReady) this.#outage.asked();
    if (stream?.writableCorked === 0) {
      stream.cork();
      setImmediate(() => stream.uncork());
    }
    return super.sendCommand(...command);
  }

  #isOwn(name: string): boolean {
    return name === 'quit' || (this.status === 'connect' && HANDSHAKE.has(name));
  }
}

/**
 * A connection for stores and look-ups: reconnects for ever, and every command settles within two seconds,
 * whether Redis is there or not, and at once while it has been away for as long (`StoreAway`). Not for blocking
 * commands.
 *
 * @param url `redis://…`, `rediss://…`
 * @param name shown by `CLIENT LIST` and in logs
 */
export function connectRedis(url: string, name: string, logger: Logger): Redis {
  const redis = new GatheringRedis(url, {
    connectionName: name,
    retryStrategy: reconnectDelay,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    // Whoever subscribes does so again on every `ready`: ioredis' own renewal has nobody listening to its failure.
    autoResubscribe: false,
    maxRetriesPerRequest: null, // the command timeout bounds the wait, so a short outage costs no errors
  });
  logOutages(redis, name, logger);
  return redis;
}

/** Ends a connection whatever its state: says goodbye when it can, cuts when it cannot. */
export async function disconnectRedis(redis: Redis): Promise<void> {
  if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect());
  else redis.disconnect();
}
