import type { CallStatus, RecordingRecord } from '../call/record.ts';
import {
  TRANSCRIBED_LANGUAGE,
  type Transcription,
  type TranscriptionOrder,
  transcriptionCallback,
  transcriptionFailed,
  untranscribable,
} from '../call/transcription.ts';
import { sleep } from '../core/clock.ts';
import type { RecordingEnd } from '../leg/port.ts';
import { voicesIn } from '../leg/simulated/recording.ts';
import type { Chronicle } from './chronicle.ts';
import type { DeskParts } from './simulated-desk.ts';

/** Our choice: how long a recording takes to be stored and transcribed; the call goes on meanwhile. */
const TAKES_MS = 2_000;

interface Recorded {
  readonly record: RecordingRecord;
  readonly end: RecordingEnd;
}

/** Transcribes the recordings of a call of the fixture while it goes on, as the Region's service does live. */
export class SimulatedTranscripts {
  readonly #chronicle: Chronicle;
  readonly #parts: DeskParts;
  readonly #running = new Set<Promise<void>>();

  constructor(chronicle: Chronicle, parts: DeskParts) {
    this.#chronicle = chronicle;
    this.#parts = parts;
  }

  order(recorded: Recorded, order: TranscriptionOrder): void {
    const running = this.#transcribe(recorded, order).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when nothing is being transcribed any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #transcribe({ record, end }: Recorded, { callback }: TranscriptionOrder): Promise<void> {
    const { clock, ids, facts, callbacks } = this.#parts;
    const { accountSid, callSid } = facts;
    const { sid: recordingSid, media_url } = record;
    const createdAt = clock.now();
    const sid = ids.sid('TR');
    await sleep(clock, TAKES_MS);
    const result = await this.#textOf(record, end);
    const transcription: Transcription = {
      sid,
      accountSid,
      callSid,
      recordingSid,
      recordingUrl: media_url,
      createdAt,
      updatedAt: clock.now(),
      status: result === undefined ? 'failed' : 'completed',
      duration: Math.round(end.storedMs / 1_000),
      text: result ?? '',
    };
    const { recordingUrl: _, ...shown } = transcription;
    this.#chronicle.transcriptions.push({ ...shown, callback });
    this.#chronicle.add({
      type: 'transcription',
      transcription: sid,
      recording: recordingSid,
      status: transcription.status,
    });
    if (callback !== null) callbacks.add(transcriptionCallback(transcription, callback, facts, this.#status));
  }

  /** A call that was recorded was answered. */
  get #status(): CallStatus {
    return this.#chronicle.timeline.some(({ type }) => type === 'call-ended') ? 'completed' : 'in-progress';
  }

  /** Undefined: it cannot be transcribed, which is reported. */
  async #textOf({ sid, status }: RecordingRecord, end: RecordingEnd): Promise<string | undefined> {
    const { speech } = this.#parts;
    const stored = status === 'processing' ? 'completed' : status;
    const why = untranscribable({ sid, status: stored }, end.storedMs);
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
