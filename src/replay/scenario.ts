import { readFileSync } from 'node:fs'; // small files, a thousand of them: promises cost more than the disk
import { isAbsolute, join, normalize } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { twimlChoices } from '../call/choices.ts';
import { EDGE_IDS } from '../region/edge.ts';
import { DEFAULT_REGION, REGION_IDS } from '../region/region.ts';
import { calleeAction, callerAction, duration } from './scenario-actions.ts';
import { created } from './scenario-created.ts';
import { faultsOf, nameUnknownKeys } from './scenario-faults.ts';
import { lineOf } from './scenario-lines.ts';

export type { CalleeAction, CallerAction } from './scenario-actions.ts';

const method = z.enum(['GET', 'POST']);

const SOURCES = ['file', 'body', 'bytes', 'audio', 'redirect', 'fail'] as const;

const answer = z
  .strictObject({
    file: z.string().optional().meta({ description: "A file of the fixture's directory." }),
    body: z.string().optional().meta({ description: 'The body itself.' }),
    bytes: z.int().positive().optional().meta({ description: 'TwiML padded to this many bytes.' }),
    audio: duration.optional().meta({ description: 'An audio file of this length.' }),
    redirect: z.string().optional().meta({ description: 'Where an HTTP redirect leads.' }),
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
      .optional()
      .meta({ description: 'Why there is no usable response.' }),
    status: z.int().min(200).max(599).optional().meta({ description: 'HTTP status: 200 unless said.' }),
    type: z.string().optional().meta({ description: "Content-Type; '' sends none." }),
    headers: z.record(z.string(), z.string()).optional().meta({ description: 'Further HTTP headers.' }),
    delay: duration.optional().meta({ description: 'Before the first byte.' }),
    drip: z
      .strictObject({ pieces: z.int().positive(), every: duration })
      .optional()
      .meta({ description: 'The body comes in pieces with pauses between them.' }),
  })
  .refine(
    (written) => SOURCES.filter((source) => written[source] !== undefined).length === 1,
    `expected exactly one of ${SOURCES.slice(0, -1).join(', ')} and ${SOURCES.at(-1)}`,
  )
  .meta({
    description: 'What the application answers to one request.',
    oneOf: SOURCES.map((source) => ({
      type: 'object',
      properties: { [source]: { type: source === 'bytes' ? 'integer' : 'string' } },
      required: [source],
    })),
  });

const webhook = z.strictObject({
  url: z.string().meta({ description: 'Without query, fragment and credentials.' }),
  method: method.optional().meta({ description: 'Answers only this one; either unless said.' }),
  when: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'Answers only requests that have these parameters, e.g. Digits: "1".' }),
  login: z.string().optional().meta({ description: '`user:password` without which the answer is 401.' }),
  answers: z.array(answer).min(1).meta({ description: 'Used in turn, the last one again and again.' }),
});

const domain = z.strictObject({
  name: z.string(),
  of: z.enum(['account', 'parent', 'stranger']).default('account'),
});

const registration = z.strictObject({
  aor: z
    .string()
    .regex(/^[^@]+@[a-z0-9.-]+$/, 'expected user@name, the name of one of the domains')
    .meta({ description: '`user@name`, the name of a domain.' }),
  edge: z
    .enum(EDGE_IDS)
    .optional()
    .meta({ description: 'Where it registered; at the home edge of the Region unless said.' }),
  transport: z.enum(['udp', 'tcp', 'tls']).default('udp'),
  does: z.array(calleeAction).default([]).meta({ description: 'What it does when it is called.' }),
});

const application = z.strictObject({
  sid: z.string().regex(/^AP[0-9a-f]{32}$/, 'expected AP and 32 hexadecimal digits'),
  of: z.enum(['account', 'stranger']).default('account'),
  voiceUrl: z.string().default(''),
  voiceMethod: method.default('POST'),
  voiceFallbackUrl: z.string().default(''),
  statusCallback: z.string().default(''),
});

const order = z.union([
  z.strictObject({ at: duration, twiml: z.string() }),
  z.strictObject({ at: duration, url: z.string(), method: method.default('POST') }),
  z
    .strictObject({ at: duration, status: z.enum(['canceled', 'completed']) })
    .meta({ description: 'Ends the call: before its answer it is canceled, afterwards completed.' }),
]);

const voice = z.strictObject({
  url: z.string(),
  method: method.default('POST'),
  fallbackUrl: z.string().default(''),
  fallbackMethod: method.default('POST'),
  statusCallback: z.string().default('').meta({ description: 'Is told that the call has ended.' }),
  statusCallbackMethod: method.default('POST'),
});

/** What a call has that comes in to no number: none of it is asked for. */
const NO_VOICE: z.infer<typeof voice> = {
  url: '',
  method: 'POST',
  fallbackUrl: '',
  fallbackMethod: 'POST',
  statusCallback: '',
  statusCallbackMethod: 'POST',
};

