import type { TwimlElement } from '../../document/element.ts';
import { isOn, written } from '../element-text.ts';
import type { Rule } from '../rule.ts';

/** Verbs that hand over to their `action` when they are done, and continue only without one. */
const WITH_ACTION: readonly string[] = ['Connect', 'Dial', 'Enqueue', 'Pay', 'Prompt', 'Refer'];

/** Why no verb behind this one is ever run; undefined when one may be. The fall-through table of the verbs. */
function departs(element: TwimlElement): string | undefined {
  const { name } = element;
  if (name === 'Redirect') return '<Redirect> goes on with another document';
  if (name === 'Reject' || name === 'Hangup') return `<${name}> ends the call`;
  if (name === 'Record') return '<Record> always hands over to its action, or asks for this document again';
  if (name === 'Gather' && isOn(element, 'actionOnEmptyResult')) {
    return '<Gather> with actionOnEmptyResult always hands over to its action';
  }
  if (WITH_ACTION.includes(name) && written(element, 'action')) return `<${name}> hands over to its action`;
  return undefined;
}

/**
 * Verbs behind one that never lets the document continue. One finding, at the first of them. A `<Hangup>` there, or
 * what a person put there to be safe, is only a note.
 */
export const unreachableVerb: Rule = {
  id: 'unreachable-verb',
  level: 'warning',
  title: 'A verb that is never reached',
  docs: 'https://www.twilio.com/docs/voice/twiml#twilios-request-to-your-application',
  check({ verbs }, report) {
    for (const [index, verb] of verbs.entries()) {
      const next = verbs[index + 1];
      const why = departs(verb);
      if (why === undefined || next === undefined) continue;
      const more = verbs.length - index - 2;
      const rest = more > 0 ? ` nor the ${more === 1 ? 'verb' : `${more} verbs`} behind it` : '';
      const message = `<${next.name}> is never reached${rest}: ${why} (line ${verb.position.line}). Move what must happen in front of it, or into the document that follows.`;
      const harmless = next.name === 'Hangup' && more === 0;
      report(next.position, { message, actual: `<${next.name}>`, ...(harmless && { level: 'note' }) });
      return;
    }
  },
};
