import { payFamily, prompt as spec } from '../grammar/pay.ts';
import { contentBody } from '../grammar/read-element.ts';
import { proceed } from './call-scope.ts';
import { defineVerb, reportAt } from './define-verb.ts';

/**
 * `<Prompt>` is what `<Pay>` says at one of its steps. Twilio's libraries also let it stand by itself, where it means
 * nothing: 12200, and the document continues.
 *
 * @see https://www.twilio.com/docs/voice/twiml/pay/prompt
 */
export const prompt = defineVerb({
  ...spec,
  body: contentBody(spec, payFamily),
  check({ element }, context) {
    const message = '<Prompt> belongs into <Pay>; here it is ignored.';
    reportAt(context, 12200, element.position, message, { actual: context.within, expected: 'Pay' });
  },
  detail: ({ attributes }) => attributes.for ?? '',
  async run() {
    return proceed;
  },
});
