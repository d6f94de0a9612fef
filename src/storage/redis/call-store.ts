import type { Redis } from 'ioredis';
import { callRecordKey, timelineKey } from '../../call/keys.ts';
import type { CallRecord, RecordingRecord } from '../../call/record.ts';
import type { TimelineEvent } from '../../call/timeline.ts';
import type { Transcription } from '../../call/transcription.ts';
import type { Region } from '../../region/region.ts';
import { type CallFacets, facetsOf, isUnfiltered, matchesCall } from '../call-filter.ts';
import { pageOf } from '../pages.ts';
import type { Bucket, CallFilter, CallStore, FinishedIndex, LiveChange, Page } from '../ports.ts';
import { mapBounded, newestFirst } from './batches.ts';
import { createFinishedIndex } from './finished-index.ts';
import { FinishedRecords } from './finished-records.ts';
import { RECORDINGS } from './recordings.ts';
import {
  APPEND_TIMELINE,
  ARCHIVE_CALL,
  HEARTBEAT,
  REMOVE_CALL,
  SAVE_CALL,
  UPDATE_CALL,
  WORKERS_ALIVE,
} from './scripts.ts';
import { transcriptionKind } from './transcriptions.ts';

/** Our choice: finished records kept in Redis, of each kind; older ones are read from the bucket. */
const CACHE_SIZE = 1_000;

export interface RedisCallStoreOptions {
  /** The Region's Redis; the caller opens and closes it. */
  readonly redis: Redis;
  readonly region: Region;
  /** Where finished records are; without it those that left the cache are not found. */
  readonly bucket?: Bucket | undefined;
  readonly cacheSize?: number | undefined;
}

/**
 * Live calls in one hash, an index of all calls, a bounded cache of the newest finished records. The number of
 * keys depends on the calls that are live and the accounts, never on the calls there have been.
 */
export function createRedisCallStore(options: RedisCallStoreOptions): CallStore {
  return new RedisCallStore(options);
}

class RedisCallStore implements CallStore {
  readonly #redis: Redis;
  readonly #bucket: Bucket | undefined;
  readonly #cacheSize: number;
  readonly #prefix: string;
  readonly #live: string;
  readonly #facets: string;
  readonly #cache: string;
  /** Sorted set: worker by the end of its last heartbeat. */
  readonly #workers: string;
  readonly #recordings;
  readonly #transcriptions;
  readonly index: FinishedIndex;

