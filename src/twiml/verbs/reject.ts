import { attr } from './attributes.ts';
import { noBody } from './bodies.ts';
import { defineVerb } from './define-verb.ts';

/**
 * `<Reject>` refuses a call that still rings; an answered one is hung up.
 *
 * @see https://www.twilio.com/docs/voice/twiml/reject
 */
export const reject = defineVerb({
  name: 'Reject',
  docs: 'https://www.twilio.com/docs/voice/twiml/reject',
  attributes: {
    reason: attr.oneOf(['rejected', 'busy'], { default: 'rejected', invalid: 13810 }),
  },
  body: noBody(['Parameter']),
  detail: ({ attributes }) => attributes.reason,
  async run({ attributes }, call) {
    if (call.world.leg.state !== 'ringing') return { kind: 'hangup' };
    return { kind: 'reject', reason: attributes.reason };
  },
});
