import { noBody } from './bodies.ts';
import { defineVerb } from './define-verb.ts';

/**
 * `<Hangup>` ends the call. One that still rings is answered first; `<Reject>` is the verb that does not.
 *
 * @see https://www.twilio.com/docs/voice/twiml/hangup
 */
export const hangup = defineVerb({
  name: 'Hangup',
  docs: 'https://www.twilio.com/docs/voice/twiml/hangup',
  attributes: {},
  body: noBody(['Parameter']),
  async run(_node, call) {
    await call.answer();
    return { kind: 'hangup' };
  },
});
