import { diagnose } from '../../core/error-catalogue.ts';
import type { TwimlElement } from '../document/element.ts';
import { proceed } from './call-scope.ts';
import type { Verb } from './define-verb.ts';

/** Verbs of Twilio's grammar that Trunkline does not execute yet. @see https://www.twilio.com/docs/voice/twiml */
const NAMES = [
  'Connect',
  'Echo',
  'Enqueue',
  'Leave',
  'Pay',
  'Prompt',
  'Queue',
  'Sms',
  'Start',
  'Stop',
] as const;

/** They are named with their position, at error level, and the document continues with the next verb. */
export const notYet: readonly Verb[] = NAMES.map((name) => ({
  name,
  docs: `https://www.twilio.com/docs/voice/twiml/${name.toLowerCase()}`,
  attributes: {},
  read(element: TwimlElement, context) {
    const { line, column } = element.position;
    const message = `line ${line}, column ${column}: <${name}> is not available here yet; the call continues with the next verb.`;
    context.report(diagnose(13750, message, { url: context.url, line, column, actual: name }));
    return {
      name,
      position: element.position,
      detail: 'not available yet',
      run: async () => proceed,
    };
  },
}));
