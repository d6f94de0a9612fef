import type { EdgeProcess, EdgeRegistry } from '../control/registry.ts';
import { type Clock, sleep } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { EdgeId } from '../region/edge.ts';

/** Our choice: an edge process that has just started is found within this time, one that stopped is left. */
const FRESH_MS = 2_000;

/** Our choice: a caller hears ring tone or silence meanwhile; what was known before is good enough then. */
const PATIENCE_MS = 500;

/** Who serves which edge, as this worker knows it: also while the registry cannot be read. */
export interface EdgeProcesses {
  /** The processes that serve `edge`, the one called `near` first when it is among them. */
  serving(edge: EdgeId, near?: string): Promise<readonly EdgeProcess[]>;
}

export function createEdgeProcesses(options: {
  readonly registry: Pick<EdgeRegistry, 'list'>;
  readonly clock: Clock;
  readonly logger: Logger;
}): EdgeProcesses {
  const { registry, clock, logger } = options;
  let known: readonly EdgeProcess[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      known = await registry.list();
      readAt = clock.monotonic();
    } catch (error) {
      logger.warn({ error, known: known.length }, 'the registry of edge processes cannot be read');
    } finally {
      reading = undefined;
    }
  }

  /** Reads it again, but waits only so long. */
  async function refreshed(): Promise<void> {
    reading ??= read();
    const waiting = new AbortController();
    const patience = sleep(clock, PATIENCE_MS, waiting.signal).catch(() => {}); // it was read in time
    await Promise.race([reading, patience]);
    waiting.abort(known);
  }

  return {
    async serving(edge, near) {
      const those = () => known.filter((process) => process.edges.includes(edge));
      const stale = clock.monotonic() - readAt > FRESH_MS;
      if (stale || those().length === 0) await refreshed();
      return those().sort((a, b) => Number(b.process === near) - Number(a.process === near));
    },
  };
}
