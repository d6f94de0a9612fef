import type { Rule } from '../rule.ts';

/** A list that names something twice: often one of them should have been another. */
export const repeatedEvent: Rule = {
  id: 'repeated-event',
  level: 'note',
  title: 'An event that is named twice',
  docs: 'https://www.twilio.com/docs/voice/twiml/number#statuscallbackevent',
  check({ elements }, report) {
    for (const { attributes, name: element } of elements) {
      for (const [name, { value, position }] of attributes) {
        if (!name.endsWith('CallbackEvent')) continue;
        const twice = firstRepeated(value.trim().split(/\s+/));
        if (twice === undefined) continue;
        const message = `${name} of <${element}> names "${twice}" twice; once is enough.`;
        report(position, { message, actual: value.slice(0, 100) });
      }
    }
  },
};

function firstRepeated(events: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return events.find((event) => seen.size === seen.add(event).size);
}
