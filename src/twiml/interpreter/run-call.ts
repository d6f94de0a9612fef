import type { OrderedDocument } from '../../call/orders.ts';
import { link } from '../../core/abort.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import { withoutPasswords, withoutSecrets } from '../../core/secrets.ts';
import { LegEnded } from '../../leg/port.ts';
import type { DocumentRequest } from '../verbs/call-scope.ts';
import { apologise } from './apology.ts';
import { type DocumentEnd, follow, type Next, runDocument } from './documents.ts';
import { tooManyDocuments } from './loops.ts';
import { endOfLeg, REJECTIONS } from './outcomes.ts';
import { Redirection } from './redirection.ts';
import { CallScopeOf } from './scope.ts';
import { screenCall } from './screening.ts';
import type { CallEnd, CallWorld, Checkpoint } from './world.ts';

/** Where a call's execution begins. */
export type CallStart =
  /** With the number's voice URL. */
  | { readonly kind: 'fresh' }
  /** With what the API said, for a call that it created or redirected. */
  | { readonly kind: 'document'; readonly document: OrderedDocument }
  | { readonly kind: 'resume'; readonly point: Checkpoint };

/**
 * Executes a call: fetches a document, runs its verbs, goes on with the next one, until the call is over.
 *
 * It starts afresh with the number's voice URL, with a document of the API's, or resumes at a checkpoint: the verb
 * that was running starts again (our choice: the caller hears a sentence twice rather than half of it). A document
 * ordered meanwhile (`world.onRedirect`) takes the place of whatever is fetched or runs. When `signal` or the leg ends
 * the call, clean-up (a recording's action, its hand-over) still runs before this resolves. It rejects only because of
 * a programming error.
 */
export async function runCall(world: CallWorld, start: CallStart, signal: AbortSignal): Promise<CallEnd> {
  using life = link(world.leg.ended, signal);
  using redirection = new Redirection(world);
  const scope = new CallScopeOf(world, life.signal, { screening: screenCall });
  try {
    if (start.kind === 'fresh' && world.config.voiceUrl.trim() === '') return await refuseUnconfigured(world);
    const end = await execute(world, scope, beginning(world, scope, start), redirection, life.signal);
    if (recordsOn(world)) await world.recordings.ended();
    return end;
  } catch (error) {
    const reason = world.leg.ended.aborted ? world.leg.ended.reason : error;
    await scope.abandonWaiting();
    if (!(reason instanceof LegEnded)) throw error;
    if (recordsOn(world)) await world.recordings.ended();
    return legEnded(reason, world, scope);
  } finally {
    if (scope.isCallingBack) await scope.settled();
  }
}

/** Recordings that ran beside the verbs end with the leg: a call's own end comes after theirs. */
function recordsOn({ leg, recordings }: CallWorld): boolean {
  return leg.ended.aborted && recordings.followed.length > 0;
}

function beginning(world: CallWorld, scope: CallScopeOf, start: CallStart): Next {
  if (start.kind === 'document') return follow(start.document, scope);
  if (start.kind === 'resume') {
    scope.answered ||= start.point.answered;
    return start;
  }
  const request = { url: world.config.voiceUrl, method: world.config.voiceMethod, params: {} };
  return { kind: 'fetch', request, purpose: 'document' };
}

async function execute(
  world: CallWorld,
  scope: CallScopeOf,
  start: Next,
  redirection: Redirection,
  signal: AbortSignal,
): Promise<CallEnd> {
  let next = start;
  for (;;) {
    const ended = await runOrRedirect(scope, next, redirection, signal);
    switch (ended.kind) {
      case 'ran-out':
        // Falling off the end hangs up; a call nothing has answered is answered first. Reference §0
        await scope.answer();
        return await hangUp(world, scope, 'the TwiML ended');
      case 'hangup':
        return { ...(await hangUp(world, scope, ended.why)), parameters: ended.parameters };
      case 'reject':
        return { ...(await refuse(world, ended.reason)), parameters: ended.parameters };
      case 'redirect':
        next = ended.next;
        break;
      case 'failure': {
        if (!ended.told) world.report(ended.diagnostic);
        const fallback = fallbackFor(ended.diagnostic, scope);
        if (!fallback) return await giveUp(world, scope, ended.diagnostic, signal);
        next = { kind: 'fetch', request: fallback, purpose: 'fallback' };
      }
    }
    if (scope.isLooping()) {
      const looping = tooManyDocuments(scope);
      world.report(looping);
      return await giveUp(world, scope, looping, signal);
    }
  }
}

