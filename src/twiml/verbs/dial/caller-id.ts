import { isE164 } from '../../../core/e164.ts';
import { type ReadContext, reportAt, type VerbNode } from '../define-verb.ts';
import type { dialAttributes } from './attributes.ts';
import type { Parties, Party } from './party.ts';

/** Our choice where the documentation says only "too long": what fits into a SIP URI. */
const LONGEST_CALLER_ID = 254;

/** What SIP parties and applications may be shown. @see https://www.twilio.com/docs/voice/twiml/dial#callerid */
const SIP_NAME = /^[A-Za-z0-9+\-_.]+$/;

type DialNode = VerbNode<typeof dialAttributes, Parties>;

/** The caller id as far as the document alone decides; undefined: the caller's own. Too long a one is not used. */
export function callerIdOf({ attributes: { callerId } }: DialNode): string | undefined {
  return callerId === undefined || callerId === '' || callerId.length > LONGEST_CALLER_ID
    ? undefined
    : callerId;
}

/** Another client, which only clients may be shown. @see https://www.twilio.com/docs/voice/twiml/client */
const CLIENT_NAME = /^client:\S+$/;

/**
 * Whom the caller id can be shown to: a telephone number to anybody, a name to all but telephones. Whether a number is
 * the caller's own is checked where it is called from.
 */
export function mayBeShown(callerId: string | undefined, { target }: Party): boolean {
  if (callerId === undefined || isE164(callerId)) return true;
  if (target.kind === 'client' && CLIENT_NAME.test(callerId)) return true;
  return target.kind !== 'number' && SIP_NAME.test(callerId);
}

/** Reports a caller id that cannot be used: 13248, or 13214 for the parties that are then not called. */
export function checkCallerId(node: DialNode, context: ReadContext): void {
  const { callerId = '' } = node.attributes;
  const position = node.element.attributes.get('callerId')?.position ?? node.element.position;
  const actual = callerId.slice(0, 100);
  if (callerId.length > LONGEST_CALLER_ID) {
    const message = `callerId has ${callerId.length} characters; the caller's own is used.`;
    const expected = `at most ${LONGEST_CALLER_ID} characters`;
    reportAt(context, 13248, position, message, { actual, expected });
    return;
  }
  if (node.body.called.every((party) => mayBeShown(callerIdOf(node), party))) return;
  const message = `callerId="${actual}" cannot be shown to every party; numbers need E.164, SIP parties letters, digits and + - _ .; who cannot see it is not called.`;
  reportAt(context, 13214, position, message, { actual, expected: 'E.164' });
}
