import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { twimlChoices } from '../call/choices.ts';
import { EDGE_IDS } from '../region/edge.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** A length of time as people write it, `250ms`, `2.5s`, `3m`; milliseconds inside. */
const duration = z
  .string()
  .regex(/^\d+(?:\.\d+)?(?:ms|s|m)$/, 'expected a duration such as 250ms, 2.5s or 3m')
  .transform((text) => Number.parseFloat(text) * (UNITS[text.replace(/[\d.]/g, '')] ?? 1));

const method = z.enum(['GET', 'POST']);

/** What the application answers to one request. Exactly one of file, body, bytes, audio, redirect and fail. */
const answer = z
  .strictObject({
    /** A file of the fixture's directory. */
    file: z.string().optional(),
    body: z.string().optional(),
    /** TwiML padded to this many bytes. */
    bytes: z.number().int().positive().optional(),
    /** An audio file of this length. */
    audio: duration.optional(),
    /** Where an HTTP redirect leads. */
    redirect: z.string().optional(),
    /** Why there is no usable response. */
    fail: z
      .enum([
        'dns',
        'connect-timeout',
        'connect-refused',
        'connect-failed',
        'tls-handshake',
        'tls-host',
        'tls-expired',
        'tls-untrusted',
        'protocol',
        'forbidden-address',
      ])
      .optional(),
    status: z.number().int().min(200).max(599).optional(),
    /** Content-Type; '' sends none. */
    type: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    /** Before the first byte. */
    delay: duration.optional(),
    /** The body comes in pieces with pauses between them. */
    drip: z.strictObject({ pieces: z.number().int().positive(), every: duration }).optional(),
  })
  .refine(
    ({ file, body, bytes, audio, redirect, fail }) =>
      [file, body, bytes, audio, redirect, fail].filter((source) => source !== undefined).length === 1,
    'expected exactly one of file, body, bytes, audio, redirect and fail',
  );

