import { setTimeout as pause } from 'node:timers/promises';
import type { RunningTrunkline } from '../../support/trunkline.ts';
import { until } from '../../support/until.ts';

/** Calls and media of every process. */
export const CALLS = /^trunkline_(live_calls|media_legs)\b/;
/** Everything a call takes. */
export const EVERYTHING = /^trunkline_(live_calls|media_legs|sip_state)\b/;

/** Gauges of what SIP and media hold at the moment, those that are not 0. */
async function held({ httpPort }: RunningTrunkline, kinds: RegExp): Promise<string[]> {
  const page = await fetch(`http://127.0.0.1:${httpPort}/metrics`).then((response) => response.text());
  return page
    .split('\n')
    .filter((line) => kinds.test(line) && !line.includes('"connections"') && !line.endsWith(' 0'));
}

/** Waits until no process holds anything of these kinds. */
export async function nothingHeld(trunkline: RunningTrunkline, kinds: RegExp): Promise<void> {
  let last: string[] = [];
  const fact = async () => {
    last = await held(trunkline, kinds);
    if (last.length > 0) await pause(200); // a scrape costs every process some work
    return last.length === 0;
  };
  await until('nothing held after the last call', fact, 120_000).catch((error: unknown) => {
    throw new Error(`${String(error)}:\n${last.join('\n')}`);
  });
}
