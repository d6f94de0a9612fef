import type { Clock, Timer } from '../core/clock.ts';

/** Our choice: how long a `<Dial>` waits for its Region's store to take the end of a child before it goes on. */
const PATIENCE_MS = 1_000;

/** Resolves when `kept` does, or when that has taken `ms`. */
export async function patiently(kept: Promise<void>, clock: Clock, ms = PATIENCE_MS): Promise<void> {
  let waiting: Timer | undefined;
  const patience = new Promise<void>((resolve) => {
    waiting = clock.after(ms, resolve);
  });
  try {
    await Promise.race([kept, patience]);
  } finally {
    waiting?.cancel();
  }
}
