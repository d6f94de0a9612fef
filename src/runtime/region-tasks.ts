import { CallbackDelivery } from '../call/callback-delivery.ts';
import { callbackToken } from '../call/callback-token.ts';
import { type CallRecord, type RecordingRecord, TERMINAL_STATUSES } from '../call/record.ts';
import { type CallbackTask, STORAGE_ATTEMPTS, type StorageTask } from '../call/tasks.ts';
import type { RegionalConfig } from '../config/port.ts';
import type { Clock } from '../core/clock.ts';
import { isoMs } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { TaskQueue } from '../queue/port.ts';
import type { Region } from '../region/region.ts';
import type { SpeechToText } from '../speech/port.ts';
import type { Bucket, CallStore } from '../storage/ports.ts';
import type { WebhookSession } from '../webhook/port.ts';
import { type CallArchive, createCallArchive } from './call-archive.ts';
import { CallEndings } from './call-endings.ts';
import { RecordingStorage } from './recording-storage.ts';
import { attemptEvents } from './task-events.ts';
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
  readonly #recordings: RecordingStorage;
  readonly #endings: CallEndings;

  constructor(options: RegionTasksOptions) {
    this.#o = options;
    this.#archive = createCallArchive(options.store, options.bucket);
    this.#transcriber = new Transcriber(options, this.#archive);
    this.#recordings = new RecordingStorage(options, this.#archive, this.#transcriber);
    this.#endings = new CallEndings(options, this.#archive, (record) => this.#archiveEnded(record));
    this.#delivery = new CallbackDelivery({
      clock: options.clock,
      webhooks: options.webhooks,
      idempotencyToken: callbackToken,
      onResult: (task, result) =>
        this.#archive.addEvents(task.callSid, attemptEvents(task, result, options.clock.now())),
      onRefused: (task, diagnostic) => this.#noteRefused(task, diagnostic),
    });
  }

  store(task: StorageTask, attempt: Attempt): Promise<void> {
    switch (task.kind) {
      case 'store-recording':
        return this.#recordings.put(task, attempt.last);
      case 'recover-recordings':
        return this.#recordings.recoverLost(task, attempt.last);
      case 'transcribe-recording':
        return this.#transcriber.transcribe(task.recordingSid, task.transcription, attempt.last);
      case 'archive-call':
        return this.#archiveCall(task.callSid);
      case 'archive-calls':
        return this.#archiveCalls(task);
      case 'finish-call':
        return this.#endings.finish(task);
      case 'end-lost-call':
        return this.#endings.endLost(task);
    }
  }

  /** One that cannot be archived now gets a task of its own, so that the others are done. */
  async #archiveCalls({ callSids }: TaskOf<'archive-calls'>): Promise<void> {
    const one = async (callSid: string) => {
      try {
        await this.#archiveCall(callSid);
      } catch (error) {
        this.#o.logger.warn({ CallSid: callSid, error }, 'a call could not be archived with others');
        const id = `archive-${callSid}`;
        await this.#o.storage.add({ kind: 'archive-call', callSid }, { id, ...STORAGE_ATTEMPTS });
      }
    };
    await Promise.all(callSids.map(one));
  }

  async #archiveCall(callSid: string): Promise<void> {
    const record = await this.#o.store.fetch(callSid);
    if (!record) throw new Error(`call ${callSid} is to be archived but the Region's store does not know it`);
    if (!TERMINAL_STATUSES.has(record.status)) throw new Error(`call ${callSid} is still ${record.status}`);
    await this.#endings.endApplicationsOf(record);
    await this.#archiveEnded(record);
  }

  /** What a lost worker was recording is on its way into the bucket before the call is closed. */
  async #archiveEnded(record: CallRecord): Promise<void> {
    await this.#recordings.recover(record);
    await this.#archive.archive(record);
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
