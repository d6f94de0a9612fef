import { abortable, link } from '../../core/abort.ts';
import type { DtmfKey, KeyStream } from '../../leg/port.ts';
import { attr } from './attributes.ts';
import { verbsBody } from './bodies.ts';
import { type CallScope, type Outcome, proceed, type Step, transfer } from './call-scope.ts';
import { defineVerb, reportAt } from './define-verb.ts';
import { pause } from './pause.ts';
import { play } from './play.ts';
import { say } from './say.ts';

/** @see https://www.twilio.com/docs/voice/twiml/gather#speechmodel */
const SPEECH_MODELS = [
  'default',
  'numbers_and_commands',
  'phone_call',
  'experimental_conversations',
  'experimental_utterances',
  'googlev2_long',
  'googlev2_short',
  'googlev2_telephony',
  'googlev2_telephony_short',
  'deepgram_nova-2',
  'deepgram_nova-3',
] as const;

/** At most 500 hints of at most 100 characters, separated by commas. */
const HINTS = /^[^,]{0,100}(?:,[^,]{0,100}){0,499}$/;

/**
 * `<Gather>` collects key presses and hands them to `action`.
 *
 * The silence timer starts when the prompt ends, or at the first key, and restarts with every key; the first key
 * cuts the prompt short. With no keys (nothing typed, or `finishOnKey` typed first) the document simply
 * continues. The finishing key is not part of the digits. Speech is not recognised yet: asking for it is
 * reported, keys work as they would without it.
 *
 * @see https://www.twilio.com/docs/voice/twiml/gather
 */
export const gather = defineVerb({
  name: 'Gather',
  docs: 'https://www.twilio.com/docs/voice/twiml/gather',
  attributes: {
    input: attr.listOf(['dtmf', 'speech'], { default: ['dtmf'], invalid: 13326 }),
    action: attr.url(), // absent: the current document's URL
    method: attr.method({ default: 'POST', invalid: 13312 }),
    timeout: attr.seconds({ default: 5_000, invalid: 13313, min: 1, words: { auto: 5_000 } }),
    finishOnKey: attr.keys({ default: '#', invalid: 13310, most: 1 }), // '': none
    numDigits: attr.integer({ default: Number.POSITIVE_INFINITY, invalid: 13314, min: 1 }),
    actionOnEmptyResult: attr.boolean({ default: false, invalid: 13338 }),
    bargeIn: attr.boolean({ default: true, invalid: 13332 }),
    speechTimeout: attr.seconds({ default: undefined, invalid: 13327, min: 1, words: { auto: 0 } }),
    maxSpeechTime: attr.seconds({ default: undefined, invalid: 13328, min: 1 }),
    speechModel: attr.oneOf(SPEECH_MODELS, { default: 'default', invalid: 13334 }),
    enhanced: attr.boolean({ default: false, invalid: 13334 }),
    language: attr.text(
      { default: 'en-US', invalid: 13331 },
      /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/,
      'a BCP 47 language tag such as en-US',
    ),
    hints: attr.text(
      { default: undefined, invalid: 13330 },
      HINTS,
      'at most 500 phrases of at most 100 characters, separated by commas',
    ),
    profanityFilter: attr.boolean({ default: true, invalid: 13333 }),
    partialResultCallback: attr.url(),
    partialResultCallbackMethod: attr.method({ default: 'POST', invalid: 13329 }),
    debug: attr.boolean({ default: false, invalid: 12200 }),
  },
  body: verbsBody([say, play, pause], 13320),
  check({ attributes, element }, context) {
    const input = element.attributes.get('input');
    if (!input || !attributes.input.includes('speech')) return;
    const rest = attributes.input.includes('dtmf') ? 'keys are gathered' : 'the timeout passes without input';
    const message = `speech recognition is not available here yet; ${rest}.`;
    reportAt(context, 13343, input.position, message, { actual: input.value, expected: 'dtmf' });
  },
  detail: ({ attributes }) => attributes.input.join(' '),
  async run({ attributes, body, element }, call, signal) {
    await call.answer();
    const listening = attributes.input.includes('dtmf');
    using keys = call.world.leg.keys(); // listen before speaking, so that no key is lost
    const prompted = await prompt(body, listening ? keys : undefined, attributes.bargeIn, call, signal);
    if (prompted.kind === 'failure') return prompted.outcome;
    const typed = await collect(prompted.key, listening ? keys : undefined, attributes, call, signal);
    if (typed.digits === '' && !attributes.actionOnEmptyResult) return proceed;
    return transfer(call, attributes.action, element.position, attributes.method, {
      Digits: typed.digits,
      ...(call.world.choices.undocumentedParameters === 'send' && {
        FinishedOnKey: typed.finishedOn,
        msg: 'Gather End',
      }),
    });
  },
});

