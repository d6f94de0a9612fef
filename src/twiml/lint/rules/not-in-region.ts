import { DEFAULT_REGION } from '../../../region/region.ts';
import type { TwimlElement } from '../../document/element.ts';
import { written } from '../element-text.ts';
import type { Rule } from '../rule.ts';

/** Something that exists in us1 alone. */
interface Us1Only {
  readonly element: string;
  readonly attribute?: string;
  /** Twilio's code for it, if there is one. */
  readonly code?: number;
}

/**
 * @see https://www.twilio.com/docs/global-infrastructure/regional-product-and-feature-availability
 * @see https://www.twilio.com/docs/api/errors/13258 and 13803, 14219, 14226, 31952
 */
const US1_ONLY: readonly Us1Only[] = [
  { element: 'Sim', code: 13258 },
  { element: 'Sms', code: 13803 },
  { element: 'Queue', attribute: 'reservationSid', code: 14219 },
  { element: 'Enqueue', attribute: 'workflowSid', code: 14226 },
  { element: 'Stream', attribute: 'connectorName', code: 31952 },
  { element: 'Room' },
  { element: 'VirtualAgent' },
  { element: 'Siprec' },
  { element: 'WhatsApp' },
  { element: 'Pay' },
  { element: 'Transcription', attribute: 'intelligenceService' },
  { element: 'ConversationRelay', attribute: 'intelligenceService' },
];

export const notInRegion: Rule = {
  id: 'not-in-region',
  level: 'warning',
  title: 'Something that does not exist in the Region',
  docs: 'https://www.twilio.com/docs/global-infrastructure/regional-product-and-feature-availability',
  check({ elements, region }, report) {
    if (region === undefined || region === DEFAULT_REGION) return;
    for (const element of elements) {
      for (const { attribute, code } of US1_ONLY.filter((only) => matches(only, element))) {
        const what = attribute === undefined ? `<${element.name}>` : `${attribute} of <${element.name}>`;
        const position =
          (attribute !== undefined && element.attributes.get(attribute)?.position) || element.position;
        const message = `${what} does not exist in ${region}, only in ${DEFAULT_REGION}; do without it, or route the number to ${DEFAULT_REGION}.`;
        const level = code === undefined ? 'warning' : 'error';
        report(position, {
          ...(code !== undefined && { code }),
          level,
          message,
          actual: region,
          expected: DEFAULT_REGION,
        });
      }
    }
  },
};

const matches = ({ element: name, attribute }: Us1Only, element: TwimlElement) =>
  element.name === name && (attribute === undefined || Boolean(written(element, attribute)));
