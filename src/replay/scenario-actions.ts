import { z } from 'zod';
import { heardPattern } from './hearing.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A length of time as people write it, `250ms`, `2.5s`, `3m`, `1h`; milliseconds inside. */
export const duration = z
  .string()
  .regex(/^\d+(?:\.\d+)?(?:ms|s|m|h)$/, 'expected a duration such as 250ms, 2.5s, 3m or 1h')
  .transform((text) => Math.round(Number.parseFloat(text) * (UNITS[text.replace(/[\d.]/g, '')] ?? 1)))
  .meta({ id: 'duration', description: 'A length of time: 250ms, 2.5s, 3m or 1h.' });

const at = duration.optional().meta({
  description:
    'When it happens, counted from the start of the call (of somebody who is dialled: from when they are). ' +
    'Without it, the step follows when the step before it is done.',
});

/** What any peer does. Exported as tuples: a union of all is what a script is made of. */
const peerActions = [
  z
    .strictObject({
      at,
      press: z
        .union([
          z.int().nonnegative().transform(String),
          z.string().regex(/^[0-9A-D*#]+$/, 'expected keys of 0-9 A-D * #'),
        ])
        .meta({ description: 'Keys, one after the other: 0-9 A-D * #.' }),
      every: duration.default(200).meta({ description: 'From key to key; 200ms unless said.' }),
    })
    .meta({ description: 'Presses keys.' }),
  z
    .strictObject({ at, speak: duration })
    .meta({ description: 'Speaks for so long; nobody understands what.' }),
  z
    .strictObject({
      at,
      say: z.string().regex(/\S/, 'expected words'),
      for: duration
        .optional()
        .meta({ description: 'How long it takes; as long as the words do unless said.' }),
      confidence: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .meta({ description: 'How sure a recogniser is of it.' }),
    })
    .meta({ description: 'Says this; a recogniser understands it.' }),
  z.strictObject({ at, vanish: duration }).meta({ description: 'Sends no RTP for so long.' }),
  z
    .strictObject({ at, hold: z.literal(true) })
    .meta({ description: 'Puts the call on hold: no audio either way, and no media timeout.' }),
  z.strictObject({ at, resume: z.literal(true) }).meta({ description: 'Takes the call off hold.' }),
  z.strictObject({ at, refer: z.string() }).meta({ description: 'Sends REFER with this Refer-To.' }),
  z
    .strictObject({ at, whenReferred: z.int(), notifies: z.array(z.int()) })
    .meta({ description: 'How it answers a REFER from then on, and what its NOTIFYs say.' }),
] as const;

/** What is no regular expression is told at its line, before any call. */
function checkPattern(text: string, context: z.RefinementCtx): void {
  try {
    heardPattern(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
  }
}

/** Steps that let time pass. */
const waits = [
  z.strictObject({ wait: duration }).meta({ description: 'Does nothing for so long.' }),
  z
    .strictObject({
      hears: z
        .string()
        .min(1)
        .superRefine(checkPattern)
        .meta({ description: 'Part of it in either case, or a /regular expression/.' }),
    })
    .meta({
      description:
        'Waits until this is heard: the text that is spoken, up to that word, or the address of a file that is ' +
        'played. What was heard since the last "hears" counts.',
    }),
] as const;

const headers = z
  .record(z.string().startsWith('X-'), z.string())
  .meta({ description: 'X-… headers of the message.' });

const theirEnds = ['no-ack', 'media-timeout', 'edge-lost', 'transport-failed'] as const;

/** What somebody that the call dials does. */
export const calleeAction = z
  .union([
    ...peerActions,
    ...waits,
    z
      .strictObject({
        at,
        ring: z.int().min(101).max(199),
        early: z.boolean().default(false).meta({ description: 'With audio that can be heard.' }),
      })
      .meta({ description: 'A provisional response.' }),
    z
      .strictObject({ at, answer: z.union([z.literal(true), headers]) })
      .meta({ description: 'Answers with 200, with these headers.' }),
    z
      .strictObject({ at, refuse: z.int().min(300).max(699), headers: headers.optional() })
      .meta({ description: 'A final response: 3xx, 4xx, 5xx or 6xx.' }),
    z
      .strictObject({ at, hangup: z.literal(true), headers: headers.optional() })
      .meta({ description: 'Hangs up.' }),
    z
      .strictObject({ at, end: z.enum(['unreachable', 'not-placed', ...theirEnds]) })
      .meta({ description: 'The leg ends in another way.' }),
    z
      .strictObject({ at, redirect: z.string() })
      .meta({ description: 'The API gives its call a document of its own, by URL.' }),
  ])
  .meta({ id: 'calleeStep', description: 'What somebody who is dialled does next.' });

/** What the caller does. */
export const callerAction = z
  .union([
    ...peerActions,
    ...waits,
    z.strictObject({ at, hangup: z.literal(true) }).meta({ description: 'Hangs up.' }),
    z
      .strictObject({ at, end: z.enum([...theirEnds, 'shutdown']) })
      .meta({ description: 'The leg ends in another way.' }),
  ])
  .meta({ id: 'callerStep', description: 'What the caller does next.' });

export type CallerAction = z.infer<typeof callerAction>;
export type CalleeAction = z.infer<typeof calleeAction>;
