import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { recordingKey } from '../call/keys.ts';
import type { CallRecord, RecordingRecord } from '../call/record.ts';
import { callbackOf, endCallbackOf, shownRecording } from '../call/recording-records.ts';
import {
  CALLBACK_ATTEMPTS,
  type CallbackTask,
  STORAGE_ATTEMPTS,
  type StorageTask,
  type TranscriptionTask,
} from '../call/tasks.ts';
import type { Clock } from '../core/clock.ts';
import { isoMs, rfc2822 } from '../core/dates.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { TaskQueue } from '../queue/port.ts';
import type { Bucket, CallStore } from '../storage/ports.ts';
import type { CallArchive } from './call-archive.ts';
import { recoverRecordings } from './lost-recordings.ts';
import type { Transcriber } from './transcriber.ts';

export interface RecordingStorageOptions {
  readonly store: CallStore;
  readonly bucket: Bucket;
  readonly callbacks: TaskQueue<CallbackTask>;
  readonly storage: TaskQueue<StorageTask>;
  /** Where the Region's workers record. */
  readonly spoolDir: string;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A recording reached its final status. */
  readonly onRecording?: (status: RecordingRecord['status']) => void;
}

type TaskOf<K extends StorageTask['kind']> = Extract<StorageTask, { readonly kind: K }>;

/** Brings what was recorded from the spool into the bucket. Every step may run twice. */
export class RecordingStorage {
  readonly #o: RecordingStorageOptions;
  readonly #archive: CallArchive;
  readonly #transcriber: Transcriber;

  constructor(options: RecordingStorageOptions, archive: CallArchive, transcriber: Transcriber) {
    this.#o = options;
    this.#archive = archive;
    this.#transcriber = transcriber;
  }

  /** Rejects to be tried again. @param last nobody will try again: the recording has failed */
  async put(task: TaskOf<'store-recording'>, last: boolean): Promise<void> {
    const { store } = this.#o;
    const { recordingSid, path } = task;
    const record = await store.fetchRecording(recordingSid);
    if (!record) return removeFile(path); // deleted meanwhile
    let final = record;
    // A failed one has its file still when somebody tries the task again by hand.
    if (path !== null && (record.status === 'processing' || record.status === 'failed')) {
      try {
        final = await this.#upload(record, path);
      } catch (error) {
        if (!last) throw error;
        // The spool file stays: it is the only copy.
        this.#o.logger.error({ err: error, CallSid: record.call_sid, recordingSid, path }, 'recording lost');
        final = { ...record, status: 'failed', date_updated: rfc2822(this.#o.clock.now()) };
      }
    }
    await this.#archive.putRecording(final);
    await store.saveRecording(final);
    await this.#noteStored(final);
    this.#o.onRecording?.(final.status);
    if (task.callback) {
      const { RecordingDuration: _, ...unfinished } = task.callback.params;
      const params =
        final.status === 'failed' ? { ...unfinished, RecordingStatus: 'failed' } : task.callback.params;
      const id = `recording-ended-${recordingSid}`;
      await this.#o.callbacks.add({ ...task.callback, params }, { id, ...CALLBACK_ATTEMPTS });
    }
    if (task.transcription) await this.#orderTranscription(final, task.transcription);
    if (final.status !== 'failed') await removeFile(path);
  }

  /**
   * What a lost worker of the call was recording is stored as far as it went.
   *
   * @param sids of its recordings; absent: of all that have not ended
   */
  async recover(call: CallRecord, sids?: readonly string[]): Promise<void> {
    const { recovered, gone } = await recoverRecordings(call, this.#o, sids);
    for (const recording of gone) await this.#giveUp(recording);
    for (const { record: recording, path, callback: asked, transcription: order } of recovered) {
      this.#o.logger.warn(
        { CallSid: call.sid, recordingSid: recording.sid },
        'storing what a lost worker had recorded',
      );
      const callback = endCallbackOf(recording, asked ?? null) ?? null;
      const transcription = order && { ...order, sid: this.#o.ids.sid('TR') };
      await this.#o.storage.add(
        {
          kind: 'store-recording',
          recordingSid: recording.sid,
          path,
          callback,
          ...(transcription && { transcription }),
        },
        { id: `store-${recording.sid}`, ...STORAGE_ATTEMPTS },
      );
    }
  }

  /**
   * Recovers the recordings of a worker that the call was taken from. Rejects while that worker may yet end them
   * itself; what it still has at the last attempt is left to the end of the call.
   */
  async recoverLost({ callSid, worker, recordingSids }: TaskOf<'recover-recordings'>, last: boolean) {
    const { store } = this.#o;
    if ((await store.workers()).includes(worker)) {
      if (last) return;
      throw new Error(`worker ${worker} may be recording still`);
    }
    const call = await store.fetch(callSid);
    if (call) await this.recover(call, recordingSids);
  }

  /** There is no audio of it. */
  async #giveUp(begun: RecordingRecord): Promise<void> {
    const now = rfc2822(this.#o.clock.now());
    const failed: RecordingRecord = {
      ...shownRecording(begun),
      status: 'failed',
      duration: '0',
      date_updated: now,
    };
    await this.#archive.putRecording(failed);
    await this.#o.store.saveRecording(failed);
    await this.#noteStored(failed);
    const callback = callbackOf(failed, begun.callback ?? null, 'failed');
    const id = `recording-ended-${failed.sid}`;
    if (callback) await this.#o.callbacks.add(callback, { id, ...CALLBACK_ATTEMPTS });
  }

  async #orderTranscription(recording: RecordingRecord, transcription: TranscriptionTask): Promise<void> {
    await this.#transcriber.begin(recording, transcription);
    await this.#o.storage.add(
      { kind: 'transcribe-recording', recordingSid: recording.sid, transcription },
      { id: `transcribe-${transcription.sid}`, ...STORAGE_ATTEMPTS },
    );
  }

  /** Once per recording, however often the task runs. */
  async #noteStored({ call_sid, sid, status, bytes }: RecordingRecord): Promise<void> {
    const timeline = await this.#o.store.timeline(call_sid);
    if (timeline.some((event) => event.type === 'recording-stored' && event.recording === sid)) return;
    const at = isoMs(this.#o.clock.now());
    await this.#archive.addEvents(call_sid, [
      { at, type: 'recording-stored', recording: sid, status, bytes },
    ]);
  }

  async #upload(record: RecordingRecord, path: string): Promise<RecordingRecord> {
    const [sha256, { size }] = await Promise.all([sha256Of(path), stat(path)]);
    const key = recordingKey(record.account_sid, record.sid, 'wav');
    await this.#o.bucket.putFile(key, path, 'audio/wav', sha256);
    const updated = rfc2822(this.#o.clock.now());
    return { ...record, status: 'completed', bytes: size, sha256, date_updated: updated };
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part);
  return hash.digest('hex');
}

async function removeFile(path: string | null): Promise<void> {
  if (path !== null) await rm(path, { force: true });
}
