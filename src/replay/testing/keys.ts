import type { VirtualClock } from '../../core/clock.ts';
import type { DtmfKey } from '../../leg/port.ts';
import { ScenarioError } from '../scenario.ts';
import type { Pace } from './pace.ts';

/** From key to key. Our choice, as in a scenario. */
const KEY_MS = 200;

/** @see https://www.twilio.com/docs/voice/twiml/play#digits */
const PAUSES: Readonly<Record<string, number>> = { w: 500, W: 1_000 };

export interface KeyPress {
  readonly clock: VirtualClock;
  readonly pace: Pace;
  press(key: DtmfKey): void;
}

/** Presses keys one after the other; resolves when everything has happened that the last one brings about at once. */
export async function pressKeys(keys: string, { clock, pace, press }: KeyPress): Promise<void> {
  if (typeof keys !== 'string')
    throw new ScenarioError(`found ${String(keys)}, which is no text: expected keys such as '1' or '12#'`);
  const wrong = [...keys].find((key) => !isKey(key) && PAUSES[key] === undefined);
  if (keys === '' || wrong !== undefined) {
    const found = wrong === undefined ? 'no keys' : `"${wrong}" in "${keys}"`;
    throw new ScenarioError(`found ${found}: expected keys 0-9 * # A-D, and w or W for a pause`);
  }
  for (const [index, key] of [...keys].entries()) {
    if (isKey(key)) press(key);
    const pause = PAUSES[key] ?? (index === keys.length - 1 ? 0 : KEY_MS);
    if (pause === 0) await pace.settle();
    else await passing(pause, clock, pace);
  }
}

/** Lets so much time pass. */
export async function passing(ms: number, clock: VirtualClock, pace: Pace): Promise<void> {
  let over = false;
  clock.after(ms, () => {
    over = true;
  });
  await pace.until(() => over);
}

function isKey(character: string): character is DtmfKey {
  return /^[0-9*#A-D]$/.test(character);
}
