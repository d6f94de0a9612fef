import type { TwimlElement } from '../../document/element.ts';
import { childrenNamed, isOn, placeOf, written } from '../element-text.ts';
import type { LintedDocument, Rule } from '../rule.ts';

const ANSWERING: readonly string[] = [
  'Connect',
  'Enqueue',
  'Gather',
  'Pause',
  'Pay',
  'Play',
  'Prompt',
  'Record',
  'Say',
];

/**
 * Claims that a call is answered when this verb is done. `<Refer>`, `<Start>`, `<Sms>` and unknown verbs are left out: of
 * them it is not documented.
 */
function answers(element: TwimlElement): boolean {
  if (element.name === 'Dial') return !isOn(element, 'answerOnBridge');
  return ANSWERING.includes(element.name);
}

/** The verbs that stand behind one that answers, each with that one. */
function* behindAnswer({ verbs }: LintedDocument): Generator<readonly [TwimlElement, TwimlElement]> {
  const first = verbs.findIndex(answers);
  const answering = verbs[first];
  if (answering) for (const verb of verbs.slice(first + 1)) yield [verb, answering];
}

/** `<Reject>` refuses only a call that still rings. */
export const rejectAfterAnswer: Rule = {
  id: 'reject-after-answer',
  level: 'warning',
  title: 'Reject behind a verb that has answered the call',
  docs: 'https://www.twilio.com/docs/voice/twiml/reject',
  check(document, report) {
    for (const [verb, { name, position }] of behindAnswer(document)) {
      if (verb.name !== 'Reject') continue;
      const message = `<${name}> (line ${position.line}) has answered the call, so <Reject> hangs it up instead of refusing it; make <Reject> the first verb, or write <Hangup>.`;
      report(verb.position, {
        message,
        actual: `<Reject> behind <${name}>`,
        expected: '<Reject> as the first verb',
      });
    }
  },
};

/** `answerOnBridge` keeps a call ringing that has not been answered yet; transfers and screening use it all the same. */
export const answerOnBridgeTooLate: Rule = {
  id: 'answer-on-bridge-too-late',
  level: 'warning',
  title: 'answerOnBridge behind a verb that has answered the call',
  docs: 'https://www.twilio.com/docs/voice/twiml/dial#answeronbridge',
  check(document, report) {
    for (const [verb, { name, position }] of behindAnswer(document)) {
      if (verb.name !== 'Dial' || !isOn(verb, 'answerOnBridge') || matters(verb)) continue;
      const message = `<${name}> (line ${position.line}) has answered the call, so answerOnBridge has no effect; make this <Dial> the first verb, or leave the attribute out.`;
      const actual = `answerOnBridge behind <${name}>`;
      report(placeOf(verb, 'answerOnBridge'), { message, actual, expected: '<Dial> as the first verb' });
    }
  },
};

/** @see https://www.twilio.com/docs/voice/twiml/dial#referurl and https://www.twilio.com/docs/voice/twiml/number#url */
function matters(dial: TwimlElement): boolean {
  const screened = childrenNamed(dial, 'Client', 'Number', 'Sip', 'WhatsApp').some((noun) =>
    written(noun, 'url'),
  );
  return screened || Boolean(written(dial, 'referUrl'));
}
