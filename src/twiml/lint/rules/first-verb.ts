import type { Rule } from '../rule.ts';

/** What the first verb does to a call that still rings, where that surprises people. */
const SURPRISES: ReadonlyMap<string, string> = new Map([
  [
    'Hangup',
    '<Hangup> as the first verb answers a ringing call and ends it, and it is charged for; <Reject> refuses it without answering.',
  ],
  [
    'Pause',
    '<Pause> as the first verb lets a ringing call ring on for that long before it is answered; put a <Say> or <Play> in front to answer at once.',
  ],
]);

/** The first verb decides whether and when a ringing call is answered. */
export const firstVerb: Rule = {
  id: 'first-verb',
  level: 'note',
  title: 'What the first verb does to a call that still rings',
  docs: 'https://www.twilio.com/docs/voice/twiml/reject',
  check({ verbs: [first] }, report) {
    const message = SURPRISES.get(first?.name ?? '');
    if (first && message !== undefined) report(first.position, { message, actual: `<${first.name}>` });
  },
};
