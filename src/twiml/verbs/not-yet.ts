import { diagnose, type TwimlCode } from '../../core/error-catalogue.ts';
import type { Family } from '../grammar/common.ts';
import { connect, connectFamily } from '../grammar/connect.ts';
import type { ElementSpec } from '../grammar/element-spec.ts';
import { pay, payFamily, prompt } from '../grammar/pay.ts';
import { enqueue, enqueueFamily, leave, queue } from '../grammar/queue.ts';
import { type Content, contentBody } from '../grammar/read-element.ts';
import { echo, sms } from '../grammar/sms.ts';
import { start, startFamily, stop } from '../grammar/start.ts';
import { proceed, transfer } from './call-scope.ts';
import { defineVerb, type Verb } from './define-verb.ts';

/**
 * A verb that is read like any other and not executed: running it says so, at the place concerned and with the code
 * that fits best, and the call goes on as it does when such a verb could do nothing: with the `action`, told `result`,
 * when one is given, else with the next verb.
 */
function unavailable(
  spec: ElementSpec,
  family: Family = new Map(),
  result: Readonly<Record<string, string>> = {},
): Verb {
  return defineVerb({
    ...spec,
    body: contentBody(spec, family),
    detail: ({ body }) => shown(spec, body),
    async run({ attributes, body, element }, call) {
      const { position } = body.children[0]?.element ?? element;
      const code = refusalOf(spec, body);
      const message = `line ${position.line}, column ${position.column}: ${shown(spec, body)} is not available here.`;
      call.world.report(diagnose(code, message, { url: call.baseUrl, ...position, actual: spec.name }));
      const { action, method } = attributes;
      if (typeof action !== 'string' || action === '') return proceed;
      return transfer(call, action, element.position, method === 'GET' ? 'GET' : 'POST', result);
    },
  });
}

/** `<Connect><Stream>`. */
const shown = (spec: ElementSpec, { children }: Content) =>
  [spec.name, ...children.slice(0, 1).map((child) => child.spec.name)].map((name) => `<${name}>`).join('');

const refusalOf = (spec: ElementSpec, { children }: Content): TwimlCode =>
  children[0]?.spec.refusal ?? spec.refusal ?? 13750;

/** Verbs of Twilio's grammar that Trunkline does not execute. @see https://www.twilio.com/docs/voice/twiml */
export const notYet: readonly Verb[] = [
  unavailable(connect, connectFamily),
  unavailable(echo),
  unavailable(enqueue, enqueueFamily, { QueueResult: 'system-error' }),
  unavailable(leave),
  unavailable(pay, payFamily),
  unavailable(prompt, payFamily),
  unavailable(queue),
  unavailable(sms),
  unavailable(start, startFamily),
  unavailable(stop, startFamily),
];
