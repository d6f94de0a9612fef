import type { Sounds } from '../leg/simulated/sounds.ts';
import type { Script } from './script.ts';
import type { SimulatedApplication } from './simulated-application.ts';
import { SimulatedChild } from './simulated-child.ts';
import type { SimulatedDialer } from './simulated-dialer.ts';

/** A party of a scenario: its script, and what it heard. */
export interface Party {
  readonly name: string;
  readonly script: Pick<Script<object>, 'unheard'>;
  readonly sounds: Sounds;
}

const MOST_SOUNDS = 3;

/** What of a scenario never came about: most likely a mistake in it. A sentence each. */
export function mistakes(unused: readonly string[], parties: readonly Party[]): readonly string[] {
  const never = unused.length > 0 ? [`the call never requested ${unused.join(', ')}`] : [];
  return [...never, ...parties.flatMap(unheard)];
}

/** The parties of these calls whose scripts count: whoever answered. */
export function partiesOf(calls: SimulatedDialer['children']): readonly Party[] {
  return calls.filter(isAnswered).flatMap(({ record, scripts, leg }) => {
    const { sounds } = leg.peer;
    return scripts.map((script) => ({ name: record.to, script, sounds }));
  });
}

const isAnswered = (child: SimulatedChild | SimulatedApplication): child is SimulatedChild =>
  child instanceof SimulatedChild && child.record.start_time !== null;

function unheard({ name, script, sounds }: Party): readonly string[] {
  const waiting = script.unheard;
  if (!waiting) return [];
  const { step, place, after } = waiting;
  const missed = after.length === 0 ? '' : ` and never came to ${after.join(', then ')}`;
  return [`${name} waited in step ${place} (${step}) in vain${missed}; ${heardInstead(sounds)}`];
}

function heardInstead({ all }: Sounds): string {
  if (all.length === 0) return 'nothing was heard';
  const last = all.slice(-MOST_SOUNDS).map(({ text }) => JSON.stringify(text));
  return `${all.length > MOST_SOUNDS ? 'the last that was heard' : 'heard'}: ${last.join(', ')}`;
}
