import { contentBody } from '../grammar/read-element.ts';
import { sms as spec } from '../grammar/sms.ts';
import { proceed, transfer } from './call-scope.ts';
import { defineVerb } from './define-verb.ts';
import { unavailable } from './unavailable.ts';

/**
 * `<Sms>` sends a message, which nothing here can: 13803, Twilio's code for Regions that have no messages. `action` is
 * then told `SmsStatus=failed`, of no message that would have a SID; without one the document continues.
 *
 * @see https://www.twilio.com/docs/voice/twiml/sms
 */
export const sms = defineVerb({
  ...spec,
  body: contentBody(spec, new Map()),
  detail: ({ body }) => body.text.slice(0, 80),
  async run({ attributes: { action, method }, element }, call) {
    await call.answer();
    const message = 'there are no messages here; this one is not sent. Send it from your application.';
    call.world.report(unavailable(13803, element, call, message));
    return action ? transfer(call, action, element.position, method, { SmsStatus: 'failed' }) : proceed;
  },
});
