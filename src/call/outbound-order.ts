import { z } from 'zod';
import type { OrderedCallback, OutboundOrder } from './orders.ts';

const method = z.enum(['GET', 'POST']);
const callback = z.object({ url: z.string(), method, events: z.array(z.string()) });
const document = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('url'),
    url: z.string(),
    method,
    fallbackUrl: z.string(),
    fallbackMethod: method,
  }),
  z.object({ kind: z.literal('twiml'), twiml: z.string() }),
]);

const outboundOrder: z.ZodType<OutboundOrder> = z.object({
  callSid: z.string(),
  accountSid: z.string(),
  to: z.string(),
  from: z.string(),
  document,
  statusCallback: callback.nullable(),
  timeoutMs: z.number(),
  timeLimitMs: z.number(),
  sendDigits: z.string(),
  recording: z
    .object({
      channels: z.union([z.literal(1), z.literal(2)]),
      track: z.enum(['inbound', 'outbound', 'both']),
      trim: z.boolean(),
      callback: callback.nullable(),
    })
    .nullable(),
  credentials: z.object({ username: z.string(), password: z.string() }).nullable(),
  machineDetection: z.boolean(),
  validationCode: z.string().optional(),
});

/** Reads the journal of a call that the REST API created; throws when it is something else. */
export function parseOutboundOrder(journal: string): OutboundOrder {
  return outboundOrder.parse(JSON.parse(journal));
}

/** The journal of a call we made, as far as its end concerns: what is still to be told, and to whom. */
export interface OutgoingJournal {
  readonly statusCallback: OrderedCallback | null;
  /** The number of the next status callback. */
  readonly told: number;
  /** As in its order. */
  readonly validationCode?: string | undefined;
}

const outgoingJournal: z.ZodType<OutgoingJournal> = z.object({
  statusCallback: callback.nullable(),
  told: z.number().default(0), // an order has none: a worker that was lost at once wrote nothing more
  validationCode: z.string().optional(),
});

/** Reads the journal of a call we made, or the order of one that is to be made; undefined when it is something else. */
export function parseOutgoingJournal(journal: string): OutgoingJournal | undefined {
  return outgoingJournal.safeParse(JSON.parse(journal)).data;
}
