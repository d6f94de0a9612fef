import { type Clock, sleep } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';

const RETRY_MS = 1_000;

/** Repeats a write, or a look-up that a call depends on, until it is taken: what happened in a call is never dropped because its Region's Redis is away. */
export async function surely<T>(
  write: () => Promise<T>,
  clock: Clock,
  logger: Logger,
  trouble: string,
): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      logger.error({ error }, `${trouble}: trying again`);
      await sleep(clock, RETRY_MS);
    }
  }
}
