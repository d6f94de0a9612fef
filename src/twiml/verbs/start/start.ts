import { contentBody, type ReadElement, valuesBy } from '../../grammar/read-element.ts';
import {
  startRecording as recording,
  startSiprec as siprec,
  start as spec,
  startFamily,
} from '../../grammar/start.ts';
import { type CallScope, proceed } from '../call-scope.ts';
import { defineVerb } from '../define-verb.ts';
import { notYet } from '../unavailable.ts';
import { startRecording } from './recording.ts';
import { refuseSiprec } from './siprec.ts';

/**
 * `<Start>` begins something that goes on beside the verbs that follow; the document continues at once. All its nouns
 * count (our choice: Twilio shows one); another element, or none, is 14300 and the document fails there.
 *
 * `action` and `method` are in Twilio's libraries and on no page: they are read and never asked (our choice). Streams
 * and transcriptions are not available here yet; each says so.
 *
 * @see https://www.twilio.com/docs/voice/twiml/start
 */
export const start = defineVerb({
  ...spec,
  body: contentBody(spec, startFamily),
  detail: ({ body }) => body.children.map((noun) => noun.spec.name).join(', ') || 'nothing',
  async run({ body }, call, signal) {
    await call.answer();
    for (const noun of body.children) {
      await begin(noun, call);
      signal.throwIfAborted();
    }
    return proceed;
  },
});

async function begin(noun: ReadElement, call: CallScope): Promise<void> {
  const recorded = valuesBy(noun, recording);
  if (recorded) return await startRecording(recorded, noun.element, call);
  const forked = valuesBy(noun, siprec);
  if (forked) refuseSiprec(forked, noun.element, call);
  else call.world.report(notYet(noun.element, call));
}
