import type { CallWorld } from './world.ts';

/** What callers of Twilio hear when an application fails and no fallback helps. */
export const APOLOGY = "We're sorry. An application error has occurred. Goodbye.";

/** Speaks the apology on an answered call. */
export async function apologise(world: CallWorld, signal: AbortSignal): Promise<void> {
  const spoken = await world.audio.speech(APOLOGY, { voice: 'man', language: 'en-US' }, signal);
  world.timeline.add({ type: 'note', message: `the caller hears: ${APOLOGY}` });
  await world.leg.play(spoken.clip, signal);
}
