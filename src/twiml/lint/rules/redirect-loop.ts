import { bodyOf } from '../element-text.ts';
import type { Rule } from '../rule.ts';

/** A document that does nothing but ask for itself. Live calls end such a loop after a number of rounds. */
export const redirectLoop: Rule = {
  id: 'redirect-loop',
  level: 'warning',
  title: 'A document that only redirects to itself',
  docs: 'https://www.twilio.com/docs/voice/twiml/redirect',
  check({ verbs: [first], url, inline }, report) {
    if (first?.name !== 'Redirect' || inline) return;
    const { text, position } = bodyOf(first);
    if (text !== '' && !(url !== undefined && URL.canParse(text, url) && new URL(text, url).href === url))
      return;
    const message =
      '<Redirect> asks for this document again before anything has happened: a document that does not change is asked for without end; name another URL, or put a verb in front that takes time.';
    report(position, { message, actual: text.slice(0, 100), expected: 'another URL' });
  },
};
