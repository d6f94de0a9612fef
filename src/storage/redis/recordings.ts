import type { Redis } from 'ioredis';
import { recordingKey } from '../../call/keys.ts';
import type { RecordingRecord } from '../../call/record.ts';
import { pageOf } from '../pages.ts';
import type { Bucket, CallStore, Page } from '../ports.ts';
import { mapBounded, newestFirst, type ScoreRange } from './batches.ts';
import { SAVE_RECORDING } from './scripts.ts';

type RecordingFilter = Parameters<CallStore['listRecordings']>[1];

interface RecordingFacets {
  readonly accountSid: string;
  readonly callSid: string;
  readonly createdAt: number;
}

/** States that the bucket's record has too; what is in another state is known here only. */
const FINISHED: ReadonlySet<RecordingRecord['status']> = new Set(['completed', 'absent', 'failed']);

/** The Region's recordings: active ones, an index of all, a bounded cache of the newest finished ones. */
export class RedisRecordings {
  readonly #redis: Redis;
  readonly #bucket: Bucket | undefined;
  readonly #cacheSize: number;
  readonly #prefix: string;
  readonly #active: string;
  readonly #facets: string;
  /** Sorted set of `<CallSid>:<RecordingSid>`, all with score 0: read by range of text. */
  readonly #ofCalls: string;
  readonly #cache: string;

  constructor(redis: Redis, prefix: string, bucket: Bucket | undefined, cacheSize: number) {
    this.#redis = redis;
    this.#bucket = bucket;
    this.#cacheSize = cacheSize;
    this.#prefix = prefix;
    this.#active = `${prefix}recordings:active`;
    this.#facets = `${prefix}recordings:facets`;
    this.#ofCalls = `${prefix}recordings:of-calls`;
    this.#cache = `${prefix}recordings:cache`;
  }

  async save(recording: RecordingRecord): Promise<void> {
    const facets: RecordingFacets = {
      accountSid: recording.account_sid,
      callSid: recording.call_sid,
      createdAt: recording.created_at_ms,
    };
    await SAVE_RECORDING.run(
      this.#redis,
      [
        this.#active,
        this.#facets,
        this.#index(recording.account_sid),
        this.#ofCalls,
        this.#cache,
        `${this.#cache}:order`,
      ],
      recording.sid,
      JSON.stringify(recording),
      JSON.stringify(facets),
      recording.created_at_ms,
      recording.call_sid,
      FINISHED.has(recording.status) ? '1' : '0',
      this.#cacheSize,
    );
  }

  async fetch(sid: string): Promise<RecordingRecord | undefined> {
    return (await this.#fetchMany([sid]))[0];
  }

  async list(
    accountSid: string,
    filter: RecordingFilter,
    offset: number,
    limit: number,
  ): Promise<Page<RecordingRecord>> {
    const range = { from: filter.createdFrom, before: filter.createdBefore };
    const { items, hasMore } =
      filter.callSid === undefined
        ? await pageOf(this.#walk(accountSid, range, offset), 0, limit)
        : await pageOf(await this.#ofCall(accountSid, filter.callSid, range), offset, limit);
    return { items: await this.#fetchMany(items), hasMore };
  }

  async delete(sid: string): Promise<void> {
    const facets = await this.#facetsOf(sid);
    if (!facets) return;
    const results = await this.#redis
      .multi()
      .hdel(this.#active, sid)
      .hdel(this.#cache, sid)
      .zrem(`${this.#cache}:order`, sid)
      .zrem(this.#ofCalls, `${facets.callSid}:${sid}`)
      .zrem(this.#index(facets.accountSid), sid)
      .hdel(this.#facets, sid)
      .exec();
    for (const [error] of results ?? []) if (error) throw error;
  }

  #index(accountSid: string): string {
    return `${this.#prefix}recordings:index:${accountSid}`;
  }

  async *#walk(accountSid: string, range: ScoreRange, offset: number): AsyncGenerator<string> {
    for await (const sids of newestFirst(this.#redis, this.#index(accountSid), range, offset)) yield* sids;
  }

  /** A call has few recordings: all are read, then ordered. */
  async #ofCall(accountSid: string, callSid: string, range: ScoreRange): Promise<readonly string[]> {
    const members = await this.#redis.zrangebylex(this.#ofCalls, `[${callSid}:`, `(${callSid};`);
    const found: { sid: string; createdAt: number }[] = [];
    for (const member of members) {
      const sid = member.slice(callSid.length + 1);
      const facets = await this.#facetsOf(sid);
      if (!facets || facets.accountSid !== accountSid) continue;
      if (range.from !== undefined && facets.createdAt < range.from) continue;
      if (range.before !== undefined && facets.createdAt >= range.before) continue;
      found.push({ sid, createdAt: facets.createdAt });
    }
    return found.sort((a, b) => b.createdAt - a.createdAt || (a.sid < b.sid ? 1 : -1)).map(({ sid }) => sid);
  }

  async #facetsOf(sid: string): Promise<RecordingFacets | undefined> {
    const text = await this.#redis.hget(this.#facets, sid);
    return text === null ? undefined : JSON.parse(text);
  }

  async #fetchMany(sids: readonly string[]): Promise<readonly RecordingRecord[]> {
    if (sids.length === 0) return [];
    const [active, cached, facets] = await Promise.all([
      this.#redis.hmget(this.#active, ...sids),
      this.#redis.hmget(this.#cache, ...sids),
      this.#redis.hmget(this.#facets, ...sids),
    ]);
    const records = await mapBounded([...sids.keys()], async (n) => {
      const text = active[n] ?? cached[n];
      if (text) return text;
      const known = facets[n];
      const sid = sids[n];
      if (!known || !sid) return undefined;
      const { accountSid }: RecordingFacets = JSON.parse(known);
      return (await this.#bucket?.get(recordingKey(accountSid, sid, 'json')))?.toString();
    });
    return records.flatMap((text): RecordingRecord[] => (text ? [JSON.parse(text)] : []));
  }
}
