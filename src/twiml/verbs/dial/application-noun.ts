import { isSid } from '../../../core/ids.ts';
import { isElement, type TwimlElement, textOf } from '../../document/element.ts';
import { attr } from '../attributes.ts';
import { reportChildren } from '../bodies.ts';
import { type ReadContext, readAttributes, reportAt } from '../define-verb.ts';

/** @see https://www.twilio.com/docs/voice/twiml/dial/application#attributes */
export const applicationAttributes = {
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
} as const;

const PARAMETER = {
  name: attr.text({ default: '', invalid: 12200 }),
  value: attr.text({ default: '', invalid: 12200 }),
} as const;

/**
 * Reports what is wrong with an `<Application>`: its SID, as text or in `<ApplicationSid>`, its `<Parameter>`s, and what
 * the `<Dial>` around it cannot do for it.
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial/application
 */
export function checkApplication(element: TwimlElement, context: ReadContext): void {
  readAttributes(applicationAttributes, element, context);
  reportChildren(element, context, ['ApplicationSid', 'Parameter']);
  const inner: ReadContext = { ...context, within: element.name, report: (found) => context.report(found) };
  checkSid(element, inner);
  const names = new Set<string>();
  for (const child of element.children.filter(isElement)) {
    if (child.name !== 'Parameter') continue;
    const { name } = readAttributes(PARAMETER, child, inner);
    if (name !== '' && !names.has(name)) names.add(name);
    else {
      const what = name === '' ? 'has no name' : `"${name}" is there already`;
      const message = `this <Parameter> ${what}; give each a name of its own. It is ignored.`;
      reportAt(inner, 12200, child.position, message, { actual: name });
    }
  }
}

function checkSid(element: TwimlElement, context: ReadContext): void {
  const named = element.children.filter(isElement).filter((child) => child.name === 'ApplicationSid');
  const sid = (named[0] ? textOf(named[0]) : textOf(element)).trim();
  if (named.length <= 1 && isSid(sid, 'AP')) return;
  const expected = 'one application SID, AP and 32 hexadecimal digits';
  const actual = named.length > 1 ? `${named.length} of <ApplicationSid>` : sid.slice(0, 100);
  const message = `<Application> names "${actual}"; expected ${expected}.`;
  reportAt(context, 12200, element.position, message, { actual, expected });
}

/** `<Dial>` calls one application at a time, and nobody beside it. */
export function checkAlone(nouns: readonly TwimlElement[], context: ReadContext): void {
  const application = nouns.find(({ name }) => name === 'Application');
  if (!application || nouns.length === 1) return;
  const message = '<Application> cannot be dialled together with others; put it into a <Dial> of its own.';
  reportAt(context, 12200, application.position, message, { actual: `${nouns.length} nouns`, expected: '1' });
}
