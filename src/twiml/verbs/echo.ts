import { echo as spec } from '../grammar/sms.ts';
import { noBody } from './bodies.ts';
import { defineVerb } from './define-verb.ts';

/**
 * `<Echo>` lets callers hear themselves until they hang up, or the API gives the call another document. No key ends
 * it (our choice: the verb is in Twilio's libraries, and no page explains it).
 *
 * @see https://www.twilio.com/docs/voice/twiml
 */
export const echo = defineVerb({
  ...spec,
  body: noBody(),
  async run(_, call, signal) {
    await call.answer();
    return await call.world.leg.echo(signal);
  },
});
