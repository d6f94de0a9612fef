import { enqueueFamily, queue as queueSpec, enqueue as spec } from '../grammar/queue.ts';
import { contentBody } from '../grammar/read-element.ts';
import { proceed } from './call-scope.ts';
import { defineVerb } from './define-verb.ts';
import { notYet } from './unavailable.ts';

/**
 * `<Enqueue>` puts the call into a queue. There are no queues here yet: it says so, and the document continues,
 * whatever its `action`.
 *
 * @see https://www.twilio.com/docs/voice/twiml/enqueue
 */
export const enqueue = defineVerb({
  ...spec,
  body: contentBody(spec, enqueueFamily),
  detail: ({ body }) => body.text.slice(0, 80),
  async run({ element }, call) {
    await call.answer();
    call.world.report(notYet(element, call));
    return proceed;
  },
});

/**
 * `<Queue>` as a verb: Twilio's libraries have it, and it connects as it does inside of `<Dial>`. There are no queues
 * here yet: it says so, and the document continues.
 *
 * @see https://www.twilio.com/docs/voice/twiml/queue
 */
export const queue = defineVerb({
  ...queueSpec,
  body: contentBody(queueSpec, enqueueFamily),
  detail: ({ body }) => body.text.slice(0, 80),
  async run({ element }, call) {
    await call.answer();
    call.world.report(notYet(element, call));
    return proceed;
  },
});
