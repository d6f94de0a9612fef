import { recordingKey, transcriptionKey } from '../call/keys.ts';
import type { RecordingRecord } from '../call/record.ts';
import { factsOf } from '../call/status-callback.ts';
import { CALLBACK_ATTEMPTS, type CallbackTask, type TranscriptionTask } from '../call/tasks.ts';
import type { TimelineEvent } from '../call/timeline.ts';
import {
  TRANSCRIBED_LANGUAGE,
  type Transcription,
  transcriptionCallback,
  transcriptionFailed,
  transcriptionResource,
  untranscribable,
} from '../call/transcription.ts';
import type { RegionalConfig } from '../config/port.ts';
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
  readonly config: Pick<RegionalConfig, 'records'>;
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
    const now = this.#o.clock.now();
    await this.#o.config.records.transcriptions.create({
      sid: task.sid,
      accountSid: recording.account_sid,
      callSid: recording.call_sid,
      recordingSid: recording.sid,
      createdAt: now,
      updatedAt: now,
      status: 'in-progress',
      duration: Math.max(0, Number(recording.duration)),
      text: '',
      callback: task.callback,
    });
  }

  /** Rejects to be tried again: there are too many at once, or something is away. */
  async transcribe(recordingSid: string, { sid }: TranscriptionTask, last: boolean): Promise<void> {
    const known = await this.#o.config.records.transcriptions.fetch(sid);
    const recording = await this.#o.store.fetchRecording(recordingSid);
    if (!known || !recording) return; // deleted meanwhile
    if (known.status !== 'in-progress') return this.#conclude(known, recording); // a second run
    if (this.#running >= MOST_AT_ONCE && !last) throw new Error('enough recordings are being transcribed');
    this.#running++;
    let result: Result;
    try {
      result = await this.#textOf(recording);
    } catch (error) {
      if (!last) throw error;
      const why = error instanceof Error ? error.message : String(error);
      result = { why: transcriptionFailed(recording, why) };
    } finally {
      this.#running--;
    }
    if ('why' in result) await this.#report(recording.call_sid, result.why);
    const text = 'text' in result ? result.text : '';
    const status = 'text' in result ? 'completed' : 'failed';
    const updatedAt = this.#o.clock.now();
    const change = (before: Transcription): Transcription => ({ ...before, text, status, updatedAt });
    const done = await this.#o.config.records.transcriptions.change(sid, change);
    if (done !== undefined && done !== 'taken') await this.#conclude(done, recording);
  }

  /** Rejects where it may work later. */
  async #textOf(recording: RecordingRecord): Promise<Result> {
    const { speech, bucket, clock } = this.#o;
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

  /** Keeps it in the bucket and tells of it. */
  async #conclude(transcription: Transcription, recording: RecordingRecord): Promise<void> {
    const { bucket, region, store, callbacks, clock } = this.#o;
    const { sid, accountSid, callSid, recordingSid, status, callback } = transcription;
    const body = JSON.stringify(transcriptionResource(transcription, region.id));
    await bucket.put(transcriptionKey(accountSid, sid), body, 'application/json');
    const timeline = await store.timeline(callSid);
    if (!timeline.some((event) => event.type === 'transcription' && event.transcription === sid)) {
      const at = isoMs(clock.now());
      await this.#archive.addEvents(callSid, [
        { at, type: 'transcription', transcription: sid, recording: recordingSid, status },
      ]);
    }
    const call = callback === null ? undefined : await store.fetch(callSid);
    if (!call) return;
    const task = transcriptionCallback(transcription, recording.media_url, factsOf(call), call.status);
    if (task) await callbacks.add(task, { id: `transcription-${sid}`, ...CALLBACK_ATTEMPTS });
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
