import { type Clock, sleep } from '../../core/clock.ts';

/** An edge that does not confirm a command within this time is not waited for. Our choice. */
const CONFIRMATION_MS = 5_000;

/**
 * Resolves when the edge has carried a command out, or failed to, or was too long about it: what it was to end is over
 * either way, with the leg or with the edge.
 */
export async function carriedOut(command: Promise<unknown>, clock: Clock): Promise<void> {
  const confirmation = new AbortController();
  const patience = sleep(clock, CONFIRMATION_MS, confirmation.signal).catch(() => {});
  await Promise.race([command.catch(() => {}), patience]);
  confirmation.abort(CONFIRMED);
}

const CONFIRMED = 'confirmed'; // a reason of ours: the default one is an error with a stack
