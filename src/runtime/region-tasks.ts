import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { endRecord, newCallRecord } from '../call/call-records.ts';
import { CallbackDelivery } from '../call/callback-delivery.ts';
import type { CallJob } from '../call/job.ts';
import { recordingKey } from '../call/keys.ts';
import { parseOutgoingJournal } from '../call/outbound-order.ts';
import { type CallRecord, type RecordingRecord, TERMINAL_STATUSES } from '../call/record.ts';
import { callbackOf, endCallbackOf } from '../call/recording-records.ts';
import {
  completedCallbackId,
  factsOf,
  progressEvents,
  statusCallbackParameters,
  statusCallbackTask,
} from '../call/status-callback.ts';
import {
  CALLBACK_ATTEMPTS,
  type CallbackTask,
  type StorageTask,
  type TranscriptionTask,
} from '../call/tasks.ts';
import type { TimelineEvent } from '../call/timeline.ts';
import type { RegionalConfig } from '../config/port.ts';
import type { Clock } from '../core/clock.ts';
import { isoMs, rfc2822 } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { TaskQueue } from '../queue/port.ts';
import type { Region } from '../region/region.ts';
import type { SpeechToText } from '../speech/port.ts';
import type { Bucket, CallStore } from '../storage/ports.ts';
import type { WebhookSession } from '../webhook/port.ts';
import { type CallArchive, createCallArchive } from './call-archive.ts';
import { endCallback } from './call-configuration.ts';
import { recoverRecordings } from './lost-recordings.ts';
import { STORAGE_ATTEMPTS } from './recording-desk.ts';
import { arrivalEvents, attemptEvents } from './task-events.ts';
import { Transcriber } from './transcriber.ts';

export interface RegionTasksOptions {
  readonly region: Region;
  readonly store: CallStore;
  readonly bucket: Bucket;
  readonly callbacks: TaskQueue<CallbackTask>;
  readonly storage: TaskQueue<StorageTask>;
  /** Where the Region's workers record. */
  readonly spoolDir: string;
  readonly config: RegionalConfig;
  /** A session for one request, signed with this Region's token of the account. */
  readonly webhooks: (accountSid: string) => WebhookSession;
  readonly ids: Ids;
  /** Absent: speech is not recognised here. */
  readonly speech?: SpeechToText | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A recording reached its final status. */
  readonly onRecording?: (status: RecordingRecord['status']) => void;
}

export interface Attempt {
  readonly number: number;
  readonly last: boolean;
}

/** The handlers of a Region's durable tasks. Every task may run twice, and on any process of the Region. */
export interface RegionTasks {
  store(task: StorageTask, attempt: Attempt): Promise<void>;
  callback(task: CallbackTask, attempt: Attempt): Promise<void>;
}

export function createRegionTasks(options: RegionTasksOptions): RegionTasks {
  const tasks = new Tasks(options);
  return {
    store: (task, attempt) => tasks.store(task, attempt),
    callback: (task, attempt) => tasks.callback(task, attempt),
  };
}

type TaskOf<K extends StorageTask['kind']> = Extract<StorageTask, { readonly kind: K }>;

class Tasks {
  readonly #o: RegionTasksOptions;
  readonly #archive: CallArchive;
  readonly #delivery: CallbackDelivery;
  readonly #transcriber: Transcriber;

