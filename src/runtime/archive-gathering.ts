import type { StorageTask } from '../call/tasks.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { TaskOptions, TaskQueue } from '../queue/port.ts';

/**
 * Our choice: how long an ended call waits for others that end, too. A task of its own costs a call about as much as
 * everything else that Redis does for it; a tenth of a second later its record is in the bucket all the same.
 */
const GATHER_MS = 100;

/** Our choice: a task stays small, and is soon done. */
const MOST_CALLS = 100;

/** A call that waits, and whoever waits for it to be on its way. */
interface Waiting {
  readonly callSid: string;
  readonly options: TaskOptions;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * The same queue, in which calls that end within a tenth of a second of another are archived by one task. The first
 * goes at once. `add` resolves, as ever, when the task is queued: until then its worker answers for the call.
 */
export function gatherArchiving(queue: TaskQueue<StorageTask>, clock: Clock): TaskQueue<StorageTask> {
  let waiting: Waiting[] = [];
  let sentAt = Number.NEGATIVE_INFINITY;
  let due: Timer | undefined;

  function send(): void {
    due?.cancel();
    due = undefined;
    sentAt = clock.monotonic();
    const gathered = waiting;
    waiting = [];
    const [first] = gathered;
    if (first === undefined) return;
    const callSids = gathered.map(({ callSid }) => callSid);
    const others = callSids.length - 1;
    const added =
      others === 0
        ? queue.add({ kind: 'archive-call', callSid: first.callSid }, first.options)
        : queue.add(
            { kind: 'archive-calls', callSids },
            { ...first.options, id: `${first.options.id}-and-${others}` },
          );
    added.then(
      () => {
        for (const { resolve } of gathered) resolve();
      },
      (error: unknown) => {
        for (const { reject } of gathered) reject(error);
      },
    );
  }

  return {
    add(task, options) {
      if (task.kind !== 'archive-call') return queue.add(task, options);
      return new Promise((resolve, reject) => {
        waiting.push({ callSid: task.callSid, options, resolve, reject });
        const wait = sentAt + GATHER_MS - clock.monotonic();
        if (wait <= 0 || waiting.length >= MOST_CALLS) send();
        else due ??= clock.after(wait, send);
      });
    },
    process: (concurrency, handler) => queue.process(concurrency, handler),
    async close() {
      send();
      await queue.close();
    },
  };
}
