import type { Diagnostic } from '../../../core/diagnostic.ts';
import { type TwimlElement, textOf } from '../../document/element.ts';
import { familyOf } from '../../grammar/common.ts';
import { header, headers, uri } from '../../grammar/dial-nouns.ts';
import { element as elementSpec } from '../../grammar/element-spec.ts';
import { type ReadElement, readElement, textAt } from '../../grammar/read-element.ts';
import { attr } from '../attributes.ts';
import { reportAt } from '../define-verb.ts';
import type { SipHeader } from '../sip-headers.ts';
import { readSipTarget, type SipDiagnostic } from '../sip-uri.ts';
import { type NounContext, type Party, partyOf, rung, withholdAttributes } from './party.ts';

/** @see https://www.twilio.com/docs/voice/twiml/sip#attributes */
export const sipNoun = elementSpec({
  key: 'Sip',
  docs: 'sip',
  attributes: {
    ...rung(13241, 13242),
    username: attr.text({ default: undefined, invalid: 13249 }),
    password: attr.text({ default: undefined, invalid: 13249 }),
  },
  children: ['Headers', 'Uri'],
  text: { expected: 'a SIP URI such as sip:user@host', invalid: 13243 },
});

const family = familyOf([uri, headers, header]);

type SipElement = ReadElement<typeof sipNoun.attributes>;
type Uri = ReadElement<typeof uri.attributes>;

/** A SIP party; undefined, and reported, when nobody can be called by its URI. */
export function readSip(element: TwimlElement, context: NounContext): Party | undefined {
  const sip = readElement(sipNoun, element, context, family);
  withholdAttributes(element, context, ['machineDetection']);
  const chosen = chooseUri(sip, context);
  // Of its own URI's, or of the noun's: both belong together.
  const own = chosen && (chosen.values.username !== undefined || chosen.values.password !== undefined);
  const credentials = own ? chosen.values : sip.values;
  const text = textOf(chosen?.element ?? element);
  const at = textAt(chosen?.element ?? element);
  const { username, password } = credentials;
  const options = { username, password, headers: headersOf(sip), devices: true };
  const { target, diagnostics } = readSipTarget(text, options);
  const placed = ({ code, level, position = at, message, ...found }: SipDiagnostic): Diagnostic => {
    const { line, column } = position;
    const where = `line ${line}, column ${column}: `;
    return { code, level, message: where + message, ...found, url: context.url, line, column };
  };
  for (const found of diagnostics) context.report(placed(found));
  const barred = target?.barred && { barred: placed(target.barred) };
  return target && { ...partyOf(sip.values, element.position), target: { ...target, ...barred } };
}

const isUri = (child: ReadElement): child is Uri => child.spec.key === uri.key;

/**
 * Of several `<Uri>`s the one with the lowest priority, as RFC 2782 orders servers, and of equals the first. Our choice:
 * it is the only one that is called; the others are reported. Twilio's libraries have the element and no page explains
 * it.
 */
function chooseUri({ element, children, text }: SipElement, context: NounContext): Uri | undefined {
  const uris = children.filter(isUri);
  if (uris.length === 0) return undefined;
  const priority = ({ values }: Uri) => values.priority ?? Number.POSITIVE_INFINITY;
  const [first, ...others] = uris.toSorted((a, b) => priority(a) - priority(b));
  if (!first) return undefined;
  if (text !== '') {
    const message = `<Sip> takes either a URI or <Uri>; the text "${text.slice(0, 40)}" is ignored.`;
    reportAt(context, 12200, textAt(element), message, { actual: text.slice(0, 100) });
  }
  for (const other of others) {
    const message = 'one <Uri> of a <Sip> is called, that of the lowest priority; this one is not.';
    reportAt(context, 12200, other.element.position, message, {
      actual: `${uris.length} of <Uri>`,
      expected: '1',
    });
  }
  return first;
}

/** The `<Header>`s, wherever in the `<Sip>` they are listed. */
function headersOf({ children }: SipElement): readonly SipHeader[] {
  if (children.length === 0) return [];
  return children
    .flatMap((child) => (child.spec.key === headers.key ? child.children : []))
    .map((found) => ({
      name: found.element.attributes.get('name')?.value ?? '',
      value: found.element.attributes.get('value')?.value ?? '',
      position: found.element.position,
    }));
}
