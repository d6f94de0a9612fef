import { STORAGE_ATTEMPTS, type StorageTask } from '../call/tasks.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { CallQueue, TaskQueue } from '../queue/port.ts';
import type { CallStore } from '../storage/ports.ts';

/** How often the Region's live calls are looked through. Our choice. */
const ROUND_MS = 15_000;

export interface OrphanWatchOptions {
  readonly store: CallStore;
  readonly storage: TaskQueue<StorageTask>;
  readonly calls: CallQueue;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long an edge may take to give a call to another worker: an orphan is older than that. */
  readonly handoverMs: number;
}

/**
 * Has the records of calls ended whose worker fell silent and whose edge gave them to nobody: both are gone, for a whole
 * machine has failed. And those of calls that the API stored but could not queue: Redis took the one and not the
 * other. Returns how to stop watching.
 */
export function watchOrphans(options: OrphanWatchOptions): { stop(): void } {
  const { clock, logger } = options;
  let firstSeen = new Map<string, number>();
  let next: Timer | undefined;

  async function round(): Promise<void> {
    const now = clock.now();
    const orphans = await options.store.orphans();
    const seen = new Map<string, number>();
    for (const record of orphans) {
      // A call that another worker takes over is another orphan: its clock starts anew.
      const key = `${record.sid}-${record.epoch}`;
      const since = firstSeen.get(key) ?? now;
      seen.set(key, since);
      if (now - since <= options.handoverMs) continue;
      if (record.worker === null && (await options.calls.holds(record.sid, record.epoch))) continue;
      const status = record.start_time === null ? 'failed' : 'completed';
      const cause =
        record.worker === null
          ? 'it never reached the call queue'
          : `worker ${record.worker} and the edge of the call were both lost`;
      logger.error({ CallSid: record.sid, worker: record.worker }, cause);
      const { sid: callSid, epoch } = record;
      await options.storage.add(
        { kind: 'end-lost-call', callSid, epoch, status, cause, endedAt: now },
        { id: `end-lost-${key}`, ...STORAGE_ATTEMPTS },
      );
    }
    firstSeen = seen;
  }

  function watch(): void {
    next = clock.after(ROUND_MS, () => {
      round()
        .catch((error: unknown) => logger.warn({ error }, 'live calls could not be looked through'))
        .finally(watch);
    });
  }
  watch();
  return { stop: () => next?.cancel() };
}
