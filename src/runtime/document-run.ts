import type { OrderedDocument } from '../call/orders.ts';
import { link as linkSignals } from '../core/abort.ts';
import { LegEnded } from '../leg/port.ts';
import { configOf } from '../twiml/interpreter/created-call.ts';
import { runCall } from '../twiml/interpreter/run-call.ts';
import type { CallEnd, CallWorld } from '../twiml/interpreter/world.ts';
import { withParameters } from '../webhook/with-parameters.ts';
import type { CallParts } from './call-parts.ts';
import { createDialer } from './dialer.ts';
import { guarded } from './guarded.ts';
import { notedAudio } from './noted-audio.ts';
import type { OutgoingCall } from './outgoing-call.ts';

/**
 * Executes a document on a call that we made and that was answered, to the call's end. Its children are over, or
 * independent, when this resolves.
 *
 * @param params what every request for a document tells beside the standard parameters
 */
export async function runDocument(
  call: OutgoingCall,
  document: OrderedDocument,
  parts: CallParts,
  shutdown: AbortSignal,
  params: Readonly<Record<string, string>> = {},
): Promise<CallEnd> {
  const { facts, leg, timeline, desk } = call;
  const dialer = createDialer({ parent: call, parts, goOn: goOnAlone(parts) });
  const world: CallWorld = {
    clock: parts.clock,
    facts,
    config: configOf(document),
    answered: true, // a callee that hangs up at once has answered all the same
    leg,
    webhooks: withParameters(call.webhooks, params),
    audio: notedAudio(parts.audio, timeline),
    speech: parts.speech,
    choices: parts.choices,
    recordings: desk,
    dialer,
    timeline,
    report: (diagnostic) => timeline.report(diagnostic),
    // A call we made is not resumed: its journal says how to end it.
    checkpoint: async () => {},
    onRedirect: undefined,
  };
  call.onRedirect = (next) => {
    world.onRedirect?.(next);
    return world.onRedirect !== undefined;
  };
  const log = parts.logger.child({ CallSid: call.callSid });
  try {
    return await guarded(
      () => untilShutdown(shutdown, (signal) => runCall(world, { kind: 'document', document }, signal)),
      timeline,
      log,
    );
  } finally {
    call.onRedirect = undefined;
    await leg.hangup();
    await dialer.close();
  }
}

/** What becomes of a child that the API gave a document of its own: a call like any other, to its end. */
export function goOnAlone(parts: CallParts) {
  return async (call: OutgoingCall, document: OrderedDocument, shutdown: AbortSignal): Promise<void> => {
    if (!call.inProgress) return call.finish();
    await call.finish(await runDocument(call, document, parts, shutdown));
  };
}

/** Runs a call under a signal that tells it of the worker's shutdown. */
export async function untilShutdown<T>(
  shutdown: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using limits = linkSignals();
  const onShutdown = () => limits.abort(new LegEnded('shutdown'));
  if (shutdown.aborted) onShutdown();
  shutdown.addEventListener('abort', onShutdown, { once: true });
  try {
    return await run(limits.signal);
  } finally {
    shutdown.removeEventListener('abort', onShutdown);
  }
}
