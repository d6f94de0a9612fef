import type { Rule } from '../rule.ts';

/** @see https://www.twilio.com/docs/api/errors/32018 */
const MOST_CHARACTERS = 4_000;

/** What the API takes as `Twiml` is shorter than what it fetches. */
export const inlineLength: Rule = {
  id: 'inline-length',
  level: 'error',
  title: 'TwiML that is too long to be handed over as text',
  docs: 'https://www.twilio.com/docs/api/errors/32018',
  check({ text, inline, root }, report) {
    if (!inline || text.length <= MOST_CHARACTERS) return;
    const message = `the document has ${text.length} characters; what is handed over as text may have at most ${MOST_CHARACTERS}; serve it and hand over its URL.`;
    const actual = `${text.length}`;
    report(root.position, {
      code: 32018,
      message,
      actual,
      expected: `at most ${MOST_CHARACTERS} characters`,
    });
  },
};
