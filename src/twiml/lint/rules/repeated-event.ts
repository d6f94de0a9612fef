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
        if (!/CallbackEvent$/.test(name)) continue;
        const events = value.split(/\s+/).filter((event) => event !== '');
        const twice = events.find((event, index) => events.indexOf(event) < index);
        if (twice === undefined) continue;
        const message = `${name} of <${element}> names "${twice}" twice; once is enough.`;
        report(position, { message, actual: value.slice(0, 100) });
      }
    }
  },
};