/** What any peer does. */
const peerActions = [
  z.strictObject({
    at: duration,
    press: z.string().regex(/^[0-9A-D*#]+$/, 'expected keys of 0-9 A-D * #'),
    /** Between keys. */
    every: duration.default(200),
  }),
  z.strictObject({ at: duration, speak: duration }),
  /** Says this; a recogniser understands it. Absent `for`: as long as it takes. */
  z.strictObject({
    at: duration,
    say: z.string().regex(/\S/, 'expected words'),
    for: duration.optional(),
    confidence: z.number().min(0).max(1).optional(),
  }),
  /** Sends no RTP. */
  z.strictObject({ at: duration, vanish: duration }),
  /** Sends REFER with this Refer-To. */
  z.strictObject({ at: duration, refer: z.string() }),
  /** How it answers a REFER from then on, and what its NOTIFYs say. */
  z.strictObject({ at: duration, whenReferred: z.number().int(), notifies: z.array(z.number().int()) }),
] as const;

const headers = z.record(z.string().startsWith('X-'), z.string());

/** What somebody that the call dials does. Times count from when it is dialled. */
const calleeAction = z.union([
  ...peerActions,
  /** A provisional response; `early`: with audio. */
  z.strictObject({
    at: duration,
    ring: z.number().int().min(101).max(199),
    early: z.boolean().default(false),
  }),
  /** 200, with these headers. */
  z.strictObject({ at: duration, answer: z.union([z.literal(true), headers]) }),
  z.strictObject({ at: duration, refuse: z.number().int().min(300).max(699), headers: headers.optional() }),
  z.strictObject({ at: duration, hangup: z.literal(true), headers: headers.optional() }),
  z.strictObject({
    at: duration,
    end: z.enum(['unreachable', 'not-placed', 'no-ack', 'media-timeout', 'edge-lost', 'transport-failed']),
  }),
  /** The API gives its call a document of its own. */
  z.strictObject({ at: duration, redirect: z.string() }),
]);

/** What the caller does. Times count from the start of the call. */
const action = z.union([
  ...peerActions,
  z.strictObject({ at: duration, hangup: z.literal(true) }),
  /** Another end of the leg. */
  z.strictObject({
    at: duration,
    end: z.enum(['no-ack', 'media-timeout', 'edge-lost', 'transport-failed', 'shutdown']),
  }),
]);

/** `scenario.yaml`: one call, the application it reaches and the caller. */
const scenario = z.strictObject({
  /** What the fixture shows, in a sentence. */
  shows: z.string().min(1),
  from: z.string().default('+15005550001'),
  to: z.string().default('+15005550006'),
  voice: z.strictObject({
    url: z.string(),
    method: method.default('POST'),
    fallbackUrl: z.string().default(''),
    fallbackMethod: method.default('POST'),
  }),
  /** By URL without query, fragment and credentials. Answers are used in turn, the last one again and again. */
  webhooks: z
    .array(
      z.strictObject({
        url: z.string(),
        method: method.optional(),
        /** `user:password` without which the answer is 401. */
        login: z.string().optional(),
        answers: z.array(answer).min(1),
      }),
    )
    .default([]),
  caller: z.array(action).default([]),
  /** Whom the call dials, by number or URI. Entries of one address are used in turn, the last one again and again. */
  callees: z.array(z.strictObject({ address: z.string(), does: z.array(calleeAction) })).default([]),
  /** SIP domains of the Region: the account's own, its parent's, or a stranger's. */
  domains: z
    .array(
      z.strictObject({ name: z.string(), of: z.enum(['account', 'parent', 'stranger']).default('account') }),
    )
    .default([]),
  /** Devices that are registered there, in this order. */
  registrations: z
    .array(
      z.strictObject({
        /** `user@name`, the name of a domain. */
        aor: z.string().regex(/^[^@]+@[a-z0-9.-]+$/, 'expected user@name, the name of one of the domains'),
        edge: z.enum(EDGE_IDS).default('ashburn'),
        transport: z.enum(['udp', 'tcp', 'tls']).default('udp'),
        does: z.array(calleeAction).default([]),
      }),
    )
    .default([]),
  /** TwiML applications of the Region. */
  applications: z
    .array(
      z.strictObject({
        sid: z.string().regex(/^AP[0-9a-f]{32}$/, 'expected AP and 32 hexadecimal digits'),
        of: z.enum(['account', 'stranger']).default('account'),
        voiceUrl: z.string().default(''),
        voiceMethod: method.default('POST'),
        voiceFallbackUrl: z.string().default(''),
        statusCallback: z.string().default(''),
      }),
    )
    .default([]),
  /** Documents that the API gives the call. */
  orders: z
    .array(
      z.union([
        z.strictObject({ at: duration, twiml: z.string() }),
        z.strictObject({ at: duration, url: z.string(), method: method.default('POST') }),
      ]),
    )
    .default([]),
  /** What Twilio leaves open. */
  choices: twimlChoices.prefault({}),
  /** Who understands what is said: everything, these languages only, nothing because it fails; or nobody. */
  speech: z
    .union([
      z.literal('none'),
      z.literal('fails'),
      z.strictObject({ languages: z.array(z.string()).min(1) }),
      z.literal('all'),
    ])
    .default('all'),
  /** The first of the counting identifiers. */
  seed: z.number().int().positive().default(1),
});

export type Scenario = z.infer<typeof scenario>;
export type ScriptedAnswer = z.infer<typeof answer>;
export type CallerAction = z.infer<typeof action>;
export type CalleeAction = z.infer<typeof calleeAction>;

/** A scenario that cannot be used; the message says where and why. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/** Reads and checks `scenario.yaml` of a fixture. */
export async function readScenario(directory: string): Promise<Scenario> {
  const path = join(directory, 'scenario.yaml');
  let data: unknown;
  try {
    data = parse(await readFile(path, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ScenarioError(`${path} cannot be read: ${why}`, { cause: error });
  }
  const checked = scenario.safeParse(data);
  if (checked.success) return checked.data;
  const faults = checked.error.issues.map(
    ({ path: at, message }) => `  ${at.join('.') || 'top'}: ${message}`,
  );
  throw new ScenarioError(`${path} is no usable scenario:\n${faults.join('\n')}`);
}
