import { defineVerb } from './define-verb.ts';
import { parametersBody } from './parameters.ts';

/**
 * `<Hangup>` ends the call. One that still rings is answered first; `<Reject>` is the verb that does not. The call of an
 * application that `<Dial>` called gives its `<Parameter>`s back to whoever dialled.
 *
 * @see https://www.twilio.com/docs/voice/twiml/hangup
 */
export const hangup = defineVerb({
  name: 'Hangup',
  docs: 'https://www.twilio.com/docs/voice/twiml/hangup',
  attributes: {},
  body: parametersBody,
  async run({ body: parameters }, call) {
    await call.answer();
    return { kind: 'hangup', parameters };
  },
});
