import type { Clock, Timer } from '../../core/clock.ts';
import type { TaskOptions, TaskQueue } from '../port.ts';
import { assertTaskId } from '../task-id.ts';

type Handler<T> = (task: T, attempt: { readonly number: number; readonly last: boolean }) => Promise<void>;

interface Entry<T> {
  readonly task: T;
  readonly options: TaskOptions;
  attempt: number;
}

export interface MemoryTaskQueue<T extends { readonly kind: string }> extends TaskQueue<T> {
  /** Tasks that used up their attempts, with the last error. */
  readonly failed: readonly { readonly task: T; readonly error: unknown }[];
  /** Every task that was ever added, in order. */
  readonly added: readonly T[];
}

/** A task queue within one process: replay and tests. Tasks are lost with the process. */
export function createMemoryTaskQueue<T extends { readonly kind: string }>(clock: Clock): MemoryTaskQueue<T> {
  const known = new Set<string>();
  const ready: Entry<T>[] = [];
  const delayed = new Set<Timer>();
  const running = new Set<Promise<void>>();
  const failed: { task: T; error: unknown }[] = [];
  const added: T[] = [];
  let work: { concurrency: number; handler: Handler<T> } | undefined;

  const pump = () => {
    while (work && running.size < work.concurrency) {
      const entry = ready.shift();
      if (!entry) return;
      const run: Promise<void> = attempt(entry, work.handler).then(() => {
        running.delete(run);
        pump();
      });
      running.add(run);
    }
  };

  const attempt = async (entry: Entry<T>, handler: Handler<T>): Promise<void> => {
    entry.attempt++;
    const last = entry.attempt >= entry.options.attempts;
    try {
      await handler(entry.task, { number: entry.attempt, last });
    } catch (error) {
      if (last) {
        failed.push({ task: entry.task, error });
        return;
      }
      const timer = clock.after(entry.options.backoffMs * 2 ** (entry.attempt - 1), () => {
        delayed.delete(timer);
        ready.push(entry);
        pump();
      });
      delayed.add(timer);
    }
  };

  return {
    failed,
    added,
    async add(task, options) {
      assertTaskId(options.id);
      if (known.has(options.id)) return;
      known.add(options.id);
      added.push(task);
      ready.push({ task, options, attempt: 0 });
      pump();
    },
    process(concurrency, handler) {
      if (work) throw new Error('these tasks are already being processed');
      work = { concurrency, handler };
      pump();
    },
    async close() {
      work = undefined;
      for (const timer of delayed) timer.cancel();
      delayed.clear();
      await Promise.all(running);
    },
  };
}
