import { link } from '../../core/abort.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import type { DtmfKey } from '../../leg/port.ts';
import type { Recognition } from '../../speech/port.ts';
import type { TwimlElement } from '../document/element.ts';
import { attr } from './attributes.ts';
import { verbsBody } from './bodies.ts';
import { type CallScope, type Outcome, proceed, type Step, transfer } from './call-scope.ts';
import { defineVerb, reportAt } from './define-verb.ts';
import { GatherInputs, type Input } from './gather-inputs.ts';
import { AUTO, GatherSpeech, isModelNamed, listenOptions, type SpeechRules } from './gather-speech.ts';
import { pause } from './pause.ts';
import { play } from './play.ts';
import { say } from './say.ts';

/** Deepgram's models grow, and each can be named. @see https://www.twilio.com/docs/voice/twiml/gather#speechmodel */
const SPEECH_MODEL =
  /^(?:default|numbers_and_commands|phone_call|experimental_(?:conversations|utterances)|googlev2_(?:long|short|telephony|telephony_short)|deepgram_[a-z0-9-]+)$/;

const SPEECH_MODELS =
  'default, numbers_and_commands, phone_call, experimental_conversations, experimental_utterances, googlev2_long, googlev2_short, googlev2_telephony, googlev2_telephony_short, deepgram_nova-2, deepgram_nova-3 or another Deepgram model';

/** At most 500 hints of at most 100 characters, separated by commas. */
const HINTS = /^[^,]{0,100}(?:,[^,]{0,100}){0,499}$/;

/**
 * `<Gather>` collects key presses or speech and hands them to `action`.
 *
 * The silence timer starts when the prompt ends, or at the first key, and restarts with every key; the first key or
 * the first sound of speech cuts the prompt short, and decides which of the two is gathered. With no input (nothing
 * typed, `finishOnKey` typed first, nothing said) the document simply continues. The finishing key is not part of the
 * digits. Speech ends with a pause of `speechTimeout`; keys pressed meanwhile count only when it turns out to be
 * nothing. Without a recogniser that is reported (13343), and keys work as they would alone.
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
    speechTimeout: attr.seconds({ default: undefined, invalid: 13327, min: 1, words: { auto: AUTO } }),
    maxSpeechTime: attr.seconds({ default: undefined, invalid: 13328, min: 1 }),
    speechModel: attr.text({ default: 'default', invalid: 13334 }, SPEECH_MODEL, SPEECH_MODELS),
    enhanced: attr.boolean({ default: false, invalid: 13334, support: 'accepted' }),
    language: attr.text(
      { default: 'en-US', invalid: 13331 },
      /^(?:multi|[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)$/, // multi: Deepgram's nova-3 finds out by itself
      'a BCP 47 language tag such as en-US, or multi',
    ),
    hints: attr.text(
      { default: undefined, invalid: 13330 },
      HINTS,
      'at most 500 phrases of at most 100 characters, separated by commas',
    ),
    profanityFilter: attr.boolean({ default: true, invalid: 13333 }),
    partialResultCallback: attr.url(),
    partialResultCallbackMethod: attr.method({ default: 'POST', invalid: 13329 }),
    debug: attr.boolean({ default: false, invalid: 12200, support: 'accepted' }),
  },
  body: verbsBody([say, play, pause], 13320),
  check({ attributes: { speechTimeout }, element }, context) {
    const written = element.attributes.get('speechTimeout');
    if (!written || speechTimeout !== AUTO || !isModelNamed(element)) return;
    const message = 'speechTimeout="auto" cannot be used with a speechModel; the timeout is used.';
    reportAt(context, 13335, written.position, message, { actual: 'auto', expected: 'whole seconds' });
  },
  detail: ({ attributes }) => attributes.input.join(' '),
  async run({ attributes, body, element }, call, signal) {
    await call.answer();
    const listening = attributes.input.includes('dtmf');
    using keys = listening ? call.world.leg.keys() : undefined; // listen before speaking, so that no key is lost
    const speech = recogniserFor(attributes, element, call);
    const listen = () => speech && call.world.leg.listen(listenOptions(attributes, element));
    // Our choice: where nobody may interrupt the prompt, what is said during it is no answer to it.
    using early = attributes.bargeIn ? listen() : undefined;
    const barging = new GatherInputs(keys, early);
    const prompted = await prompt(body, attributes.bargeIn ? barging : undefined, call, signal);
    if (prompted.kind === 'failure') return prompted.outcome;
    using late = early ? undefined : listen();
    const inputs = new GatherInputs(keys, early ?? late);
    const gathered = await collect(prompted.input, inputs, speech, attributes, call, signal);
    if (gathered.nothing && !attributes.actionOnEmptyResult) return proceed;
    return transfer(call, attributes.action, element.position, attributes.method, {
      ...gathered.params,
      ...(call.world.choices.undocumentedParameters === 'send' && { msg: 'Gather End' }),
    });
  },
});

/** Whoever recognises what this `<Gather>` asks for; that there is nobody is reported. */
function recogniserFor(
  attributes: SpeechRules & { readonly input: readonly ('dtmf' | 'speech')[] },
  element: TwimlElement,
  call: CallScope,
): GatherSpeech | undefined {
  if (!attributes.input.includes('speech')) return undefined;
  const { speech } = call.world;
  if (speech) return new GatherSpeech(speech, attributes, element, call);
  const { value, position } = element.attributes.get('input') ?? { value: '', position: element.position };
  const rest = attributes.input.includes('dtmf') ? 'keys are gathered' : 'the timeout passes without input';
  const message = `line ${position.line}, column ${position.column}: no speech recognition is set up here; ${rest}.`;
  call.world.report(
    diagnose(13343, message, { url: call.baseUrl, ...position, actual: value, expected: 'dtmf' }),
  );
  return undefined;
}