  constructor({ redis, region, bucket, cacheSize = CACHE_SIZE }: RedisCallStoreOptions) {
    this.#redis = redis;
    this.#bucket = bucket;
    this.#cacheSize = cacheSize;
    this.#prefix = region.keyPrefix;
    this.#live = `${region.keyPrefix}calls:live`;
    this.#facets = `${region.keyPrefix}calls:facets`;
    this.#cache = `${region.keyPrefix}calls:cache`;
    this.#workers = `${region.keyPrefix}workers`;
    this.#recordings = new FinishedRecords(redis, region.keyPrefix, RECORDINGS, bucket, cacheSize);
    const texts = transcriptionKind(region.id);
    this.#transcriptions = new FinishedRecords(redis, region.keyPrefix, texts, bucket, cacheSize);
    const keys = {
      redis,
      whole: `${region.keyPrefix}index:whole`,
      facets: this.#facets,
      indexOf: (accountSid: string) => this.#index(accountSid),
    };
    this.index = createFinishedIndex(keys, this.#recordings, this.#transcriptions);
  }

  async save(record: CallRecord): Promise<void> {
    await SAVE_CALL.run(
      this.#redis,
      [this.#live, this.#facets, this.#index(record.account_sid)],
      record.sid,
      JSON.stringify(record),
      JSON.stringify(facetsOf(record)),
      record.created_at_ms,
    );
  }

  async fetch(callSid: string): Promise<CallRecord | undefined> {
    const live = await this.#redis.hget(this.#live, callSid); // where nearly every call is that is asked for alone
    return live === null ? (await this.#fetchMany([callSid]))[0] : JSON.parse(live);
  }

  async list(
    accountSid: string,
    filter: CallFilter,
    offset: number,
    limit: number,
  ): Promise<Page<CallRecord>> {
    // Unfiltered, a position in the list is a position in the index: no need to walk there.
    const skip = isUnfiltered(filter) ? offset : 0;
    const { items, hasMore } = await pageOf(this.#walk(accountSid, filter, skip), offset - skip, limit);
    return { items: await this.#fetchMany(items), hasMore };
  }

  async appendTimeline(callSid: string, events: readonly TimelineEvent[]): Promise<boolean> {
    const lines = events.map((event) => JSON.stringify(event));
    const key = this.#timelineKey(callSid);
    const keys = [this.#live, this.#facets, key];
    return (await APPEND_TIMELINE.run(this.#redis, keys, callSid, ...lines)) === 1;
  }

  async timeline(callSid: string): Promise<readonly TimelineEvent[]> {
    const lines = await this.#redis.lrange(this.#timelineKey(callSid), 0, -1);
    if (lines.length > 0) return lines.map(parseEvent);
    const facets = await this.#redis.hget(this.#facets, callSid);
    if (facets === null) return [];
    const stored = await this.#bucket?.get(timelineKey(placeOf(callSid, facets)));
    return (stored?.toString() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map(parseEvent);
  }

  async archived(record: CallRecord): Promise<void> {
    await ARCHIVE_CALL.run(
      this.#redis,
      [
        this.#live,
        this.#facets,
        this.#index(record.account_sid),
        this.#timelineKey(record.sid),
        this.#journalKey(record.sid),
        this.#cache,
        `${this.#cache}:order`,
      ],
      record.sid,
      JSON.stringify(record),
      JSON.stringify(facetsOf(record)),
      record.created_at_ms,
      this.#cacheSize,
    );
  }

  async removeCall(callSid: string): Promise<boolean> {
    const facets = await this.#redis.hget(this.#facets, callSid);
    if (facets === null) return true;
    const { accountSid } = placeOf(callSid, facets);
    const keys = [this.#live, this.#facets, this.#index(accountSid), this.#cache, `${this.#cache}:order`];
    return (await REMOVE_CALL.run(this.#redis, keys, callSid)) === 1;
  }

  async update(callSid: string, { record, journal, events = [] }: LiveChange): Promise<void> {
    await UPDATE_CALL.run(
      this.#redis,
      [
        this.#live,
        this.#facets,
        this.#index(record?.account_sid ?? ''), // written only with a record
        this.#timelineKey(callSid),
        this.#journalKey(callSid),
      ],
      callSid,
      record ? JSON.stringify(record) : '',
      record ? JSON.stringify(facetsOf(record)) : '',
      record?.created_at_ms ?? 0,
      journal ?? '',
      ...events.map((event) => JSON.stringify(event)),
    );
  }

  async journal(callSid: string): Promise<string | undefined> {
    return (await this.#redis.get(this.#journalKey(callSid))) ?? undefined;
  }

  saveRecording(recording: RecordingRecord): Promise<void> {
    return this.#recordings.save(recording);
  }

  fetchRecording(recordingSid: string): Promise<RecordingRecord | undefined> {
    return this.#recordings.fetch(recordingSid);
  }

  listRecordings(
    accountSid: string,
    filter: Parameters<CallStore['listRecordings']>[1],
    offset: number,
    limit: number,
  ): Promise<Page<RecordingRecord>> {
    return this.#recordings.list(accountSid, { ...filter, owner: filter.callSid }, offset, limit);
  }

  deleteRecording(recordingSid: string): Promise<void> {
    return this.#recordings.delete(recordingSid);
  }

  saveTranscription(transcription: Transcription): Promise<void> {
    return this.#transcriptions.save(transcription);
  }

  fetchTranscription(sid: string): Promise<Transcription | undefined> {
    return this.#transcriptions.fetch(sid);
  }

  listTranscriptions(
    accountSid: string,
    filter: Parameters<CallStore['listTranscriptions']>[1],
    offset: number,
    limit: number,
  ): Promise<Page<Transcription>> {
    return this.#transcriptions.list(accountSid, { ...filter, owner: filter.recordingSid }, offset, limit);
  }

  deleteTranscription(sid: string): Promise<void> {
    return this.#transcriptions.delete(sid);
  }

  async heartbeat(worker: string, ttlMs: number): Promise<void> {
    await HEARTBEAT.run(this.#redis, [this.#workers], worker, ttlMs);
  }

  async workers(): Promise<readonly string[]> {
    const alive = await WORKERS_ALIVE.run(this.#redis, [this.#workers]);
    return Array.isArray(alive) ? alive.map(String) : [];
  }

  async orphans(): Promise<readonly CallRecord[]> {
    const live = (await this.#redis.hvals(this.#live)).map((text): CallRecord => JSON.parse(text));
    const alive = new Set(await this.workers());
    return live.filter(({ worker, status }) => (worker === null ? status === 'queued' : !alive.has(worker)));
  }

  async close(): Promise<void> {} // nothing of its own to release

  #index(accountSid: string): string {
    return `${this.#prefix}calls:index:${accountSid}`;
  }

  #timelineKey(callSid: string): string {
    return `${this.#prefix}calls:timeline:${callSid}`;
  }

  #journalKey(callSid: string): string {
    return `${this.#prefix}calls:journal:${callSid}`;
  }

  async *#walk(accountSid: string, filter: CallFilter, skip: number): AsyncGenerator<string> {
    const range = { from: filter.createdFrom, before: filter.createdBefore };
    for await (const sids of newestFirst(this.#redis, this.#index(accountSid), range, skip)) {
      if (isUnfiltered(filter)) {
        yield* sids;
        continue;
      }
      const facets = await this.#redis.hmget(this.#facets, ...sids);
      for (const [n, sid] of sids.entries()) {
        const text = facets[n];
        if (text && matchesCall(filter, JSON.parse(text))) yield sid;
      }
    }
  }

  /** Records in the order of `sids`; what is nowhere any more is left out. */
  async #fetchMany(sids: readonly string[]): Promise<readonly CallRecord[]> {
    if (sids.length === 0) return [];
    const [live, cached, facets] = await Promise.all([
      this.#redis.hmget(this.#live, ...sids),
      this.#redis.hmget(this.#cache, ...sids),
      this.#redis.hmget(this.#facets, ...sids),
    ]);
    const records = await mapBounded([...sids.entries()], async ([n, sid]) => {
      const text = live[n] ?? cached[n];
      if (text) return text;
      const known = facets[n];
      return known && (await this.#bucket?.get(callRecordKey(placeOf(sid, known))))?.toString();
    });
    return records.flatMap((text): CallRecord[] => (text ? [JSON.parse(text)] : []));
  }
}

function placeOf(callSid: string, facets: string) {
  const { accountSid, createdAt }: CallFacets = JSON.parse(facets);
  return { accountSid, callSid, createdAt };
}

function parseEvent(line: string): TimelineEvent {
  return JSON.parse(line);
}
