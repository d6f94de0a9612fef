import { z } from 'zod';
import type { CallStore } from '../storage/ports.ts';
import type { CallStart } from '../twiml/interpreter/run-call.ts';
import type { Checkpoint } from '../twiml/interpreter/world.ts';

/**
 * Verbs another worker may start again: the caller hears a sentence twice at worst. What a lost worker had gathered
 * or recorded is gone with it, so a call in any other verb is ended instead (our choice).
 */
const RESUMABLE: ReadonlySet<string> = new Set(['Say', 'Play', 'Pause']);

/** Where a call goes on, or why it cannot. */
export type Beginning = CallStart | { readonly kind: 'lost'; readonly cause: string };

const checkpointSchema = z.object({
  document: z.object({
    url: z.string(),
    contentType: z.string(),
    body: z.string(),
    requestedUrl: z.string().optional(),
    purpose: z.enum(['document', 'fallback']).optional(),
  }),
  verb: z.number().int().nonnegative(),
  name: z.string(),
  answered: z.boolean(),
});

/** Where the execution of a call goes on whose worker was lost. */
export async function afterLoss(store: CallStore, callSid: string, lost: string): Promise<Beginning> {
  const text = await store.journal(callSid);
  if (text === undefined) return { kind: 'fresh' }; // it had not come as far as its first verb
  const point: Checkpoint = checkpointSchema.parse(JSON.parse(text));
  if (RESUMABLE.has(point.name)) return { kind: 'resume', point };
  return {
    kind: 'lost',
    cause: `worker ${lost} was lost during <${point.name}>, which cannot be taken over`,
  };
}
