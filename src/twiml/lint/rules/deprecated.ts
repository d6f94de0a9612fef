import type { Position, TwimlElement } from '../../document/element.ts';
import type { Rule } from '../rule.ts';

/** Of an element, or of one of its attributes. */
interface Deprecation {
  readonly attribute?: string;
  /** What takes its place, as the message ends. */
  readonly instead: string;
}

/** @see https://www.twilio.com/docs/voice/twiml, the page of each */
const DEPRECATED: ReadonlyMap<string, Deprecation> = new Map<string, Deprecation>([
  ['Conference', { attribute: 'eventCallbackUrl', instead: 'use recordingStatusCallback' }],
  ['Gather', { attribute: 'enhanced', instead: 'choose a speechModel' }],
  ['Autopilot', { instead: 'it was retired; use <ConversationRelay>' }],
]);

/** What still means something and is going away. */
export const deprecated: Rule = {
  id: 'deprecated',
  level: 'note',
  title: 'Something that is deprecated',
  docs: 'https://www.twilio.com/docs/voice/twiml',
  check({ elements }, report) {
    for (const element of elements) {
      const deprecation = DEPRECATED.get(element.name);
      if (!deprecation) continue;
      const { attribute, instead } = deprecation;
      const position = place(element, attribute);
      if (!position) continue;
      const what = attribute === undefined ? `<${element.name}>` : `${attribute} of <${element.name}>`;
      report(position, { message: `${what} is deprecated; ${instead}.`, actual: attribute ?? element.name });
    }
  },
};

const place = (
  { attributes, position }: TwimlElement,
  attribute: string | undefined,
): Position | undefined => (attribute === undefined ? position : attributes.get(attribute)?.position);