type Prompted =
  | { readonly kind: 'done'; readonly key: DtmfKey | undefined }
  | { readonly kind: 'failure'; readonly outcome: Outcome };

/** Runs the nested verbs until they end or a key arrives: that key. */
async function prompt(
  steps: readonly Step[],
  keys: KeyStream | undefined,
  bargeIn: boolean,
  call: CallScope,
  signal: AbortSignal,
): Promise<Prompted> {
  using speaking = link(signal);
  using waiting = link(signal);
  let key: DtmfKey | undefined;
  const pressed = bargeIn
    ? keys?.next(waiting.signal).then(
        (first) => {
          key = first;
          speaking.abort();
        },
        () => {}, // the prompt ended first, or the call did: the prompt's own signal says so
      )
    : undefined;
  try {
    for (const step of steps) {
      const outcome = await call.run(step, speaking.signal);
      if (outcome.kind === 'failure') return { kind: 'failure', outcome: insideGather(outcome) };
      if (key !== undefined) break;
    }
  } catch (error) {
    if (key === undefined || signal.aborted) throw error;
  } finally {
    waiting.abort();
    await pressed;
  }
  return { kind: 'done', key };
}

/** A nested Play with a wrong content type has a code of its own, 13325. */
function insideGather(outcome: Outcome): Outcome {
  if (outcome.kind !== 'failure' || outcome.diagnostic.code !== 13420) return outcome;
  const { code: _, docs, ...rest } = outcome.diagnostic;
  return { kind: 'failure', diagnostic: { ...rest, code: 13325, docs: docs.replace('13420', '13325') } };
}

interface Rules {
  readonly timeout: number;
  readonly finishOnKey: readonly DtmfKey[];
  readonly numDigits: number;
}

/** Keys after the prompt, beginning with the one that cut it short, until the rules end it. */
async function collect(
  first: DtmfKey | undefined,
  keys: KeyStream | undefined,
  rules: Rules,
  call: CallScope,
  signal: AbortSignal,
): Promise<{ readonly digits: string; readonly finishedOn: string }> {
  let digits = '';
  let key = first ?? (await nextWithin(keys, rules.timeout, call, signal));
  while (key !== undefined) {
    call.world.timeline.add({ type: 'dtmf', digit: key });
    if (rules.finishOnKey.includes(key)) return { digits, finishedOn: key };
    digits += key;
    if (digits.length >= rules.numDigits) break;
    key = await nextWithin(keys, rules.timeout, call, signal);
  }
  return { digits, finishedOn: '' };
}

/** The next key, or undefined when none arrives within `ms`. */
async function nextWithin(
  keys: KeyStream | undefined,
  ms: number,
  call: CallScope,
  signal: AbortSignal,
): Promise<DtmfKey | undefined> {
  using patience = link(signal);
  const timer = call.world.clock.after(ms, () => patience.abort());
  const arrival = keys?.next(patience.signal) ?? new Promise<never>(() => {});
  try {
    return await abortable(arrival, patience.signal);
  } catch (error) {
    if (signal.aborted || !patience.signal.aborted) throw error;
    return undefined;
  } finally {
    timer.cancel();
  }
}
