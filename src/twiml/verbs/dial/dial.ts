import { defineVerb } from '../define-verb.ts';
import { dialAttributes } from './attributes.ts';
import { checkCallerId } from './caller-id.ts';
import { Dialling } from './dialling.ts';
import { partiesBody } from './nouns.ts';
import { invitationsOf, nameOf } from './plan.ts';

/**
 * `<Dial>` calls one or several parties and connects the call to the first that answers.
 *
 * The call is answered first and hears a ring tone, unless `answerOnBridge` lets it ring until there is somebody to
 * talk to. When the conversation is over, `action` is asked how to go on; without one the document continues. A caller
 * who hangs up ends the children; `action` is then told with CallStatus=completed, and its answer is ignored (our
 * choice where the documentation is silent, as `<Record>` does it).
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial
 */
export const dial = defineVerb({
  name: 'Dial',
  docs: 'https://www.twilio.com/docs/voice/twiml/dial',
  attributes: dialAttributes,
  body: partiesBody,
  check: checkCallerId,
  detail: ({ body }) => body.called.map(nameOf).join(', ') || 'nobody',
  async run(node, call, signal) {
    for (const found of node.body.unavailable) call.world.report(found);
    const invitations = invitationsOf(node, call);
    if ('code' in invitations) return { kind: 'failure', diagnostic: invitations };
    if (!node.attributes.answerOnBridge) await call.answer();
    return await new Dialling(node, call).run(invitations, signal);
  },
});
