import { attr } from './attributes.ts';
import { urlBody } from './bodies.ts';
import { transfer } from './call-scope.ts';
import { defineVerb } from './define-verb.ts';

/**
 * `<Redirect>` goes on with another document; without a URL, with the current one again. A ringing call rings on.
 *
 * @see https://www.twilio.com/docs/voice/twiml/redirect
 */
export const redirect = defineVerb({
  name: 'Redirect',
  docs: 'https://www.twilio.com/docs/voice/twiml/redirect',
  attributes: {
    method: attr.method({ default: 'POST', invalid: 13710 }),
  },
  body: urlBody,
  detail: ({ body }) => body,
  async run({ attributes, body, element }, call) {
    return transfer(call, body, element.position, attributes.method, {});
  },
});