type Prompted =
  | { readonly kind: 'done'; readonly input: Input | undefined }
  | { readonly kind: 'failure'; readonly outcome: Outcome };

/** Runs the nested verbs until they end or an input comes, where one may interrupt them: that input. */
async function prompt(
  steps: readonly Step[],
  inputs: GatherInputs | undefined,
  call: CallScope,
  signal: AbortSignal,
): Promise<Prompted> {
  using speaking = link(signal);
  let input: Input | undefined;
  const interrupted = inputs?.next(speaking.signal).then(
    (first) => {
      input = first;
      speaking.abort();
    },
    () => {}, // the prompt ended first, or the call did: the prompt's own signal says so
  );
  try {
    for (const step of steps) {
      const outcome = await call.run(step, speaking.signal);
      if (outcome.kind === 'failure') return { kind: 'failure', outcome: insideGather(outcome) };
      if (input !== undefined) break;
    }
  } catch (error) {
    if (input === undefined || signal.aborted) throw error;
  } finally {
    speaking.abort();
    await interrupted;
  }
  return { kind: 'done', input };
}

/** A nested Play with a wrong content type has a code of its own, 13325. */
function insideGather(outcome: Outcome): Outcome {
  if (outcome.kind !== 'failure' || outcome.diagnostic.code !== 13420) return outcome;
  const { code: _, docs, ...rest } = outcome.diagnostic;
  return { kind: 'failure', diagnostic: { ...rest, code: 13325, docs: docs.replace('13420', '13325') } };
}

interface Rules {
  readonly input: readonly ('dtmf' | 'speech')[];
  readonly timeout: number;
  readonly finishOnKey: readonly DtmfKey[];
  readonly numDigits: number;
}

/** What `action` is told, and whether that is nothing. */
interface Gathered {
  readonly params: Readonly<Record<string, string>>;
  readonly nothing: boolean;
}

/** What the caller types or says after the prompt, beginning with what cut it short. */
async function collect(
  first: Input | undefined,
  inputs: GatherInputs,
  speech: GatherSpeech | undefined,
  rules: Rules,
  call: CallScope,
  signal: AbortSignal,
): Promise<Gathered> {
  const { clock } = call.world;
  const deadline = clock.monotonic() + rules.timeout;
  let input = first ?? (await inputs.within(rules.timeout, clock, signal));
  while (input?.kind === 'speech') {
    const understood = await speech?.understand(input.speech, signal);
    if (understood) return { params: speechParameters(understood), nothing: false };
    // Our choice: a sound in which nothing was understood was no input; the wait goes on as if it had not been.
    input = await inputs.within(Math.max(0, deadline - clock.monotonic()), clock, signal);
  }
  const { digits, finishedOn } = await typed(input?.key, inputs, rules, call, signal);
  const silent = rules.input.includes('speech') && input === undefined;
  return {
    params: {
      ...(rules.input.includes('dtmf') && {
        Digits: digits,
        ...(call.world.choices.undocumentedParameters === 'send' && { FinishedOnKey: finishedOn }),
      }),
      ...(silent && { SpeechResult: '' }), // our choice, as Digits
    },
    nothing: digits === '',
  };
}

/** @see https://www.twilio.com/docs/voice/twiml/gather#action */
function speechParameters({ text, confidence }: Recognition): Readonly<Record<string, string>> {
  return { SpeechResult: text, ...(confidence !== undefined && { Confidence: `${confidence}` }) };
}

/** Keys, beginning with the first, until the rules end it. */
async function typed(
  first: DtmfKey | undefined,
  inputs: GatherInputs,
  rules: Rules,
  call: CallScope,
  signal: AbortSignal,
): Promise<{ readonly digits: string; readonly finishedOn: string }> {
  let digits = '';
  for (let key = first; key !== undefined; ) {
    call.world.timeline.add({ type: 'dtmf', digit: key });
    if (rules.finishOnKey.includes(key)) return { digits, finishedOn: key };
    digits += key;
    if (digits.length >= rules.numDigits) break;
    key = await inputs.keyWithin(rules.timeout, call.world.clock, signal);
  }
  return { digits, finishedOn: '' };
}
