import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CalleeAction, CallerAction } from '../../src/replay/scenario.ts';
import { MAX_DOCUMENT_BYTES, parseDocument } from '../../src/twiml/document/parse.ts';
import { lint } from '../../src/twiml/lint/lint.ts';
import { readVerbs } from '../../src/twiml/verbs/registry.ts';
import { asyncCpuMs } from '../support/cpu-time.ts';
import { mutated } from '../support/twiml-fuzz/mutations.ts';
import { type FuzzedCall, runFuzzed } from '../support/twiml-fuzz/simulated-call.ts';

/** How long to look for what breaks; without it a few hundred documents, always the same. */
const MINUTES = Number(process.env['TRUNKLINE_FUZZ_MINUTES'] ?? 0);

/** Of processor, for each of the things done with a document, and for each call that is dialled. */
const MOST_MS = MINUTES > 0 ? 50 : 500;

/** Where a long run writes what it found. */
const REPORT = join(tmpdir(), 'trunkline-fuzz.json');

const ROOT = new URL('../..', import.meta.url).pathname;

/** The documents below a folder. */
function documentsIn(folder: string): readonly string[] {
  return readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.xml'))
    .sort()
    .map((name) => readFileSync(`${ROOT}${folder}/${name}`, 'utf8'))
    .filter((text) => text.length < 6_000);
}

const kept = documentsIn('test/corpus/twiml/fuzz');
const corpus = [...kept, ...documentsIn('test/corpus/twiml'), ...documentsIn('twiml-fixtures')];

const seconds = (most: number) => fc.nat(most * 10).map((tenths) => tenths * 100);
const at = seconds(20);
const keys = fc.string({ unit: fc.constantFrom(...'0123456789*#'), minLength: 1, maxLength: 6 });

/** What the caller does before the end: whatever the application wants, the call is over within a minute. */
const caller: fc.Arbitrary<readonly CallerAction[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        fc.record({ at, press: keys, every: fc.constantFrom(0, 100, 2_000) }),
        fc.record({ at, say: fc.constantFrom('yes', 'talk to sales'), for: seconds(3) }),
        fc.record({ at, speak: seconds(3) }),
        fc.record({ at, hold: fc.constant<true>(true) }),
        fc.record({ at, resume: fc.constant<true>(true) }),
        fc.record({
          at,
          whenReferred: fc.constantFrom(202, 403, 603),
          notifies: fc.constantFrom<number[]>([100, 200]),
        }),
      ),
      { maxLength: 5 },
    ),
    fc.oneof(
      fc.record({ at: seconds(60), hangup: fc.constant<true>(true) }),
      fc.record({
        at: seconds(60),
        end: fc.constantFrom('no-ack', 'media-timeout', 'edge-lost', 'transport-failed', 'shutdown'),
      }),
    ),
  )
  .map(([steps, end]) => [...steps, end]);

const callee: fc.Arbitrary<readonly CalleeAction[]> = fc.oneof(
  fc.constantFrom<readonly CalleeAction[]>(
    [],
    [{ ring: 180, early: false }],
    [{ refuse: 486 }],
    [{ refuse: 302, headers: { 'X-Why': 'moved' } }],
    [{ end: 'not-placed' }],
    [{ end: 'unreachable' }],
  ),
  fc.tuple(seconds(5), keys, seconds(40)).map(([answered, pressed, over]): readonly CalleeAction[] => [
    { ring: 183, early: true },
    { at: answered, answer: true },
    { at: answered + 1_000, press: pressed, every: 200 },
    { at: answered + over, hangup: true },
  ]),
);

const call: fc.Arbitrary<FuzzedCall> = fc.record({
  documents: fc.array(mutated(corpus), { minLength: 1, maxLength: 3 }),
  caller,
  callee,
});

/** What went wrong, by what it is, each with the shortest documents that show it. */
class Findings {
  readonly found = new Map<string, FuzzedCall>();

  add(what: string, example: FuzzedCall): void {
    const known = this.found.get(what);
    if (!known || lengthOf(example) < lengthOf(known)) this.found.set(what, example);
  }
}

const lengthOf = ({ documents }: FuzzedCall) => documents.join('').length;

/** An error by its message without what differs from document to document, and by where it comes from. */
function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split('\n').find((line) => /\/src\//.test(line)) ?? '';
  return `${error.name}: ${error.message.slice(0, 80).replace(/\d+/g, 'n')} ${place.trim()}`;
}

const URL_OF_DOCUMENT = 'http://app.test/voice';

/** Everything that is done with documents; how many it was done with. */
function worksOn(example: FuzzedCall): readonly (readonly [string, () => number | Promise<number>])[] {
  const each = (work: (text: string) => unknown) => () => {
    for (const text of example.documents) work(text);
    return example.documents.length;
  };
  return [
    ['parse', each((text) => parseDocument(text, URL_OF_DOCUMENT))],
    ['read', each(read)],
    ['lint', each((text) => lint(text, { url: URL_OF_DOCUMENT, region: 'ie1' }))],
    ['lint inline', each((text) => lint(text, { inline: true }))],
    ['call', () => runFuzzed(example)],
  ];
}

function read(text: string): void {
  const parsed = parseDocument(text, URL_OF_DOCUMENT);
  if (parsed.ok) readVerbs(parsed.root, URL_OF_DOCUMENT);
}

