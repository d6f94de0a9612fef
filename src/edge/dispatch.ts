import type { CallJob } from '../call/job.ts';
import type { CallStatus } from '../call/record.ts';
import type { StorageTask } from '../call/tasks.ts';
import type { TimelineEntry, TimelineEvent } from '../call/timeline.ts';
import { type Clock, sleep } from '../core/clock.ts';
import { isoMs } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import type { CallQueue, TaskQueue } from '../queue/port.ts';
import type { RegionId } from '../region/region.ts';

/** The two queues of a Region that an edge writes to. */
export interface RegionQueues {
  readonly calls: CallQueue;
  readonly storage: TaskQueue<StorageTask>;
}

/** How a call ended that no worker holds. */
export interface UnheldEnd {
  readonly status: CallStatus;
  readonly cause: string;
  readonly diagnostics?: readonly Diagnostic[];
  readonly timeline?: readonly TimelineEntry[];
}

const RETRY_MS = 1_000;
const MOST_PENDING = 10_000; // our choice: an outage must not eat the memory of the edge

/** Hands calls to their Region, and the ends of calls nobody holds. */
export interface Dispatch {
  /** Queues the job; rejects when the Region's queue cannot be reached. */
  offer(job: CallJob): Promise<void>;
  withdraw(job: CallJob): Promise<void>;
  /** Durably leaves the end of an unheld call to its Region; retried for as long as the edge lives. */
  finish(job: CallJob, end: UnheldEnd): void;
  /** Waits for ends not yet handed over. */
  flushed(signal: AbortSignal): Promise<void>;
  /** Ends not yet handed over. */
  readonly pending: number;
}

export function createDispatch(options: {
  readonly regions: ReadonlyMap<RegionId, RegionQueues>;
  readonly clock: Clock;
  readonly logger: Logger;
}): Dispatch {
  const { regions, clock, logger } = options;
  const pending = new Set<Promise<void>>();

  const queuesOf = (region: RegionId): RegionQueues => {
    const queues = regions.get(region);
    if (!queues) throw new Error(`no queues for Region ${region} in this edge process`);
    return queues;
  };

  async function handOver(job: CallJob, task: StorageTask): Promise<void> {
    for (;;) {
      try {
        const id = `finish-${job.callSid}-${job.epoch}`;
        await queuesOf(job.region).storage.add(task, { id, attempts: 20, backoffMs: 500 });
        return;
      } catch (error) {
        logger.error(
          { CallSid: job.callSid, region: job.region, error },
          'the end of a call cannot be handed over yet',
        );
        await sleep(clock, RETRY_MS);
      }
    }
  }

  return {
    async offer(job) {
      await queuesOf(job.region).calls.add(job);
    },
    async withdraw(job) {
      try {
        await queuesOf(job.region).calls.withdraw(job.callSid, job.epoch);
      } catch (error) {
        // The job stays; whoever takes it is told that the call is gone.
        logger.warn(
          { CallSid: job.callSid, region: job.region, error },
          'the job of an ended call could not be withdrawn',
        );
      }
    },
    finish(job, end) {
      const endedAt = clock.now();
      const stamp = (entry: TimelineEntry): TimelineEvent => ({ at: isoMs(endedAt), ...entry });
      const task: StorageTask = {
        kind: 'finish-call',
        job,
        status: end.status,
        cause: end.cause,
        endedAt,
        diagnostics: end.diagnostics ?? [],
        timeline: (end.timeline ?? []).map(stamp),
      };
      if (!regions.has(job.region)) {
        // Another Region must not keep it: a record outside its jurisdiction is worse than a line in the log.
        logger.error(
          { CallSid: job.callSid, region: job.region, cause: end.cause },
          `Region ${job.region} does not run in this installation (TRUNKLINE_REGIONS): the end of this call is only logged`,
        );
        return;
      }
      if (pending.size >= MOST_PENDING) {
        logger.error(
          { CallSid: job.callSid, region: job.region, task },
          'too many ends wait for the Region: this one is only logged',
        );
        return;
      }
      const work = handOver(job, task).finally(() => pending.delete(work));
      pending.add(work);
    },
    async flushed(signal) {
      while (pending.size > 0 && !signal.aborted) {
        await Promise.race([
          ...pending,
          new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
        ]);
      }
    },
    get pending() {
      return pending.size;
    },
  };
}
