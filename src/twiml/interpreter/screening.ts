import { link } from '../../core/abort.ts';
import type { TwimlCode } from '../../core/error-catalogue.ts';
import type { DocumentRequest } from '../verbs/call-scope.ts';
import type { ChildCall } from '../verbs/ports.ts';
import { type Next, runDocument } from './documents.ts';
import { tooManyDocuments } from './loops.ts';
import { CallScopeOf } from './scope.ts';
import type { CallWorld } from './world.ts';

/** @see https://www.twilio.com/docs/api/errors/13201 */
const FORBIDDEN: ReadonlyMap<string, TwimlCode> = new Map([['Dial', 13201]]);

/**
 * Runs a document on a called party before it is connected. A document that runs out of verbs lets it be connected;
 * one that hangs up, or cannot be had or run, ends the party's call (our choice for failures: nobody is there who
 * would want an apology, and the caller goes on).
 *
 * @see https://www.twilio.com/docs/voice/twiml/number#url
 */
export async function screenCall(
  child: ChildCall,
  request: DocumentRequest,
  signal: AbortSignal,
): Promise<boolean> {
  using life = link(child.leg.ended, signal);
  const world = worldOf(child);
  const standing = request.params;
  const scope = new CallScopeOf(world, life.signal, {
    standing,
    forbidden: FORBIDDEN,
    screening: async () => false, // nobody is called from here
  });
  let next: Next = { kind: 'fetch', request, purpose: 'document' };
  for (;;) {
    const ended = await runDocument(scope, next, life.signal);
    if (ended.kind === 'ran-out') return true;
    const looping = ended.kind === 'redirect' && scope.isLooping();
    if (ended.kind === 'redirect' && !looping) {
      next = ended.next;
      continue;
    }
    if (looping) world.report(tooManyDocuments(scope));
    if (ended.kind === 'failure' && !ended.told) world.report(ended.diagnostic);
    const why = ended.kind === 'hangup' ? ended.why : 'screening failed';
    world.timeline.add({ type: 'hangup', by: 'application', cause: why });
    await child.leg.hangup();
    return false;
  }
}

/** The child's world with what only a call of its own has: no configuration, nothing to resume, no fallback. */
function worldOf({ world }: ChildCall): CallWorld {
  return {
    facts: world.facts,
    webhooks: world.webhooks,
    dialer: world.dialer,
    clock: world.clock,
    leg: world.leg,
    audio: world.audio,
    choices: world.choices,
    speech: world.speech,
    recordings: world.recordings,
    timeline: world.timeline,
    report: (diagnostic) => world.report(diagnostic),
    config: { voiceUrl: '', voiceMethod: 'POST', voiceFallbackUrl: '', voiceFallbackMethod: 'POST' },
    checkpoint: async () => {},
    onRedirect: undefined,
  };
}
