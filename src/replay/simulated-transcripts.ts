import type { CallFacts } from '../call/facts.ts';
import type { CallStatus } from '../call/record.ts';
import {
  TRANSCRIBED_LANGUAGE,
  type Transcription,
  type TranscriptionOrder,
  transcriptionFailed,
  transcriptionParameters,
  untranscribable,
} from '../call/transcription.ts';
import { type Clock, sleep } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { RecordingEnd } from '../leg/port.ts';
import { voicesIn } from '../leg/simulated/recording.ts';
import type { SpeechToText } from '../speech/port.ts';
import type { WebhookSession } from '../webhook/port.ts';
import type { Chronicle } from './chronicle.ts';

/** Our choice: how long a recording takes to be stored and transcribed; the call goes on meanwhile. */
const TAKES_MS = 2_000;

/** Whose recordings they are, and what is needed to transcribe them. */
export interface TranscriptParts {
  readonly ids: Ids;
  readonly facts: CallFacts;
  readonly speech: SpeechToText | undefined;
  readonly webhooks: WebhookSession;
}

interface Recorded {
  readonly sid: string;
  readonly url: string;
  readonly end: RecordingEnd;
}

/** Transcribes the recordings of a call of the fixture while it goes on, as the Region's service does live. */
export class SimulatedTranscripts {
  readonly #chronicle: Chronicle;
  readonly #clock: Clock;
  readonly #running = new Set<Promise<void>>();

  constructor(chronicle: Chronicle, clock: Clock) {
    this.#chronicle = chronicle;
    this.#clock = clock;
  }

  order(recorded: Recorded, order: TranscriptionOrder, parts: TranscriptParts): void {
    const running = this.#transcribe(recorded, order, parts).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when nothing is being transcribed any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #transcribe(
    { sid: recordingSid, url, end }: Recorded,
    { callback }: TranscriptionOrder,
    { ids, facts, speech, webhooks }: TranscriptParts,
  ): Promise<void> {
    const { accountSid, callSid } = facts;
    const createdAt = this.#clock.now();
    const sid = ids.sid('TR');
    await sleep(this.#clock, TAKES_MS);
    const result = await this.#textOf(recordingSid, end, speech);
    const transcription: Transcription = {
      sid,
      accountSid,
      callSid,
      recordingSid,
      createdAt,
      updatedAt: this.#clock.now(),
      status: result === undefined ? 'failed' : 'completed',
      duration: Math.round(end.storedMs / 1_000),
      text: result ?? '',
      callback,
    };
    this.#chronicle.transcriptions.push(transcription);
    this.#chronicle.add({
      type: 'transcription',
      transcription: sid,
      recording: recordingSid,
      status: transcription.status,
    });
    if (callback === null) return;
    const params = transcriptionParameters(transcription, url, facts, this.#status);
    const request = { url: callback, method: 'POST', params, purpose: 'transcription-callback' } as const;
    await webhooks.fetch(request, new AbortController().signal);
  }

  /** A call that was recorded was answered. */
  get #status(): CallStatus {
    return this.#chronicle.timeline.some(({ type }) => type === 'call-ended') ? 'completed' : 'in-progress';
  }

  /** Undefined: it cannot be transcribed, which is reported. */
  async #textOf(
    sid: string,
    end: RecordingEnd,
    speech: SpeechToText | undefined,
  ): Promise<string | undefined> {
    const why = untranscribable({ sid, status: end.path ? 'completed' : 'absent' }, end.storedMs);
    if (why || !speech) {
      if (why) this.#chronicle.report(why);
      return undefined;
    }
    try {
      const options = { language: TRANSCRIBED_LANGUAGE, hints: [], model: 'default', profanityFilter: false };
      const { text } = await speech.recognise(of(voicesIn(end)), options, new AbortController().signal);
      return text;
    } catch (error) {
      this.#chronicle.report(
        transcriptionFailed({ sid }, error instanceof Error ? error.message : String(error)),
      );
      return undefined;
    }
  }
}

async function* of(voices: readonly Int16Array[]): AsyncGenerator<Int16Array> {
  yield* voices;
}
