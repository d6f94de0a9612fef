import { recordingKey, transcriptionKey } from '../call/keys.ts';
import type { RecordingRecord } from '../call/record.ts';
import { factsOf } from '../call/status-callback.ts';
import { CALLBACK_ATTEMPTS, type CallbackTask, type TranscriptionTask } from '../call/tasks.ts';
import type { TimelineEvent } from '../call/timeline.ts';
import {
  nothingToTranscribe,
  TRANSCRIBED_LANGUAGE,
  type Transcription,
  transcriptionCallback,
  transcriptionFailed,
  transcriptionText,
  untranscribable,
} from '../call/transcription.ts';
import type { Clock } from '../core/clock.ts';
import { isoMs } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import { readWav } from '../media/wav.ts';
import type { TaskQueue } from '../queue/port.ts';
import type { Region } from '../region/region.ts';
import type { SpeechToText } from '../speech/port.ts';
import type { Bucket, CallStore } from '../storage/ports.ts';
import type { CallArchive } from './call-archive.ts';

/** Our choice: so many of the places for storing may transcribe, which takes long; the others go on storing. */
const MOST_AT_ONCE = 4;
/** Our choice: two minutes of speech take a fraction of it. */
const PATIENCE_MS = 600_000;
const PIECE_SAMPLES = 8_000;

export interface TranscriberOptions {
  readonly region: Region;
  readonly store: CallStore;
  readonly bucket: Bucket;
  readonly callbacks: TaskQueue<CallbackTask>;
  /** Absent: speech is not recognised here. */
  readonly speech?: SpeechToText | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Result = { readonly text: string } | { readonly why: Diagnostic };

/** Writes down what is said in stored recordings. A task may run twice, and the recording may be deleted meanwhile. */
export class Transcriber {
  readonly #o: TranscriberOptions;
  readonly #archive: CallArchive;
  #running = 0;

  constructor(options: TranscriberOptions, archive: CallArchive) {
    this.#o = options;
    this.#archive = archive;
  }

  /** Registers what was asked for with a recording that is stored now, or has nothing that could be. */
  async begin(recording: RecordingRecord, task: TranscriptionTask): Promise<void> {
    if (await this.#o.store.fetchTranscription(task.sid)) return; // a second run
    const now = this.#o.clock.now();
    await this.#o.store.saveTranscription({
      sid: task.sid,
      accountSid: recording.account_sid,
      callSid: recording.call_sid,
      recordingSid: recording.sid,
      recordingUrl: recording.media_url,
      createdAt: now,
      updatedAt: now,
      status: 'in-progress',
      duration: Math.max(0, Number(recording.duration)),
      text: '',
    });
  }

  /** Rejects to be tried again: there are too many at once, or something is away. */
  async transcribe(recordingSid: string, task: TranscriptionTask, last: boolean): Promise<void> {
    const known = await this.#o.store.fetchTranscription(task.sid);
    if (!known) return; // deleted meanwhile
    if (known.status !== 'in-progress') return this.#conclude(known, task.callback); // a second run
    if (this.#running >= MOST_AT_ONCE && !last) throw new Error('enough recordings are being transcribed');
    this.#running++;
    let result: Result;
    try {
      result = await this.#textOf(recordingSid);
    } catch (error) {
      if (!last) throw error;
      const why = error instanceof Error ? error.message : String(error);
      result = { why: transcriptionFailed({ sid: recordingSid }, why) };
    } finally {
      this.#running--;
    }
    if ('why' in result) await this.#report(known.callSid, result.why);
    const text = 'text' in result ? result.text : '';
    const status = 'text' in result ? 'completed' : 'failed';
    const done: Transcription = { ...known, text, status, updatedAt: this.#o.clock.now() };
    const key = transcriptionKey(done.accountSid, done.sid);
    await this.#o.bucket.put(key, transcriptionText(done, this.#o.region.id), 'application/json');
    await this.#o.store.saveTranscription(done); // in this order: the index looks for it in the bucket
    await this.#conclude(done, task.callback);
  }

  /** Rejects where it may work later. */
  async #textOf(recordingSid: string): Promise<Result> {
    const { speech, bucket, clock, store } = this.#o;
    const recording = await store.fetchRecording(recordingSid);
    if (!recording) return { why: nothingToTranscribe({ sid: recordingSid, status: 'deleted' }) };
    const wav =
      recording.status === 'completed'
        ? await bucket.get(recordingKey(recording.account_sid, recording.sid, 'wav'))
        : undefined;
    const audio = wav ? readWav(wav) : { pcm: new Int16Array() };
    if ('problem' in audio) return { why: transcriptionFailed(recording, audio.problem) };
    const why = untranscribable(recording, audio.pcm.length / 8);
    if (why) return { why };
    if (!speech) return { why: transcriptionFailed(recording, 'no speech recognition is set up here') };
    const patience = new AbortController();
    const timer = clock.after(PATIENCE_MS, () => patience.abort(new Error('it took too long')));
    try {
      const language = speech.languageFor(TRANSCRIBED_LANGUAGE);
      const options = { language, hints: [], model: 'default', profanityFilter: false };
      const { text } = await speech.recognise(piecesOf(audio.pcm), options, patience.signal);
      return { text };
    } finally {
      timer.cancel();
    }
  }

  /** Tells of one that is stored. */
  async #conclude(transcription: Transcription, callback: string | null): Promise<void> {
    const { store, callbacks, clock } = this.#o;
    const { sid, callSid, recordingSid, status } = transcription;
    const timeline = await store.timeline(callSid);
    if (!timeline.some((event) => event.type === 'transcription' && event.transcription === sid)) {
      const at = isoMs(clock.now());
      await this.#archive.addEvents(callSid, [
        { at, type: 'transcription', transcription: sid, recording: recordingSid, status },
      ]);
    }
    const call = callback === null ? undefined : await store.fetch(callSid);
    if (callback === null || !call) return;
    const task = transcriptionCallback(transcription, callback, factsOf(call), call.status);
    await callbacks.add(task, { id: `transcription-${sid}`, ...CALLBACK_ATTEMPTS });
  }

  async #report(callSid: string, { code, level, message }: Diagnostic): Promise<void> {
    this.#o.logger.warn({ CallSid: callSid, code }, message);
    const event: TimelineEvent = { at: isoMs(this.#o.clock.now()), type: 'diagnostic', code, level, message };
    await this.#archive.addEvents(callSid, [event]);
  }
}

async function* piecesOf(pcm: Int16Array): AsyncGenerator<Int16Array> {
  for (let at = 0; at < pcm.length; at += PIECE_SAMPLES) yield pcm.subarray(at, at + PIECE_SAMPLES);
}
