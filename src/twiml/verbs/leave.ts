import { leave as spec } from '../grammar/queue.ts';
import { noBody } from './bodies.ts';
import { proceed } from './call-scope.ts';
import { defineVerb } from './define-verb.ts';

/**
 * `<Leave>` takes a call out of the queue that it waits in. Outside of one it has no effect at all (our choice): a
 * call that rings goes on ringing.
 *
 * @see https://www.twilio.com/docs/voice/twiml/leave
 */
export const leave = defineVerb({
  ...spec,
  body: noBody(),
  async run() {
    return proceed;
  },
});
