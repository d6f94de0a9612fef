import { sleep } from '../../core/clock.ts';
import { attr } from './attributes.ts';
import { noBody } from './bodies.ts';
import { proceed } from './call-scope.ts';
import { defineVerb } from './define-verb.ts';

/**
 * `<Pause>` waits. On a call that still rings, it rings on for that long and is answered then.
 *
 * @see https://www.twilio.com/docs/voice/twiml/pause
 */
export const pause = defineVerb({
  name: 'Pause',
  docs: 'https://www.twilio.com/docs/voice/twiml/pause',
  attributes: {
    length: attr.seconds({ default: 1_000, invalid: 13910, min: 1 }),
  },
  body: noBody(),
  detail: ({ attributes }) => `${attributes.length / 1000} s`,
  async run({ attributes }, call, signal) {
    await sleep(call.world.clock, attributes.length, signal);
    await call.answer();
    return proceed;
  },
});