  constructor(options: RegionTasksOptions) {
    this.#o = options;
    this.#archive = createCallArchive(options.store, options.bucket);
    this.#transcriber = new Transcriber(options, this.#archive);
    this.#delivery = new CallbackDelivery({
      clock: options.clock,
      webhooks: options.webhooks,
      onAttempts: (task, attempts) =>
        this.#archive.addEvents(task.callSid, attemptEvents(task, attempts, options.clock.now())),
      onRefused: (task, diagnostic) => this.#noteRefused(task, diagnostic),
    });
  }

  store(task: StorageTask, attempt: Attempt): Promise<void> {
    switch (task.kind) {
      case 'store-recording':
        return this.#storeRecording(task, attempt);
      case 'transcribe-recording':
        return this.#transcriber.transcribe(task.recordingSid, task.transcription, attempt.last);
      case 'archive-call':
        return this.#archiveCall(task);
      case 'finish-call':
        return this.#finishCall(task);
    }
  }

  async #storeRecording(task: TaskOf<'store-recording'>, attempt: Attempt): Promise<void> {
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
        if (!attempt.last) throw error;
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

  async #archiveCall({ callSid }: TaskOf<'archive-call'>): Promise<void> {
    const record = await this.#o.store.fetch(callSid);
    if (!record) throw new Error(`call ${callSid} is to be archived but the Region's store does not know it`);
    if (!TERMINAL_STATUSES.has(record.status)) throw new Error(`call ${callSid} is still ${record.status}`);
    await this.#archiveEnded(record);
  }

  /** What a lost worker was recording is stored as far as it went, before the call is closed. */
  async #archiveEnded(record: CallRecord): Promise<void> {
    const { recovered, gone } = await recoverRecordings(record, this.#o);
    for (const recording of gone) {
      const { callback: asked, transcription: _, ...begun } = recording;
      const failed: RecordingRecord = { ...begun, status: 'failed', duration: '0' };
      await this.#archive.putRecording(failed);
      await this.#o.store.saveRecording(failed);
      const callback = callbackOf(failed, asked ?? null, 'failed');
      const id = `recording-ended-${failed.sid}`;
      if (callback) await this.#o.callbacks.add(callback, { id, ...CALLBACK_ATTEMPTS });
    }
    for (const { record: recording, path, callback: asked, transcription: order } of recovered) {
      this.#o.logger.warn(
        { CallSid: record.sid, recordingSid: recording.sid },
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
    await this.#archive.archive(record);
  }

  async #finishCall(task: TaskOf<'finish-call'>): Promise<void> {
    const { store, clock, logger } = this.#o;
    const { job } = task;
    const known = await store.fetch(job.callSid);
    if (known && known.epoch > job.epoch) {
      logger.warn({ CallSid: job.callSid, epoch: job.epoch }, 'another worker owns this call: left to it');
      return;
    }
    const ended = known && TERMINAL_STATUSES.has(known.status) ? known : await this.#end(task, known);
    const callback = await this.#lastCallback(job, ended, clock.now()); // before its journal is dropped
    await this.#archiveEnded(ended);
    if (callback) {
      await this.#o.callbacks.add(callback, { id: completedCallbackId(ended.sid), ...CALLBACK_ATTEMPTS });
    }
  }

  /** What tells the end of a call whose worker cannot: the configuration of what was called, or its own journal. */
  async #lastCallback(job: CallJob, ended: CallRecord, at: number): Promise<CallbackTask | undefined> {
    const { config, store } = this.#o;
    if (ended.direction === 'inbound') {
      const asked = await endCallback(job, config);
      return asked && statusCallbackTask(asked, ended, at);
    }
    if (ended.worker === null) return undefined; // nothing is told of a call that nobody placed
    const journal = await store.journal(ended.sid);
    const { statusCallback, told } = (journal && parseOutgoingJournal(journal)) || {};
    if (!statusCallback || told === undefined || !progressEvents(statusCallback.events).includes('completed'))
      return undefined;
    return {
      kind: 'status-callback',
      accountSid: ended.account_sid,
      callSid: ended.sid,
      url: statusCallback.url,
      method: statusCallback.method,
      params: statusCallbackParameters(factsOf(ended), ended, { at, sequence: told }),
    };
  }

  /** Ends a call that no worker holds; its record is made here when no worker ever had it. */
  async #end(task: TaskOf<'finish-call'>, known: CallRecord | undefined): Promise<CallRecord> {
    const { store } = this.#o;
    const { job, endedAt } = task;
    const record = known ?? newCallRecord(job);
    if (!known) await store.save(record);
    const ended = endRecord(
      { ...record, diagnostics: [...record.diagnostics, ...task.diagnostics] },
      task,
      endedAt,
    );
    await this.#archive.addEvents(job.callSid, [
      ...((await store.timeline(job.callSid)).some(({ type }) => type === 'call-received')
        ? []
        : arrivalEvents(task.job)),
      ...task.timeline,
      ...task.diagnostics.map(
        ({ code, level, message }): TimelineEvent => ({
          at: isoMs(endedAt),
          type: 'diagnostic',
          code,
          level,
          message,
        }),
      ),
      {
        at: isoMs(endedAt),
        type: 'call-ended',
        status: ended.status,
        duration_s: Number(ended.duration),
        cause: task.cause,
      },
    ]);
    await store.save(ended);
    return ended;
  }

  callback(task: CallbackTask, attempt: Attempt): Promise<void> {
    return this.#delivery.deliver(task, attempt);
  }

  async #noteRefused({ callSid }: CallbackTask, diagnostic: Diagnostic): Promise<void> {
    this.#o.logger.warn({ CallSid: callSid, region: this.#o.region.id, ...diagnostic }, diagnostic.message);
    const { code, level, message, url } = diagnostic;
    await this.#archive.addEvents(callSid, [
      {
        at: isoMs(this.#o.clock.now()),
        type: 'diagnostic',
        code,
        level,
        message,
        ...(url !== undefined && { url }),
      },
    ]);
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
