import { z } from 'zod';
import { type CalleeAction, ScenarioError } from '../scenario.ts';
import { calleeAction } from '../scenario-actions.ts';
import { faultsOf } from '../scenario-faults.ts';
import type { CalleePlan, CalleeSteps } from './options.ts';

const RING: CalleeAction = { at: 0, ring: 180, early: false };

/** What a word means. Our choice: whoever answers does so after two seconds, about as fast as people do. */
const PLANS = {
  answers: [RING, { at: 2_000, answer: true }],
  busy: [{ at: 0, refuse: 486 }],
  rejects: [RING, { at: 2_000, refuse: 603 }],
  rings: [RING],
  unreachable: [{ at: 0, end: 'unreachable' }],
} satisfies Record<Exclude<CalleePlan, CalleeSteps>, readonly CalleeAction[]>;

/** Reads what somebody does. Throws ScenarioError for what nobody can do. */
export function readPlan(address: string, plan: CalleePlan): readonly CalleeAction[] {
  if (typeof plan === 'string') return readWord(address, plan);
  const read = z.array(calleeAction).safeParse(plan);
  if (read.success) return read.data;
  throw new ScenarioError(`callees: ${address} cannot do this:\n${faultsOf(read.error.issues).join('\n')}`);
}

/** Reads what somebody does in a word. */
export function readWord(address: string, word: string): readonly CalleeAction[] {
  const known = Object.entries(PLANS).find(([name]) => name === word);
  if (known) return known[1];
  const words = Object.keys(PLANS).join(', ');
  throw new ScenarioError(`callees: found "${word}" for ${address}: expected ${words}, or steps`);
}
