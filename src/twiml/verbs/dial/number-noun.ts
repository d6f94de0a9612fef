import { isE164 } from '../../../core/e164.ts';
import { type Position, type TwimlElement, textOf } from '../../document/element.ts';
import { element as elementSpec } from '../../grammar/element-spec.ts';
import { textAt } from '../../grammar/read-element.ts';
import { attr } from '../attributes.ts';
import { reportChildren } from '../bodies.ts';
import { type ReadContext, readAttributes, reportAt } from '../define-verb.ts';
import type { DialTarget } from '../ports.ts';
import { type NounContext, type Party, partyOf, rung, withholdAttributes } from './party.ts';

/** @see https://www.twilio.com/docs/voice/twiml/number#attributes */
export const numberNoun = elementSpec({
  key: 'Number',
  docs: 'number',
  attributes: {
    ...rung(13221, 13222),
    byoc: attr.text(
      { default: undefined, invalid: 12200, support: 'refused' },
      /^BY[0-9a-f]{32}$/,
      'the SID of a BYOC trunk',
    ),
  },
  text: { expected: 'E.164 such as +15005550006', required: 13223, invalid: 13223 },
});

export function readNumber(element: TwimlElement, context: NounContext): Party | undefined {
  const values = readAttributes(numberNoun.attributes, element, context);
  reportChildren(element, context);
  withholdAttributes(element, context, ['machineDetection', 'byoc']);
  const target = numberTarget(textOf(element).trim(), textAt(element), context);
  return target && { ...partyOf(values, element.position), target };
}

/** The number that is the text of a `<Dial>`. */
export function readPlainNumber(element: TwimlElement, context: ReadContext): Party | undefined {
  const target = numberTarget(textOf(element).trim(), textAt(element), context);
  const { position } = element;
  return target && { target, position, sendDigits: '', screening: undefined, statusCallback: undefined };
}

/** What people put between the digits of a number. */
const PUNCTUATION = /[\s().-]/g;

/**
 * A number as E.164: with its punctuation dropped, and North American ones completed.
 * @see https://www.twilio.com/docs/voice/twiml/number
 */
function numberTarget(text: string, position: Position, context: ReadContext): DialTarget | undefined {
  const bare = text.replace(PUNCTUATION, '');
  const number = /^[2-9]\d{9}$/.test(bare) ? `+1${bare}` : /^1[2-9]\d{9}$/.test(bare) ? `+${bare}` : bare;
  if (isE164(number)) return { kind: 'number', number };
  const shown = text.slice(0, 40);
  const what = shown === '' ? 'there is no number here' : `"${shown}" is no telephone number`;
  const message = `${what}; expected E.164 such as +15005550006; it is not called.`;
  // Our choice: 13223 is for what is not written as a number, 13224 for one that no country has.
  const code = /^\+0\d+$/.test(bare) ? 13224 : 13223;
  reportAt(context, code, position, message, { actual: shown, expected: 'E.164' });
  return undefined;
}
