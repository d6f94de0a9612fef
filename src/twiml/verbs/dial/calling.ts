import { abortable, link } from '../../../core/abort.ts';
import { Mailbox } from '../../../core/mailbox.ts';
import { parseUri } from '../../../sip/message/uri.ts';
import { sipHeaderParameters } from '../../../webhook/request.ts';
import type { CallScope } from '../call-scope.ts';
import type { ChildCall } from '../ports.ts';
import { type Invitation, nameOf } from './plan.ts';
import type { Ringback } from './ringback.ts';

/** Somebody who is being called, or has answered. */
export interface Candidate {
  readonly invitation: Invitation;
  readonly child: ChildCall;
}

/** Who answered and may be connected; else whose end was the last. */
export type Called =
  | { readonly kind: 'answered'; readonly candidate: Candidate }
  | { readonly kind: 'nobody'; readonly last: Candidate | undefined };

export interface Calling {
  readonly rules: {
    readonly sequential: boolean;
    /** How long a party rings. */
    readonly timeoutMs: number;
  };
  readonly call: CallScope;
  readonly ringback: Ringback;
  /** Collects everybody who was called. */
  readonly candidates: Set<Candidate>;
  readonly signal: AbortSignal;
}

/**
 * Calls parties, all at once or one after the other, until one has answered and passed its screening; the others are
 * then withdrawn. Each attempt has the whole ringing time. Rejects with the signal's reason.
 */
export async function callParties(invitations: readonly Invitation[], calling: Calling): Promise<Called> {
  const waves = calling.rules.sequential ? invitations.map((invitation) => [invitation]) : [invitations];
  let last: Candidate | undefined;
  for (const wave of waves) {
    if (wave.length === 0) continue;
    const called = await callWave(wave, calling);
    if (called.kind === 'answered') return called;
    last = called.last;
  }
  return { kind: 'nobody', last };
}

interface Attempt {
  readonly candidate: Candidate;
  readonly ready: boolean;
  readonly error?: unknown;
}

/** Calls some parties at once. */
async function callWave(
  wave: readonly Invitation[],
  { rules, call, ringback, candidates, signal }: Calling,
): Promise<Called> {
  using calling = link(signal);
  const finished = new Mailbox<Attempt>();
  const begun = wave.map((invitation) => {
    const candidate = begin(invitation, call);
    candidates.add(candidate);
    return candidate;
  });
  for (const candidate of begun) {
    const { child } = candidate;
    // The caller can hear one party's early media, not several at once.
    child.leg.onProgress = ({ early }) => {
      if (early && begun.length === 1) void ringback.carry(child); // never rejects
    };
    attempt(candidate, call, ringback, calling.signal).then(
      (ready) => finished.put({ candidate, ready }),
      (error: unknown) => finished.put({ candidate, ready: false, error }),
    );
  }
  const patience = call.world.clock.after(rules.timeoutMs, () => {
    for (const { child } of begun) if (child.leg.state === 'ringing') child.withdraw('timeout');
  });
  try {
    let last: Candidate | undefined;
    for (let open = begun.length; open > 0; open--) {
      const { candidate, ready, error } = await finished.take(signal);
      if (ready) {
        for (const other of begun) if (other !== candidate) other.child.withdraw('elsewhere');
        return { kind: 'answered', candidate };
      }
      last = candidate;
      if (error !== undefined && !candidate.child.leg.ended.aborted) throw error;
    }
    await ringback.ring(); // the next one may ring for a while
    return { kind: 'nobody', last };
  } finally {
    patience.cancel();
    calling.abort(signal.reason);
  }
}

function begin(invitation: Invitation, call: CallScope): Candidate {
  const { timeline, dialer } = call.world;
  const child = dialer.dial(invitation.order);
  timeline.add({ type: 'dialled', call: child.callSid, to: nameOf(invitation.order) });
  // Never rejects.
  void child.end.then(({ status, sipStatus }) => {
    if (child.departed.aborted) return; // it goes on, elsewhere
    const sip = sipStatus !== undefined && { sip_status: sipStatus };
    timeline.add({ type: 'dial-ended', call: child.callSid, status, ...sip });
  });
  return { invitation, child };
}

/** Whether the party may be connected. One that leaves meanwhile, with a document of its own, may not. */
async function attempt(
  candidate: Candidate,
  call: CallScope,
  ringback: Ringback,
  signal: AbortSignal,
): Promise<boolean> {
  const { child } = candidate;
  using staying = link(signal, child.departed);
  try {
    return await prepare(candidate, call, ringback, staying.signal);
  } catch (error) {
    if (!child.departed.aborted) throw error;
    child.release();
    return false;
  }
}

/** Waits for the answer, sends keys, screens: whether the party may be connected. Rejects when it is over. */
async function prepare(
  { invitation, child }: Candidate,
  call: CallScope,
  ringback: Ringback,
  signal: AbortSignal,
): Promise<boolean> {
  const { headers } = await abortable(child.leg.answered, signal);
  const { sendDigits, screening, order } = invitation;
  if (sendDigits === '' && !screening) return true;
  await ringback.ring(); // the caller hears nothing of what follows
  if (sendDigits !== '') await child.leg.sendDigits(sendDigits, signal);
  if (!screening) return true;
  const params = order.target.kind === 'sip' ? sipParameters(order.target.uri, child, headers) : {};
  const passed = await call.screen(child, { ...screening, params }, signal);
  if (!passed) await child.end;
  return passed;
}

/**
 * What screening is told of the party that was called and of its answer. Our choice: the domain is the host that was
 * called; where the answer came from (`SipSourceIp`) is known to the edge alone.
 *
 * @see https://www.twilio.com/docs/voice/twiml/sip#passing-headers-back
 */
function sipParameters(
  called: string,
  { leg }: ChildCall,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const domain = parseUri(called)?.host;
  return {
    ...(domain !== undefined && { SipDomain: domain }),
    SipCallId: leg.sipCallId,
    ...sipHeaderParameters(headers),
  };
}