const written = z.strictObject({
  shows: z.string().min(1).meta({ description: 'What the fixture shows, in a sentence.' }),
  region: z
    .enum(REGION_IDS)
    .default(DEFAULT_REGION)
    .meta({ description: 'The Region that has the number: where the call is processed.' }),
  from: z.string().default('+15005550001').meta({ description: 'Who calls.' }),
  to: z.string().default('+15005550006').meta({ description: 'The number that is called.' }),
  voice: voice.optional().meta({ description: 'What the number has as its voice URL and fallback URL.' }),
  created: created.optional(),
  webhooks: z
    .array(webhook)
    .default([])
    .meta({ description: 'The application. The first entry that fits a request answers it.' }),
  caller: z
    .array(callerAction)
    .default([])
    .meta({ description: 'What the caller does: one step after the other, or each at its time.' }),
  callees: z
    .array(z.strictObject({ address: z.string(), does: z.array(calleeAction) }))
    .default([])
    .meta({
      description:
        'Whom the call dials, by number or URI. Entries of one address are used in turn, the last one again and again.',
    }),
  domains: z
    .array(domain)
    .default([])
    .meta({ description: "SIP domains of the Region: the account's own, its parent's, or a stranger's." }),
  registrations: z
    .array(registration)
    .default([])
    .meta({ description: 'Devices that are registered there, in this order.' }),
  applications: z.array(application).default([]).meta({ description: 'TwiML applications of the Region.' }),
  orders: z
    .array(order)
    .default([])
    .meta({ description: 'What the API does with the call: gives it another document, or ends it.' }),
  choices: twimlChoices.prefault({}).meta({ description: 'What Twilio leaves open.' }),
  speech: z
    .union([
      z.literal('none'),
      z.literal('fails'),
      z.strictObject({ languages: z.array(z.string()).min(1) }),
      z.literal('all'),
    ])
    .default('all')
    .meta({
      description:
        'Who understands what is said: everything, these languages only, nothing because it fails; or nobody.',
    }),
  seed: z.int().positive().default(1).meta({ description: 'The first of the counting identifiers.' }),
});

/** The JSON Schema of a scenario that begins so, and has none of `others`. */
function beginsWith(beginning: string, others: readonly string[]) {
  const names = Object.keys(written.shape).filter((name) => !others.includes(name));
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, {}])),
    required: [beginning],
    additionalProperties: false,
  } as const;
}

/** `scenario.yaml`: one call, the application it reaches and the caller. */
export const scenarioSchema = written
  .check(({ value: { voice, created, caller }, issues }) => {
    const fault = (name: string, message: string) =>
      issues.push({ code: 'custom', path: [name], message, input: undefined });
    if (!voice && !created)
      fault('voice', 'is missing; expected object, or "created": the API makes the call');
    if (voice && created) fault('created', 'the call comes in to "voice", or the API makes it: expected one');
    if (created && caller.length > 0)
      fault(
        'caller',
        'nobody calls in a call that the API makes; write what `to` does in its entry of callees',
      );
  })
  .meta({
    title: 'Trunkline scenario',
    description: 'One call, replayed in virtual time.',
    oneOf: [beginsWith('voice', ['created']), beginsWith('created', ['voice', 'caller'])],
  })
  .transform(({ voice = NO_VOICE, ...written }) => ({ ...written, voice }));

export type Scenario = z.infer<typeof scenarioSchema>;
export type ScriptedAnswer = z.infer<typeof answer>;

/** A scenario that cannot be used; the message says where and why. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
}

/** The scenario that says only this; all else is as usual. */
export function scenarioOf(said: z.input<typeof scenarioSchema>): Scenario {
  return scenarioSchema.parse(said);
}

/** Reads and checks `scenario.yaml` of a fixture. */
export function readScenario(directory: string): Scenario {
  const path = join(directory, 'scenario.yaml');
  const lines = new LineCounter();
  const { document, data } = tried(`${path} cannot be read`, () => {
    const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines });
    for (const error of document.errors) throw error;
    return { document, data: document.toJS() as unknown };
  });
  const checked = scenarioSchema.safeParse(data, { error: nameUnknownKeys });
  const faults = checked.success
    ? strayFiles(checked.data)
    : faultsOf(checked.error.issues, (place) => lineOf(document, lines, place));
  if (checked.success && faults.length === 0) return checked.data;
  throw new ScenarioError(`${path} is no usable scenario:\n${faults.join('\n')}`);
}

/** A fixture is its folder and nothing else: it runs the same wherever it is copied to, and reads nobody's files. */
function strayFiles({ webhooks }: Scenario): readonly string[] {
  const files = webhooks.flatMap(({ answers }) => answers.flatMap(({ file }) => file ?? []));
  return files
    .filter((file) => isAbsolute(file) || /^\.\.(?:[\\/]|$)/.test(normalize(file)))
    .map((file) => `  file: ${file} is outside of the fixture's folder; copy it into that`);
}

/** The files that webhooks answer with: while virtual time runs, nothing may wait for a disk. */
export function readAnswerFiles(
  directory: string,
  { webhooks }: Pick<Scenario, 'webhooks'>,
): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const { file } of webhooks.flatMap(({ answers }) => answers)) {
    if (file === undefined || files.has(file)) continue;
    const path = join(directory, file);
    files.set(
      file,
      tried(`${path}, which a webhook answers with, cannot be read`, () => readFileSync(path)),
    );
  }
  return files;
}

function tried<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ScenarioError(`${what}: ${why}`, { cause: error });
  }
}
