import { setTimeout as pause } from 'node:timers/promises';

/** Far beyond anything waited for, however busy the machine is: only what never comes takes this long. */
const DEADLINE_MS = 60_000;

/** Waits until `fact` returns something truthy and returns it; fails, naming it, after `deadlineMs`. */
export async function until<T>(
  what: string,
  fact: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await fact();
    if (value) return value as Exclude<T, undefined | null | false | 0 | ''>;
    if (performance.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await pause(5);
  }
}
