import { abortable, link } from '../../core/abort.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import type { HeardSpeech, ListenOptions } from '../../leg/port.ts';
import type { PartialRecognition, Recognition, SpeechToText } from '../../speech/port.ts';
import type { WebhookMethod } from '../../webhook/port.ts';
import type { TwimlElement } from '../document/element.ts';
import type { CallScope } from './call-scope.ts';

/** @see https://www.twilio.com/docs/voice/twiml/gather#speechtimeout — and reference §7 */
const LONGEST_SPEECH_MS = 60_000;
/** `auto` ends with the first pause. Our choice: longer than between two words, shorter than who thinks about more. */
const FIRST_PAUSE_MS = 800;
/** Our choice: a caller waits no longer for what a recogniser makes of what was said. */
const PATIENCE_MS = 10_000;

const TOO_LATE = new Error(`it had no result ${PATIENCE_MS / 1_000} s after the speech ended`);

/** What `<Gather>` says about speech. */
export interface SpeechRules {
  readonly timeout: number;
  /** In ms, or AUTO; undefined: as `timeout`. */
  readonly speechTimeout: number | undefined;
  readonly maxSpeechTime: number | undefined;
  readonly speechModel: string;
  readonly language: string;
  readonly hints: string | undefined;
  readonly profanityFilter: boolean;
  readonly partialResultCallback: string | undefined;
  readonly partialResultCallbackMethod: WebhookMethod;
}

/** A speechTimeout of `auto`. */
export const AUTO = 0;

/** When a caller has finished speaking. */
export function listenOptions(rules: SpeechRules, element: TwimlElement): ListenOptions {
  const { timeout, speechTimeout = timeout, maxSpeechTime = LONGEST_SPEECH_MS } = rules;
  const auto = isModelNamed(element) ? timeout : FIRST_PAUSE_MS;
  return {
    pauseMs: speechTimeout === AUTO ? auto : speechTimeout,
    maxMs: Math.min(maxSpeechTime, LONGEST_SPEECH_MS),
  };
}

/**
 * Beside a model that is named, `auto` counts for nothing.
 * @see https://www.twilio.com/docs/api/errors/13335
 */
export function isModelNamed(element: TwimlElement): boolean {
  return element.attributes.has('speechModel');
}

/** Recognises what a caller says in a `<Gather>` and tells `partialResultCallback` of it meanwhile. */
export class GatherSpeech {
  readonly #recogniser: SpeechToText;
  readonly #rules: SpeechRules;
  readonly #language: string;
  readonly #call: CallScope;
  readonly #partials: PartialResults | undefined;

  /** Reports what cannot be honoured: a language, the callback's URL. */
  constructor(recogniser: SpeechToText, rules: SpeechRules, element: TwimlElement, call: CallScope) {
    this.#recogniser = recogniser;
    this.#rules = rules;
    this.#call = call;
    this.#language = recogniser.languageFor(rules.language);
    if (this.#language !== rules.language) reportLanguage(rules.language, this.#language, element, call);
    this.#partials = partialResults(rules, element, call);
  }

  /** What was said; undefined: nothing that could be understood. Rejects with the signal's reason. */
  async understand(speech: HeardSpeech, signal: AbortSignal): Promise<Recognition | undefined> {
    const { world } = this.#call;
    const { hints = '', speechModel: model, profanityFilter } = this.#rules;
    const partials = this.#partials;
    using patience = link(signal);
    void speech.ended.then(() => {
      if (patience.signal.aborted) return;
      const timer = world.clock.after(PATIENCE_MS, () => patience.abort(TOO_LATE));
      patience.signal.addEventListener('abort', () => timer.cancel(), { once: true });
    }); // never rejects
    try {
      const options = {
        language: this.#language,
        hints: phrasesOf(hints),
        model,
        profanityFilter,
        ...(partials && { onPartial: (partial: PartialRecognition) => partials.heard(partial) }),
      };
      const recognising = this.#recogniser.recognise(speech.audio, options, patience.signal);
      const { text, confidence } = await abortable(recognising, patience.signal);
      world.timeline.add({ type: 'speech', text, ...(confidence !== undefined && { confidence }) });
      return text === '' ? undefined : { text, confidence };
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      world.report(
        diagnose(13340, `speech recognition failed: ${why}; it counts as if nothing had been said.`),
      );
      return undefined;
    } finally {
      partials?.close();
      patience.abort();
    }
  }
}

function phrasesOf(hints: string): readonly string[] {
  const phrases = hints.split(',').map((phrase) => phrase.trim());
  return phrases.filter((phrase) => phrase !== '');
}

function reportLanguage(asked: string, instead: string, element: TwimlElement, call: CallScope): void {
  const { line, column } = element.attributes.get('language')?.position ?? element.position;
  const message = `line ${line}, column ${column}: "${asked}" is not recognised here; ${instead} is expected instead.`;
  const details = { url: call.baseUrl, line, column, actual: asked, expected: instead };
  call.world.report(diagnose(13331, message, details));
}

/** A callback that cannot be used is reported; speech is gathered all the same. */
function partialResults(
  rules: SpeechRules,
  element: TwimlElement,
  call: CallScope,
): PartialResults | undefined {
  const reference = rules.partialResultCallback;
  if (!reference) return undefined;
  const position = element.attributes.get('partialResultCallback')?.position ?? element.position;
  const url = call.resolve(reference, position);
  if (typeof url === 'string') return new PartialResults(url, rules.partialResultCallbackMethod, call);
  call.world.report({ ...url, level: 'warning' });
  return undefined;
}

/**
 * Tells an application what has been understood so far, one request after the other. While one is on its way only the
 * newest waits, so that a slow application is not told what has been overtaken (our choice).
 * @see https://www.twilio.com/docs/voice/twiml/gather#partialresultcallback
 */
class PartialResults {
  readonly #url: string;
  readonly #method: WebhookMethod;
  readonly #call: CallScope;
  #newest: PartialRecognition | undefined;
  #telling = false;
  #sequence = 0;

  constructor(url: string, method: WebhookMethod, call: CallScope) {
    this.#url = url;
    this.#method = method;
    this.#call = call;
  }

  heard(partial: PartialRecognition): void {
    this.#newest = partial;
    if (!this.#telling) void this.#tell(); // never rejects
  }

  /** The result is there: what has not been told is overtaken by it. */
  close(): void {
    this.#newest = undefined;
  }

  async #tell(): Promise<void> {
    this.#telling = true;
    for (let partial = this.#take(); partial; partial = this.#take()) {
      const params = {
        StableSpeechResult: partial.stable,
        UnstableSpeechResult: partial.unstable,
        SequenceNumber: `${this.#sequence++}`,
      };
      const request = { url: this.#url, method: this.#method, params };
      await this.#call.callBack(request, 'partial-result-callback');
    }
    this.#telling = false;
  }

  #take(): PartialRecognition | undefined {
    const partial = this.#newest;
    this.#newest = undefined;
    return partial;
  }
}
