import type { Diagnostic } from '../../core/diagnostic.ts';
import type { ReferOutcome } from '../../leg/port.ts';
import { formatUri, parseUri } from '../../sip/message/uri.ts';
import { isElement, type TwimlElement, textOf } from '../document/element.ts';
import { attr } from './attributes.ts';
import { reportChildren, reportText } from './bodies.ts';
import { proceed, transfer } from './call-scope.ts';
import { type Body, defineVerb, reportAt } from './define-verb.ts';
import { readSipTarget } from './sip-uri.ts';

/** The URI between `<Sip>` tags, headers included; undefined when there is none that can be used. */
const targetBody: Body<string | undefined> = {
  children: ['Refer>Sip'],
  read(element, context) {
    reportText(element, context);
    reportChildren(element, context, ['Sip']);
    const inner = { ...context, within: element.name, report: context.report.bind(context) };
    const [sip] = element.children.filter(isElement).filter(({ name }) => name === 'Sip');
    if (!sip) {
      const message = '<Refer> names nobody; put a <Sip> with a URI into it.';
      reportAt(inner, 13243, element.position, message, { expected: '<Sip>' });
      return undefined;
    }
    return referTo(sip, (found) => {
      const { line, column } = sip.position;
      const message = `line ${line}, column ${column}: ${found.message}`;
      context.report({ ...found, message, url: context.url, line, column });
    });
  },
};

function referTo(sip: TwimlElement, report: (found: Diagnostic) => void): string | undefined {
  const { target, diagnostics } = readSipTarget(textOf(sip));
  for (const found of diagnostics) report(found);
  const uri = target && parseUri(target.uri);
  return uri && formatUri({ ...uri, headers: new Map(Object.entries(target.headers)) });
}

/**
 * `<Refer>` asks the peer to call somebody else instead of us (RFC 3515), waits for what becomes of that and hands it
 * to `action`; without one the document continues. The call itself is not ended: a peer that has gone elsewhere hangs up.
 *
 * @see https://www.twilio.com/docs/voice/twiml/refer
 */
export const refer = defineVerb({
  name: 'Refer',
  docs: 'https://www.twilio.com/docs/voice/twiml/refer',
  attributes: {
    action: attr.url(), // absent: the document continues
    method: attr.method({ default: 'POST', invalid: 12200 }),
  },
  body: targetBody,
  detail: ({ body }) => body ?? 'nobody',
  async run({ attributes: { action, method }, body: uri, element }, call, signal) {
    if (uri === undefined) return proceed; // 13243 has been reported
    await call.answer();
    const handOver = (params: Readonly<Record<string, string>>) =>
      action ? transfer(call, action, element.position, method, params) : proceed;
    try {
      const outcome = await call.world.leg.refer({ uri }, signal);
      const status = outcome.notified ?? outcome.status;
      call.world.timeline.add({ type: 'referred', by: 'application', target: uri, status });
      return handOver(resultOf(outcome));
    } catch (error) {
      if (call.world.leg.ended.aborted) {
        const lost = handOver({ ReferCallStatus: 'canceled' });
        if (lost.kind === 'redirect') await call.notify(lost.request);
      }
      throw error;
    }
  },
});

/** @see https://www.twilio.com/docs/voice/twiml/refer#action */
function resultOf({ status, notified }: ReferOutcome): Readonly<Record<string, string>> {
  const params: Record<string, string> = { ReferSipResponseCode: `${status}` };
  if (status >= 300) return { ...params, ReferCallStatus: 'failed' };
  if (notified === undefined) return params;
  return { ...params, NotifySipResponseCode: `${notified}`, ReferCallStatus: callStatus(notified) };
}

/** Busy as it is for a call that we make (src/call/outcomes.ts). */
const BUSY: readonly number[] = [486, 600, 603];

function callStatus(notified: number): string {
  if (notified < 300) return 'in-progress';
  return BUSY.includes(notified) ? 'busy' : 'failed';
}
