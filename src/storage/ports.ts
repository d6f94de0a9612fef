import type { Readable } from 'node:stream';
import type { CallRecord, RecordingRecord } from '../call/record.ts';
import type { TimelineEvent } from '../call/timeline.ts';
import type { Transcription } from '../call/transcription.ts';

export interface ObjectInfo {
  readonly key: string;
  readonly bytes: number;
}

/** Raised by a bucket that cannot do what was asked; `retryable` says whether the same call may work later. */
export class BucketError extends Error {
  constructor(
    message: string,
    readonly retryable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'BucketError';
  }
}

/** One Region's object store. Two adapters: S3 and filesystem (and memory for replay); one conformance suite. */
export interface Bucket {
  readonly name: string;
  /** Creates the bucket if it is missing; resolves when it can be written. */
  ensure(): Promise<void>;
  /** Stores a whole object atomically: readers see the old one or the new one, never a part. */
  put(key: string, body: Buffer | string, contentType: string): Promise<void>;
  /**
   * Stores a file, streamed, and verifies that what arrived has this SHA-256 (hex); a mismatch is a retryable
   * BucketError and leaves no object.
   */
  putFile(key: string, path: string, contentType: string, sha256: string): Promise<void>;
  /** The whole object, or undefined. */
  get(key: string): Promise<Buffer | undefined>;
  /** The object as a stream from byte `start` (inclusive) to `end` (inclusive), or undefined. */
  stream(
    key: string,
    range?: { start: number; end?: number },
  ): Promise<{ body: Readable; bytes: number; total: number } | undefined>;
  stat(key: string): Promise<ObjectInfo | undefined>;
  /** Objects under a prefix, in key order, following pages. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}

export interface CallFilter {
  readonly to?: string | undefined;
  readonly from?: string | undefined;
  readonly parentCallSid?: string | undefined;
  readonly status?: string | undefined;
  /** Milliseconds, inclusive lower and exclusive upper bounds on the creation. */
  readonly createdFrom?: number | undefined;
  readonly createdBefore?: number | undefined;
}

/** What is new about a live call; what is left out stays as it is. */
export interface LiveChange {
  readonly record?: CallRecord | undefined;
  /** What another worker needs to resume the call. Replaces the previous one. */
  readonly journal?: string | undefined;
  /** Added to the timeline. */
  readonly events?: readonly TimelineEvent[] | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly hasMore: boolean;
}

/**
 * Which finished calls, recordings and transcriptions the bucket has. It can be lost with Redis and be made again from
 * the bucket: what is added is looked up there.
 */
export interface FinishedIndex {
  /** Claims that nothing is missing: false where Redis is new, or lost its data. */
  isWhole(): Promise<boolean>;
  markWhole(): Promise<void>;
  unknownCalls(sids: readonly string[]): Promise<readonly string[]>;
  unknownRecordings(sids: readonly string[]): Promise<readonly string[]>;
  unknownTranscriptions(sids: readonly string[]): Promise<readonly string[]>;
  /** Adds an archived call; one that is known stays as it is. */
  addCall(record: CallRecord): Promise<void>;
  addRecording(recording: RecordingRecord): Promise<void>;
  addTranscription(transcription: Transcription): Promise<void>;
}

/**
 * The Region's live calls and the index of its finished ones, in the Region's Redis. Finished records live in
 * the bucket; a bounded number of the newest is cached here.
 */
export interface CallStore {
  /** Creates or replaces the live record. */
  save(record: CallRecord): Promise<void>;
  fetch(callSid: string): Promise<CallRecord | undefined>;
  /** Newest first. */
  list(accountSid: string, filter: CallFilter, offset: number, limit: number): Promise<Page<CallRecord>>;
  /** Resolves false, having added nothing, when the call is archived: its timeline is an object by then. */
  appendTimeline(callSid: string, events: readonly TimelineEvent[]): Promise<boolean>;
  timeline(callSid: string): Promise<readonly TimelineEvent[]>;
  /** Marks the call as archived: drops its live record, timeline and journal, keeps index and cache. */
  archived(record: CallRecord): Promise<void>;

  /** Forgets an archived call: its place in the index, its cached record. False, and nothing changes, when it is live. */
  removeCall(callSid: string): Promise<boolean>;

  /** Stores all of `change` in one step, or nothing of it when the call is archived. */
  update(callSid: string, change: LiveChange): Promise<void>;
  journal(callSid: string): Promise<string | undefined>;

  /** One that is completed, absent or failed is not unfinished again: nothing changes then. */
  saveRecording(recording: RecordingRecord): Promise<void>;
  fetchRecording(recordingSid: string): Promise<RecordingRecord | undefined>;
  listRecordings(
    accountSid: string,
    filter: {
      callSid?: string | undefined;
      createdFrom?: number | undefined;
      createdBefore?: number | undefined;
    },
    offset: number,
    limit: number,
  ): Promise<Page<RecordingRecord>>;
  deleteRecording(recordingSid: string): Promise<void>;

  /** As with recordings: one that is completed or failed stays so. */
  saveTranscription(transcription: Transcription): Promise<void>;
  fetchTranscription(sid: string): Promise<Transcription | undefined>;
  listTranscriptions(
    accountSid: string,
    filter: { recordingSid?: string | undefined; createdBefore?: number | undefined },
    offset: number,
    limit: number,
  ): Promise<Page<Transcription>>;
  deleteTranscription(sid: string): Promise<void>;

  readonly index: FinishedIndex;

  /** Says "this worker is alive" for `ttlMs`; live calls of silent workers are found by `orphans`. */
  heartbeat(worker: string, ttlMs: number): Promise<void>;
  /** Workers whose last heartbeat has not run out. */
  workers(): Promise<readonly string[]>;
  /** Live calls whose worker has not been heard of, and queued ones that no worker has. */
  orphans(): Promise<readonly CallRecord[]>;
  close(): Promise<void>;
}
