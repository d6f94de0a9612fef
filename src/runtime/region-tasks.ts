import { endRecord, newCallRecord } from '../call/call-records.ts';
import { CallbackDelivery } from '../call/callback-delivery.ts';
import type { CallJob } from '../call/job.ts';
import { parseOutgoingJournal } from '../call/outbound-order.ts';
import { type CallRecord, type RecordingRecord, TERMINAL_STATUSES } from '../call/record.ts';
import {
  completedCallbackId,
  factsOf,
  progressEvents,
  statusCallbackParameters,
  statusCallbackTask,
} from '../call/status-callback.ts';
import { CALLBACK_ATTEMPTS, type CallbackTask, type StorageTask } from '../call/tasks.ts';
import type { TimelineEvent } from '../call/timeline.ts';
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
import { endCallback } from './call-configuration.ts';
import { RecordingStorage } from './recording-storage.ts';
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
  readonly #recordings: RecordingStorage;

  constructor(options: RegionTasksOptions) {
    this.#o = options;
    this.#archive = createCallArchive(options.store, options.bucket);
    this.#transcriber = new Transcriber(options, this.#archive);
    this.#recordings = new RecordingStorage(options, this.#archive, this.#transcriber);
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
        return this.#recordings.put(task, attempt.last);
      case 'recover-recordings':
        return this.#recordings.recoverLost(task, attempt.last);
      case 'transcribe-recording':
        return this.#transcriber.transcribe(task.recordingSid, task.transcription, attempt.last);
      case 'archive-call':
        return this.#archiveCall(task);
      case 'finish-call':
        return this.#finishCall(task);
    }
  }

  async #archiveCall({ callSid }: TaskOf<'archive-call'>): Promise<void> {
    const record = await this.#o.store.fetch(callSid);
    if (!record) throw new Error(`call ${callSid} is to be archived but the Region's store does not know it`);
    if (!TERMINAL_STATUSES.has(record.status)) throw new Error(`call ${callSid} is still ${record.status}`);
    await this.#archiveEnded(record);
  }

  /** What a lost worker was recording is on its way into the bucket before the call is closed. */
  async #archiveEnded(record: CallRecord): Promise<void> {
    await this.#recordings.recover(record);
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
