import { setTimeout as pause } from 'node:timers/promises';

/** Far beyond anything waited for, however busy the machine is: only what never comes takes this long. */
const DEADLINE_MS = 60_000;

/** Asked often at first, then less: what is asked may be a folder to read, and others need the machine, too. */
const SOONEST_MS = 5;
const LATEST_MS = 50;

/** Waits until `fact` returns something truthy and returns it; fails, naming it, after `deadlineMs`. */
export async function until<T>(
  what: string,
  fact: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const begun = performance.now();
  const end = begun + deadlineMs;
  for (;;) {
    const value = await fact();
    if (value) return value as Exclude<T, undefined | null | false | 0 | ''>;
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await pause(Math.min(LATEST_MS, SOONEST_MS + (performance.now() - begun) / 20));
  }
}
