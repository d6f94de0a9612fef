import { z } from 'zod';
import { type CalleeAction, ScenarioError } from '../scenario.ts';
import { calleeAction } from '../scenario-actions.ts';
import { faultsOf } from '../scenario-faults.ts';
import type { CalleePlan } from './options.ts';

const RING: CalleeAction = { at: 0, ring: 180, early: false };

/** What a word means. Our choice: whoever answers does so after two seconds, about as fast as people do. */
const PLANS: Readonly<Record<Exclude<CalleePlan, readonly unknown[]>, readonly CalleeAction[]>> = {
  answers: [RING, { at: 2_000, answer: true }],
  busy: [{ at: 0, refuse: 486 }],
  rejects: [RING, { at: 2_000, refuse: 603 }],
  rings: [RING],
  unreachable: [{ at: 0, end: 'unreachable' }],
};

/** Reads what somebody does. Throws ScenarioError for what nobody can do. */
export function readPlan(address: string, plan: CalleePlan): readonly CalleeAction[] {
  if (typeof plan === 'string') {
    const known = PLANS[plan];
    if (known) return known;
    const words = Object.keys(PLANS).join(', ');
    throw new ScenarioError(`callees: found "${plan}" for ${address}: expected ${words}, or steps`);
  }
  const read = z.array(calleeAction).safeParse(plan);
  if (read.success) return read.data;
  throw new ScenarioError(`callees: ${address} cannot do this:\n${faultsOf(read.error.issues).join('\n')}`);
}