/** Does it all; what goes wrong is a finding. */
async function tried(example: FuzzedCall, findings: Findings): Promise<void> {
  for (const [name, work] of worksOn(example)) {
    try {
      let documents = 1;
      const ms = await asyncCpuMs(async () => {
        documents = Math.max(1, await work());
      }, MOST_MS);
      const each = ms / documents;
      if (each > MOST_MS) findings.add(`${name} takes more than ${MOST_MS} ms: ${bucket(each)}`, example);
    } catch (error) {
      findings.add(`${name}: ${described(error)}`, example);
    }
  }
}

const bucket = (ms: number) => `up to ${2 ** Math.ceil(Math.log2(ms))}`;

const nobody: Omit<FuzzedCall, 'documents'> = { caller: [{ at: 30_000, hangup: true }], callee: [] };

it.each(kept)('harms nobody: %s', async (document) => {
  const findings = new Findings();
  await tried({ ...nobody, documents: [document] }, findings);
  expect([...findings.found.keys()]).toEqual([]);
});

/** A document of 64 KB, nearly all of it the same again and again. */
function filled(before: string, unit: string, after: string): string {
  const left = MAX_DOCUMENT_BYTES - Buffer.byteLength(before + after);
  return before + unit.repeat(Math.floor(left / Buffer.byteLength(unit))) + after;
}

const numbered = (count: number, of: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => of(index)).join(' ');

it.each([
  ['unknown verbs', filled('<Response>', '<a1/>', '</Response>')],
  ['verbs misspelt differently', `<Response>${numbered(6_000, (i) => `<S${i}/>`)}</Response>`],
  ['verbs that are not executed', filled('<Response>', '<Room/>', '</Response>')],
  ['text and elements where none may be', filled('<Response><Gather>', 'a<b/>', '</Gather></Response>')],
  ['SSML that is none', filled('<Response><Say>', '<x/>', '</Say></Response>')],
  ['empty SIP URIs', filled('<Response><Dial>', '<Sip/>', '</Dial></Response>')],
  ['headers of a SIP URI', filled('<Response><Dial><Sip>a@b?c=d', '&amp;X-a=b', '</Sip></Dial></Response>')],
  ['unknown attributes', `<Response><Say ${numbered(5_000, (i) => `a${i}=""`)}/></Response>`],
  [
    'events',
    `<Response><Dial><Number statusCallbackEvent="${numbered(9_000, (i) => `e${i}`)}">1</Number></Dial></Response>`,
  ],
  ['connection overrides', filled('<Response><Redirect>http://a/#', 'a=b&amp;', '</Redirect></Response>')],
  [
    'escaped tags in Say in Say',
    filled(`<Response>${'<Say>'.repeat(90)}`, '&lt;p ', `${'</Say>'.repeat(90)}</Response>`),
  ],
])('is linted and executed in time proportional to its length: %s', async (_, text) => {
  const works = worksOn({ ...nobody, documents: [text] });
  for (const [name, work] of works) {
    // What is proportional takes a tenth of it; what is quadratic, seconds.
    expect(await asyncCpuMs(work, 500), name).toBeLessThan(name === 'call' ? 5_000 : 500);
  }
});

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** What is in use, in MB, when nothing is left to be collected. */
function heapMb(): number {
  if (typeof collect === 'function') for (let i = 0; i < 3; i++) collect();
  return process.memoryUsage().heapUsed / 1e6;
}

/** Our choice: what a run may leave behind, in MB, after its first third: more is a leak. */
const MOST_GROWTH_MB = 8;

describe('documents changed at random', () => {
  it(
    'harm neither parser nor linter nor call, and leave nothing behind',
    async () => {
      const findings = new Findings();
      const rejections: unknown[] = [];
      const onRejection = (reason: unknown) => rejections.push(reason);
      process.on('unhandledRejection', onRejection);
      const begun = performance.now();
      const runs = MINUTES > 0 ? Number.MAX_SAFE_INTEGER : 300;
      let done = 0;
      let warm: number | undefined;
      const isWarm = () =>
        MINUTES > 0 ? performance.now() - begun > MINUTES * 20_000 : done >= Math.floor(runs / 3);
      await fc.assert(
        fc.asyncProperty(call, async (example) => {
          await tried(example, findings);
          await new Promise((resolve) => setImmediate(resolve)); // rejections that nobody takes are known by now
          for (const reason of rejections.splice(0)) findings.add(`rejection: ${described(reason)}`, example);
          done++;
          if (MINUTES > 0 && done % 10_000 === 0)
            console.log(`${done} calls, heap ${heapMb().toFixed(1)} MB`);
          if (warm === undefined && isWarm()) warm = heapMb();
        }),
        MINUTES > 0
          ? { numRuns: runs, interruptAfterTimeLimit: MINUTES * 60_000, markInterruptAsFailure: false }
          : { numRuns: runs, seed: 20_261_121 },
      );
      process.off('unhandledRejection', onRejection);
      const growth = heapMb() - (warm ?? 0);
      if (MINUTES > 0) {
        writeFileSync(REPORT, JSON.stringify(Object.fromEntries(findings.found), undefined, 2));
        const heap = `heap ${warm?.toFixed(1)} MB after a third and ${growth.toFixed(2)} MB more at the end`;
        console.log(`${done} calls; ${heap}; ${findings.found.size} findings, in ${REPORT}`);
      }
      expect(Object.fromEntries(findings.found)).toEqual({});
      expect(growth).toBeLessThan(MOST_GROWTH_MB);
    },
    (MINUTES + 3) * 60_000,
  );
});
