import { placeOf, written } from '../element-text.ts';
import type { Rule } from '../rule.ts';
import { takesKeys } from './takes.ts';

/** What `finishOnKey` and `numDigits` make of each other. */
export const finishingKey: Rule = {
  id: 'finishing-key',
  level: 'note',
  title: 'finishOnKey and numDigits together',
  docs: 'https://www.twilio.com/docs/voice/twiml/gather#finishonkey',
  check({ elements }, report) {
    for (const gather of elements) {
      if (gather.name !== 'Gather' || !takesKeys(gather)) continue;
      const key = written(gather, 'finishOnKey');
      const digits = written(gather, 'numDigits');
      const position = placeOf(gather, 'finishOnKey');
      // With a single digit it is how "#" becomes a choice like any other: nobody waits.
      if (key === '' && digits !== undefined && Number(digits) > 1) {
        const message = `finishOnKey="" with numDigits="${digits}": no key ends the input early, "#" counts as a digit, and who enters fewer than ${digits} waits for the timeout; name a key unless that is meant.`;
        report(position, { message, actual: '""', expected: 'a key such as #' });
      } else if (key === '' && digits === undefined) {
        const message =
          'finishOnKey="" without numDigits: only the timeout ends the input, after every caller; give numDigits, or name a key, unless that is meant.';
        report(position, { message, actual: '""', expected: 'numDigits, or a key such as #' });
      } else if (key !== undefined && key !== '' && digits === '1') {
        const message = `numDigits="1" ends the input by itself: finishOnKey="${key}" only makes a caller who presses ${key} count as one who pressed nothing; leave it out, or write finishOnKey="" to let every key be chosen.`;
        report(position, { message, actual: key });
      }
    }
  },
};
