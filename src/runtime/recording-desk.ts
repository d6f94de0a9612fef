import type { CallFacts } from '../call/facts.ts';
import type { CallOrder } from '../call/orders.ts';
import type { RecordingRecord, RecordingSource } from '../call/record.ts';
import {
  callbackOf,
  endCallbackOf,
  endedRecording,
  newRecording,
  type RecordingCallback,
} from '../call/recording-records.ts';
import { CALLBACK_ATTEMPTS, type CallbackTask, STORAGE_ATTEMPTS, type StorageTask } from '../call/tasks.ts';
import type { Clock } from '../core/clock.ts';
import { rfc2822 } from '../core/dates.ts';
import type { Ids } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { type ActiveRecording, LegEnded, type RecordingEnd } from '../leg/port.ts';
import type { TaskQueue } from '../queue/port.ts';
import type { Region } from '../region/region.ts';
import type { CallStore } from '../storage/ports.ts';
import type { RecordingDesk, RecordingRequest } from '../twiml/interpreter/world.ts';
import { surely } from './surely.ts';

/** Our choice: how long a call waits for its Region's store, so that an application finds what it is told of. */
const PATIENCE_MS = 1_000;

/** The name by which the API means a call's newest running recording. */
const CURRENT = 'Twilio.CURRENT';

export interface RecordingDeskOptions {
  readonly facts: CallFacts;
  readonly region: Region;
  readonly store: CallStore;
  readonly storage: TaskQueue<StorageTask>;
  readonly callbacks: TaskQueue<CallbackTask>;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Base of the URLs that applications are given. */
  readonly publicUrl: string;
}

/** What the API may ask of a running recording. */
export type RecordingChange = Pick<
  Extract<CallOrder, { readonly kind: 'change-recording' }>,
  'recordingSid' | 'status' | 'pauseBehavior'
>;

/** A call's desk. */
export interface CallRecordingDesk extends Required<RecordingDesk> {
  /** Pauses, resumes or stops a recording that runs; false when none of that name does. */
  change(change: RecordingChange): Promise<boolean>;
  /** The recording that something started, running or ended; the newest of several. */
  startedBy(source: RecordingSource): RecordingRecord | undefined;
  /** Resolves when those followed have ended, and the store and the queues have taken everything it was told. */
  settled(): Promise<void>;
}

/**
 * Keeps one call's recordings: their records in the Region's store, their files on the way to its bucket. While its
 * Redis is away the call goes on, and what it recorded is stored, in order, when Redis is back.
 */
export function createRecordingDesk(options: RecordingDeskOptions): CallRecordingDesk {
  return new Desk(options);
}

interface OpenRecording {
  record: RecordingRecord;
  readonly statusCallback: RecordingCallback;
  readonly name: string | undefined;
  running: ActiveRecording | undefined;
  /** Nothing waits for its end. */
  followed: boolean;
  /** Resolves when its end is stored. */
  readonly stored: Promise<void>;
  readonly onStored: () => void;
}

function openRecording(record: RecordingRecord, { statusCallback, name }: RecordingRequest): OpenRecording {
  let onStored = () => {};
  const stored = new Promise<void>((resolve) => {
    onStored = resolve;
  });
  return { record, statusCallback, name, running: undefined, followed: false, stored, onStored };
}

class Desk implements CallRecordingDesk {
  readonly #o: RecordingDeskOptions;
  readonly #open = new Map<string, OpenRecording>();
  readonly #followed = new Set<Promise<void>>();
  readonly #running = new Set<Promise<void>>();
  #writes = Promise.resolve();
  readonly #newest = new Map<RecordingSource, RecordingRecord>();

  constructor(options: RecordingDeskOptions) {
    this.#o = options;
  }

  startedBy(source: RecordingSource): RecordingRecord | undefined {
    return this.#newest.get(source);
  }

