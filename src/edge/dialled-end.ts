import { STANDARD_CHOICES } from '../call/choices.ts';
import { outcomeOfOutgoing } from '../call/outcomes.ts';
import type { EdgeEnd } from '../control/server.ts';
import { type Diagnostic, failure, warning } from '../core/diagnostic.ts';
import { SipEnded } from '../sip/agent/port.ts';
import type { DialTarget } from './dial-target.ts';
import { endOf } from './edge-call.ts';

/** How a call that was never answered ended, and what the customer should know of it. */
export function endOfDialled(reason: unknown, target: Pick<DialTarget, 'kind' | 'uri'>): EdgeEnd {
  const end = endOf(reason);
  const unreached = reason instanceof SipEnded && UNREACHED.has(reason.cause);
  const named: EdgeEnd = unreached ? { ...end, cause: 'unreachable' } : end;
  const diagnostic = isLost(reason) ? contactDiagnostic(target.uri) : diagnosticOf(named, target);
  return diagnostic ? { ...named, diagnostic } : named;
}

/** No response of its own: silence for four seconds, timer B, a connection that was refused. */
const UNREACHED: ReadonlySet<SipEnded['cause']> = new Set(['unreachable', 'timeout', 'transport-error']);

const isLost = (reason: unknown) => reason instanceof SipEnded && reason.cause === 'no-target';

/** @see https://www.twilio.com/docs/api/errors/32105 */
function contactDiagnostic(uri: string): Diagnostic {
  return warning(
    32105,
    `${uri} answered with a Contact that cannot be used: it was hung up on. Expected is a SIP URI, such as <sip:user@host>.`,
  );
}

/**
 * A peer that is busy or does not answer does what it should; 32011 is for one that fails. What happens to our own
 * numbers is in the record of the call that came in.
 *
 * @see https://www.twilio.com/docs/api/errors/32011 @see https://www.twilio.com/docs/api/errors/32219
 */
function diagnosticOf(end: EdgeEnd, { kind, uri }: Pick<DialTarget, 'kind' | 'uri'>): Diagnostic | undefined {
  const { cause, sipStatus } = end;
  if (cause === 'rejected' && sipStatus !== undefined && sipStatus < 400) {
    if (kind === 'device') {
      return failure(
        32219,
        `The registered device ${uri} redirected the call (${sipStatus}), which is not followed: let the device answer or refuse, and name the other party in the document.`,
      );
    }
    return failure(
      32219,
      `${uri} redirected the call (${sipStatus}) to where it cannot go. One redirection is followed: to the first Contact, over UDP or TCP, at no host of this installation and at a public address (TRUNKLINE_ALLOW_PRIVATE).`,
    );
  }
  if (kind === 'own' || outcomeOfOutgoing(end, false, undefined, true, STANDARD_CHOICES) !== 'failed')
    return undefined;
  if (cause === 'rejected') return warning(32011, `${uri} refused the call with ${sipStatus}.`);
  if (cause !== 'unreachable') return undefined;
  if (kind === 'device') {
    const message = `The registered device ${uri} did not respond by the way it registered: it is gone, or its connection is. It can be called again once it has registered anew.`;
    return warning(32011, message);
  }
  return warning(
    32011,
    `${uri} did not respond: check that it runs and that it can be reached from this edge.`,
  );
}
