import { type Clock, sleep } from '../core/clock.ts';

/** Our choice: how long a `<Dial>` waits for its Region's store to take the end of a child before it goes on. */
const PATIENCE_MS = 1_000;

/** Resolves when the end of a child is stored, or when that has taken too long. */
export async function patiently(kept: Promise<void>, clock: Clock): Promise<void> {
  const waiting = new AbortController();
  const patience = sleep(clock, PATIENCE_MS, waiting.signal).catch(() => {}); // it was stored in time
  await Promise.race([kept, patience]);
  waiting.abort();
}
