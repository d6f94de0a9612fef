import { attr } from './attributes.ts';
import { defineVerb } from './define-verb.ts';
import { parametersBody } from './parameters.ts';

/**
 * `<Reject>` refuses a call that still rings; an answered one is hung up. Its `<Parameter>`s are given back as those of
 * `<Hangup>` are.
 *
 * @see https://www.twilio.com/docs/voice/twiml/reject
 */
export const reject = defineVerb({
  name: 'Reject',
  docs: 'https://www.twilio.com/docs/voice/twiml/reject',
  attributes: {
    reason: attr.oneOf(['rejected', 'busy'], { default: 'rejected', invalid: 13810 }),
  },
  body: parametersBody,
  detail: ({ attributes }) => attributes.reason,
  async run({ attributes, body: parameters }, call) {
    if (call.world.leg.state !== 'ringing') return { kind: 'hangup', parameters };
    return { kind: 'reject', reason: attributes.reason, parameters };
  },
});
