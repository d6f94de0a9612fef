import { connectFamily, connect as spec } from '../../grammar/connect.ts';
import { contentBody } from '../../grammar/read-element.ts';
import { proceed, transfer } from '../call-scope.ts';
import { defineVerb } from '../define-verb.ts';
import { notYet, unavailable } from '../unavailable.ts';

/** What will be connected one day: with these the document continues, whatever the `action`. */
const LATER: readonly string[] = ['Connect>Stream', 'ConversationRelay'];

/**
 * `<Connect>` connects the call to another service and goes on when that is over. None of these is available here: it
 * says so with the code that Twilio has for it, as for a service that could not be reached (13750 where it has none),
 * and asks `action` how to go on; without one, the document continues. A stream and a conversation relay will be
 * connected one day: with these the document always continues. Of several nouns the first counts.
 *
 * @see https://www.twilio.com/docs/voice/twiml/connect
 */
export const connect = defineVerb({
  ...spec,
  body: contentBody(spec, connectFamily),
  detail: ({ body }) => body.children[0]?.spec.name ?? 'nothing',
  async run({ attributes: { action, method }, body, element }, call) {
    await call.answer();
    const noun = body.children[0];
    if (!noun) return proceed; // 12200 has been reported
    const { key, name, refusal = 13750 } = noun.spec;
    if (LATER.includes(key)) {
      call.world.report(notYet(noun.element, call));
      return proceed;
    }
    const message = `<${name}> is not available here; the call is not connected to it.`;
    call.world.report(unavailable(refusal, noun.element, call, message));
    const params = key === 'VirtualAgent' ? virtualAgentParameters(message, refusal) : {};
    return action ? transfer(call, action, element.position, method, params) : proceed;
  },
});

/** @see https://www.twilio.com/docs/voice/twiml/connect/virtualagent */
function virtualAgentParameters(message: string, code: number): Readonly<Record<string, string>> {
  return {
    VirtualAgentStatus: 'failed',
    VirtualAgentError: message,
    VirtualAgentErrorCode: `${code}`,
  };
}
