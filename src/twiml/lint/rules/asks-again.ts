import type { TwimlElement } from '../../document/element.ts';
import { placeOf, written } from '../element-text.ts';
import type { LintedDocument, Report, Rule } from '../rule.ts';

const WHAT: ReadonlyMap<string, string> = new Map([
  ['Gather', 'what the caller enters'],
  ['Record', 'the recording'],
]);

/** `<Gather>` and `<Record>` without `action` hand over to the document they stand in: often a loop. */
export const asksAgain: Rule = {
  id: 'asks-again',
  level: 'warning',
  title: 'Gather or Record without action asks for the same document again',
  docs: 'https://www.twilio.com/docs/voice/twiml/gather#action',
  check(document, report) {
    for (const verb of document.verbs) {
      const what = WHAT.get(verb.name);
      if (what !== undefined && !written(verb, 'action')) check(verb, what, document, report);
    }
  },
};

function check(verb: TwimlElement, what: string, { inline }: LintedDocument, report: Report): void {
  const position = placeOf(verb, 'action');
  const finding = { actual: 'no action', expected: 'action' };
  if (inline) {
    // As a live call says it: https://www.twilio.com/docs/api/errors/11100
    const message = `<${verb.name}> has no action, and a document that is handed over as text has no URL to be asked for again; write an absolute action.`;
    report(position, { ...finding, code: 11100, level: 'error', message, expected: 'an absolute URL' });
    return;
  }
  const message = `<${verb.name}> has no action, so ${what} is sent to the URL of this very document, which the caller then hears again; name the URL that takes it, this one's own if that is meant.`;
  report(position, { ...finding, message });
}
