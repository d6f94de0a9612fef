import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Processor time of a process's threads and of everything it started, so far, microseconds (Linux). */
export function cpuOfTree(root: number): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map(pids.map((pid) => [Number(pid), parentOf(pid)]));
  const tree = new Set([root]);
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const [pid, parent] of parents) if (tree.has(parent)) tree.add(pid);
  }
  return [...tree].reduce((sum, pid) => sum + cpuOf(pid), 0);
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function parentOf(pid: string): number {
  return unlessEnded(() =>
    Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]),
  );
}

/** The first number of each thread, nanoseconds. @see https://docs.kernel.org/scheduler/sched-stats.html */
function cpuOf(pid: number): number {
  const threads = unlessEnded(() => readdirSync(`/proc/${pid}/task`), []);
  const times = threads.map((thread) =>
    unlessEnded(() => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])),
  );
  return times.reduce((sum, ns) => sum + ns, 0) / 1_000;
}

function unlessEnded(read: () => number): number;
function unlessEnded<T>(read: () => T, otherwise: T): T;
function unlessEnded<T>(read: () => T, otherwise?: T): T | number {
  try {
    return read();
  } catch {
    return otherwise ?? 0; // what was listed a moment ago
  }
}

/**
 * The same, once the processes have done what is left of their calls: records and archives are part of a call. Waits
 * until they take less than a tenth of a processor, half a minute at most.
 */
export async function settledCpuOfTree(root: number): Promise<number> {
  let before = cpuOfTree(root);
  for (let round = 0; round < 30; round++) {
    await pause(1_000);
    const now = cpuOfTree(root);
    if (now - before < 100_000) return now;
    before = now;
  }
  return before;
}
