import { isSid } from '../../../core/ids.ts';
import { isElement, type TwimlElement, textOf } from '../../document/element.ts';
import { element as elementSpec } from '../../grammar/element-spec.ts';
import { attr } from '../attributes.ts';
import { reportChildren } from '../bodies.ts';
import { type ReadContext, readAttributes, reportAt } from '../define-verb.ts';
import { readParameters } from '../parameters.ts';
import type { Party } from './party.ts';

/** @see https://www.twilio.com/docs/voice/twiml/dial/application */
export const applicationNoun = elementSpec({
  key: 'Application',
  docs: 'dial/application',
  attributes: {
    customerId: attr.text(
      { default: undefined, invalid: 12200 },
      /^.{0,256}$/su,
      'at most 256 characters', // absent: the account's SID
    ),
    copyParentTo: attr.boolean({ default: false, invalid: 12200 }),
    url: attr.url(),
    method: attr.method({ default: 'POST', invalid: 12200 }),
    statusCallback: attr.url(),
    statusCallbackMethod: attr.method({ default: 'POST', invalid: 12200 }),
    statusCallbackEvent: attr.listOf(['initiated', 'ringing', 'answered', 'completed'], {
      default: ['completed'],
      invalid: 12200,
    }),
  },
  children: ['ApplicationSid', 'Parameter'],
  text: { expected: 'an application SID', invalid: 12200 },
});

/**
 * The application that is called; undefined, and reported, when it has no usable SID, as text or in
 * `<ApplicationSid>`. Its `url` takes the place of its voice URL (our choice: Twilio's grammar has the attribute and
 * its pages do not explain it).
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial/application
 */
export function readApplication(element: TwimlElement, context: ReadContext): Party | undefined {
  const values = readAttributes(applicationNoun.attributes, element, context);
  reportChildren(element, context, applicationNoun.children);
  const sid = readSid(element, context);
  const parameters = readParameters(element, context);
  if (sid === undefined) return undefined;
  const { customerId, copyParentTo, url, method } = values;
  const { statusCallback, statusCallbackMethod, statusCallbackEvent } = values;
  const { position } = element;
  return {
    target: {
      kind: 'application',
      sid,
      copyParentTo,
      customerId,
      parameters,
      document: url ? { url, method } : undefined,
      at: { url: context.url, ...position },
    },
    position,
    sendDigits: '',
    screening: undefined,
    statusCallback: statusCallback
      ? { url: statusCallback, method: statusCallbackMethod, events: statusCallbackEvent }
      : undefined,
  };
}

function readSid(element: TwimlElement, context: ReadContext): string | undefined {
  const named = element.children.filter(isElement).filter((child) => child.name === 'ApplicationSid');
  const sid = (named[0] ? textOf(named[0]) : textOf(element)).trim();
  if (named.length <= 1 && isSid(sid, 'AP')) return sid;
  const expected = 'one application SID, AP and 32 hexadecimal digits';
  const actual = named.length > 1 ? `${named.length} of <ApplicationSid>` : sid.slice(0, 100);
  const message = `<Application> names "${actual}"; expected ${expected}; it is not called.`;
  reportAt(context, 12200, element.position, message, { actual, expected });
  return undefined;
}

/**
 * `<Dial>` calls one application, and nobody beside it. Our choice of who is called all the same: the others, who can
 * be called together; of several applications the first.
 */
export function withoutSecondApplications(parties: readonly Party[], context: ReadContext): readonly Party[] {
  const applications = parties.filter(({ target }) => target.kind === 'application');
  const others = parties.filter(({ target }) => target.kind !== 'application');
  const called = others.length > 0 ? others : applications.slice(0, 1);
  for (const { position } of applications) {
    if (called.some((party) => party.position === position)) continue;
    const message =
      '<Application> cannot be dialled together with others and is not called; put it into a <Dial> of its own.';
    reportAt(context, 12200, position, message, { actual: `${parties.length} nouns`, expected: '1' });
  }
  return called;
}
