import { contentBody, type ReadElement, valuesBy } from '../../grammar/read-element.ts';
import { stop as spec, startFamily, stopRecording, stopSiprec } from '../../grammar/start.ts';
import { type CallScope, proceed } from '../call-scope.ts';
import { defineVerb } from '../define-verb.ts';
import { notYet, unavailable } from '../unavailable.ts';

/**
 * `<Stop>` ends, by name, what `<Start>` began. The document continues. A recording that does not run is 16114, a
 * recording that is not in a state to be stopped (our choice of the code; Twilio documents none).
 *
 * @see https://www.twilio.com/docs/voice/twiml/stop
 */
export const stop = defineVerb({
  ...spec,
  body: contentBody(spec, startFamily),
  detail: ({ body }) => body.children.map((noun) => noun.spec.name).join(', ') || 'nothing',
  async run({ body }, call, signal) {
    await call.answer();
    for (const noun of body.children) {
      await end(noun, call);
      signal.throwIfAborted();
    }
    return proceed;
  },
});

async function end(noun: ReadElement, call: CallScope): Promise<void> {
  const recorded = valuesBy(noun, stopRecording);
  if (recorded) return await endRecording(recorded.name ?? '', noun, call);
  // No fork can be running: `<Start>` has said so.
  if (noun.spec.key !== stopSiprec.key) call.world.report(notYet(noun.element, call));
}

async function endRecording(name: string, { element }: ReadElement, call: CallScope): Promise<void> {
  if (name === '') return; // 12200 has been reported
  const found = call.world.recordings.followed.find((running) => running.name === name);
  if (found) return await found.stop();
  const message = `no recording "${name.slice(0, 100)}" of this call is running; nothing is stopped.`;
  call.world.report(unavailable(16114, element, call, message));
}