  async begin(request: RecordingRequest): Promise<{ readonly sid: string; readonly url: string }> {
    const { facts, region, ids, clock, publicUrl, store } = this.#o;
    const { statusCallback } = request;
    const record = newRecording(request, facts, region.id, ids.sid('RE'), clock.now(), publicUrl);
    this.#newest.set(record.source, record);
    this.#open.set(record.sid, openRecording(record, request));
    const callback = callbackOf(record, statusCallback, 'in-progress');
    await this.#write(() => store.saveRecording(record));
    if (callback) {
      await this.#write(() =>
        this.#o.callbacks.add(callback, { id: `recording-begun-${record.sid}`, ...CALLBACK_ATTEMPTS }),
      );
    }
    return { sid: record.sid, url: record.media_url };
  }

  running(sid: string, recording: ActiveRecording): void {
    const entry = this.#open.get(sid);
    if (entry) entry.running = recording;
  }

  get followed(): RecordingDesk['followed'] {
    return [...this.#open.values()].flatMap((entry) => {
      const { name, running, followed } = entry;
      return followed && running ? [{ name, stop: () => this.#stop(entry, running) }] : [];
    });
  }

  follow(sid: string, start: () => ActiveRecording, onEnded: (end: RecordingEnd) => void): void {
    const entry = this.#open.get(sid);
    if (entry) entry.followed = true;
    const ended = this.#started(sid, start);
    const told = ended.then(onEnded).finally(() => this.#running.delete(told));
    this.#running.add(told);
    const kept = told
      .then(async () => this.finish(sid, await ended))
      .catch((error: unknown) => this.#o.logger.error({ error, recordingSid: sid }, 'a recording was lost'))
      .finally(() => this.#followed.delete(kept));
    this.#followed.add(kept);
  }

  async ended(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #started(sid: string, start: () => ActiveRecording): Promise<RecordingEnd> {
    try {
      const recording = start();
      this.running(sid, recording);
      return await recording.ended;
    } catch (error) {
      const failed: RecordingEnd = {
        reason: error instanceof LegEnded ? 'hangup' : 'failed',
        durationMs: 0,
        storedMs: 0,
        channels: this.#open.get(sid)?.record.channels ?? 1,
        silent: true,
        path: undefined,
      };
      return error instanceof LegEnded ? failed : { ...failed, error: `${error}` };
    }
  }

  async change({ recordingSid, status, pauseBehavior }: RecordingChange): Promise<boolean> {
    const running = [...this.#open.values()].filter((entry) => entry.running !== undefined);
    const entry =
      recordingSid === CURRENT ? running.at(-1) : running.find(({ record }) => record.sid === recordingSid);
    if (!entry?.running) return false;
    if (status === 'stopped') {
      await this.#stop(entry, entry.running);
      return true;
    }
    if (entry.record.status === status) return true;
    if (status === 'paused') entry.running.pause(pauseBehavior);
    else entry.running.resume();
    const record = { ...entry.record, status, date_updated: rfc2822(this.#o.clock.now()) };
    entry.record = record;
    await this.#write(() => this.#o.store.saveRecording(record));
    return true;
  }

  /** Whoever began it hands it over. */
  async #stop({ stored }: OpenRecording, running: ActiveRecording): Promise<void> {
    running.stop();
    await this.#patiently(stored); // whoever is told that it stopped finds it so
  }

  async finish(sid: string, end: RecordingEnd): Promise<void> {
    const begun = this.#open.get(sid);
    if (!begun) throw new Error(`recording ${sid} was not begun by this desk`);
    this.#open.delete(sid);
    const record = endedRecording(begun.record, end, this.#o.clock.now());
    if (this.#newest.get(record.source)?.sid === sid) this.#newest.set(record.source, record);
    const callback = endCallbackOf(record, begun.statusCallback) ?? null;
    const order = begun.record.transcription;
    const transcription = order && { ...order, sid: this.#o.ids.sid('TR') };
    const path = end.reason === 'failed' ? null : (end.path ?? null);
    await this.#write(() => this.#o.store.saveRecording(record));
    begun.onStored();
    await this.#write(() =>
      this.#o.storage.add(
        {
          kind: 'store-recording',
          recordingSid: sid,
          path,
          callback,
          ...(transcription && { transcription }),
        },
        { id: `store-${sid}`, ...STORAGE_ATTEMPTS },
      ),
    );
  }

  async settled(): Promise<void> {
    while (this.#followed.size > 0) await Promise.all(this.#followed);
    await this.#writes;
  }

  #write(work: () => Promise<void>): Promise<void> {
    const { clock, logger } = this.#o;
    const stored = this.#writes.then(() => surely(work, clock, logger, 'a recording cannot be stored yet'));
    this.#writes = stored;
    return this.#patiently(stored); // it is tried until it is stored
  }

  /** Waits for something that never rejects, but only so long. */
  #patiently(work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const patience = this.#o.clock.after(PATIENCE_MS, resolve);
      void work.then(() => {
        patience.cancel();
        resolve();
      });
    });
  }
}