/** Runs a document, unless another one is ordered meanwhile. */
async function runOrRedirect(
  scope: CallScopeOf,
  next: Next,
  redirection: Redirection,
  signal: AbortSignal,
): Promise<DocumentEnd> {
  using running = redirection.watch(signal);
  scope.signal = running.signal;
  let ended: DocumentEnd | undefined;
  try {
    ended = await runDocument(scope, next, running.signal);
  } catch (error) {
    if (signal.aborted || error !== running.signal.reason) throw error;
  } finally {
    scope.signal = signal;
  }
  const ordered = redirection.take();
  if (!ordered) return ended ?? { kind: 'hangup', why: 'the document was interrupted' };
  scope.world.timeline.add(
    ordered.kind === 'url'
      ? { type: 'redirected', url: withoutSecrets(ordered.url), method: ordered.method }
      : { type: 'redirected', url: 'the TwiML of the request', twiml: withoutPasswords(ordered.twiml) },
  );
  await scope.abandonWaiting();
  return { kind: 'redirect', next: follow(ordered, scope) };
}

async function hangUp(world: CallWorld, scope: CallScopeOf, why: string): Promise<CallEnd> {
  await scope.abandonWaiting();
  world.timeline.add({ type: 'hangup', by: 'application', cause: why });
  await world.leg.hangup();
  return { status: 'completed', cause: why };
}

async function refuse(world: CallWorld, reason: keyof typeof REJECTIONS): Promise<CallEnd> {
  const { sip, phrase, status } = REJECTIONS[reason];
  world.timeline.add({ type: 'rejected', status: sip, phrase });
  await world.leg.reject(sip, phrase);
  return { status, cause: `<Reject reason="${reason}"> refused the call` };
}

/** Our choice where Twilio documents nothing: 404, as for any address that leads nowhere. */
async function refuseUnconfigured(world: CallWorld): Promise<CallEnd> {
  const cause = 'the number has no voice URL in this Region';
  world.report(diagnose(11100, `${cause}; give it one through the API.`, { expected: 'a voice URL' }));
  world.timeline.add({ type: 'rejected', status: 404, phrase: 'Not Found' });
  await world.leg.reject(404, 'Not Found');
  return { status: 'failed', cause };
}

/** The fallback request for a failure; none when there is no fallback URL or when the fallback itself failed. */
function fallbackFor(failure: Diagnostic, scope: CallScopeOf): DocumentRequest | undefined {
  const { url, method } = scope.fallback;
  if (url.trim() === '' || scope.purpose === 'fallback') return undefined;
  const params = { ErrorCode: `${failure.code}`, ErrorUrl: failure.url ?? scope.baseUrl };
  return { url, method, params };
}

/** The caller hears an apology and is hung up on. */
async function giveUp(
  world: CallWorld,
  scope: CallScopeOf,
  failure: Diagnostic,
  signal: AbortSignal,
): Promise<CallEnd> {
  await scope.abandonWaiting();
  await scope.answer();
  await apologise(world, signal);
  const cause = `application error ${failure.code}: ${failure.message}`;
  world.timeline.add({ type: 'hangup', by: 'platform', cause });
  await world.leg.hangup();
  return { status: 'completed', cause };
}

/** The end of a call whose leg ended by itself. */
function legEnded({ cause, sipStatus }: LegEnded, world: CallWorld, scope: CallScopeOf): CallEnd {
  const { answered, running } = scope;
  const outgoing = world.facts.direction !== 'inbound';
  const { by, ...end } = endOfLeg({ cause, sipStatus, answered, running, outgoing });
  if (cause === 'no-ack') world.report(diagnose(32022, `${end.cause}; check the caller's SIP endpoint.`));
  if (cause === 'media-timeout') world.report(diagnose(32014, `${end.cause}; check its network.`));
  world.timeline.add({ type: 'hangup', by, cause: end.cause });
  return end;
}
