import type { OrderedDocument } from '../../call/orders.ts';
import type { DocumentRequest, Outcome, Step } from '../verbs/call-scope.ts';
import type { Parameters } from '../verbs/parameters.ts';
import { readProgram } from './program.ts';
import type { CallScopeOf, DocumentPurpose, WaitingVerb } from './scope.ts';
import type { Checkpoint, StoredDocument } from './world.ts';

/** One packet's worth: a verb that took less did not occupy the caller. */
const NOTICEABLE_MS = 20;

/** Where execution goes on. */
export type Next =
  | {
      readonly kind: 'fetch';
      readonly request: DocumentRequest;
      readonly purpose: DocumentPurpose;
      /** The verb that waits while the document runs. */
      readonly waiting?: WaitingVerb | undefined;
    }
  /** A document that is here. */
  | { readonly kind: 'given'; readonly document: StoredDocument }
  | { readonly kind: 'resume'; readonly point: Checkpoint };

/** How a document ended: by a verb's decision, or by running out of verbs. */
export type DocumentEnd =
  | Exclude<Outcome, { readonly kind: 'continue' | 'hangup' | 'redirect' }>
  | { readonly kind: 'redirect'; readonly next: Next }
  | { readonly kind: 'hangup'; readonly why: string; readonly parameters?: Parameters | undefined }
  | { readonly kind: 'ran-out' };

/** What the API orders: where execution goes on, and what to ask when that fails. */
export function follow(ordered: OrderedDocument, scope: CallScopeOf): Next {
  if (ordered.kind === 'twiml') {
    const document = { url: '', contentType: 'text/xml', body: ordered.twiml };
    return { kind: 'given', document };
  }
  const { url, method, fallbackUrl, fallbackMethod, params = {} } = ordered;
  scope.fallback = { url: fallbackUrl, method: fallbackMethod };
  return { kind: 'fetch', request: { url, method, params }, purpose: 'document' };
}

/**
 * Fetches or restores a document and runs it from its first verb, or from the one that was interrupted. When it was
 * to connect a successor (a transfer) and did not, the verb that waits for that goes on, and its document behind it.
 */
export async function runDocument(scope: CallScopeOf, next: Next, signal: AbortSignal): Promise<DocumentEnd> {
  let ended = await runFirst(scope, next, signal);
  for (;;) {
    const { waiting } = scope;
    if (!waiting || (ended.kind !== 'ran-out' && ended.kind !== 'failure')) return ended;
    const { transfer, document, steps, index } = waiting;
    if (!transfer.failed) return ended;
    if (ended.kind === 'failure' && !ended.told) scope.world.report(ended.diagnostic);
    scope.waiting = undefined;
    scope.enter(document);
    scope.running = steps[index]?.name;
    const outcome = await transfer.failed(signal);
    ended = conclude(scope, steps, index, outcome) ?? (await runSteps(scope, steps, index + 1, signal));
  }
}

async function runFirst(scope: CallScopeOf, next: Next, signal: AbortSignal): Promise<DocumentEnd> {
  const { world } = scope;
  const document = await obtain(scope, next);
  if ('code' in document) return { kind: 'failure', diagnostic: document };
  scope.enter(document);
  const program = await readProgram(document, world.audio);
  signal.throwIfAborted();
  if (!program.ok) return { kind: 'failure', diagnostic: program.diagnostic };
  if (next.kind === 'resume') return await runSteps(scope, program.steps, next.point.verb, signal);
  const { url, body } = document;
  const verbs = program.steps.map((step) => step.name);
  world.timeline.add({ type: 'document', url, verbs, bytes: Buffer.byteLength(body) });
  for (const { notHere: _, ...diagnostic } of program.diagnostics) world.report(diagnostic);
  return await runSteps(scope, program.steps, 0, signal);
}

async function obtain(scope: CallScopeOf, next: Next): ReturnType<CallScopeOf['fetch']> {
  if (next.kind === 'resume') return next.point.document;
  if (next.kind === 'given') return next.document;
  if (next.waiting) {
    await scope.abandonWaiting(); // it asked to be replaced once more
    scope.waiting = next.waiting;
  }
  const fetched = await scope.fetch(next.request, next.purpose);
  await next.waiting?.transfer.fetched(!('code' in fetched));
  return fetched;
}

async function runSteps(
  scope: CallScopeOf,
  steps: readonly Step[],
  from: number,
  signal: AbortSignal,
): Promise<DocumentEnd> {
  const { world } = scope;
  for (const [index, step] of steps.entries()) {
    if (index < from) continue;
    const { document, answered } = scope;
    await world.checkpoint({ document, verb: index, name: step.name, answered });
    signal.throwIfAborted();
    const diagnostic = scope.refuse(step);
    if (diagnostic) return { kind: 'failure', diagnostic };
    const begun = world.clock.monotonic();
    const outcome = await scope.run(step, signal);
    if (world.clock.monotonic() - begun >= NOTICEABLE_MS) scope.silentDocuments = 0;
    const ended = conclude(scope, steps, index, outcome);
    if (ended) return ended;
  }
  return { kind: 'ran-out' };
}

/** What a verb's outcome means for its document; undefined when the next verb follows. */
function conclude(
  { document }: CallScopeOf,
  steps: readonly Step[],
  index: number,
  outcome: Outcome,
): DocumentEnd | undefined {
  switch (outcome.kind) {
    case 'continue':
      return undefined;
    case 'hangup':
      return {
        kind: 'hangup',
        why: `<${steps[index]?.name}> ended the call`,
        parameters: outcome.parameters,
      };
    case 'redirect': {
      const { request, transfer } = outcome;
      const waiting = transfer && { transfer, document, steps, index };
      return { kind: 'redirect', next: { kind: 'fetch', request, purpose: 'document', waiting } };
    }
    default:
      return outcome;
  }
}
