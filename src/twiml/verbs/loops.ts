/** Say and Play stop after this many rounds of loop="0". @see https://www.twilio.com/docs/voice/twiml/say#loop */
const ENDLESS_ROUNDS = 1_000;

/** How often a `loop` of this value runs. */
export function rounds(loop: number): number {
  return loop === 0 ? ENDLESS_ROUNDS : loop;
}
