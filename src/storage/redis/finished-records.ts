import type { Redis } from 'ioredis';
import { pageOf } from '../pages.ts';
import type { Bucket, Page } from '../ports.ts';
import { mapBounded, newestFirst, type ScoreRange } from './batches.ts';
import { INDEX_RECORD, SAVE_RECORD } from './scripts.ts';

/** What the index knows of a record, beside its SID. */
export interface Facets {
  readonly accountSid: string;
  readonly createdAt: number;
}

/** A kind of record that is made in Redis and, once it is finished, is an object of the bucket. */
export interface FinishedKind<T, F extends Facets> {
  /** Part of its keys in Redis: `recordings`. */
  readonly name: string;
  /** The end of the key that lists them by what they belong to besides their account: `of-calls`. */
  readonly owners: string;
  readonly sidOf: (record: T) => string;
  readonly facetsOf: (record: T) => F;
  /** The SID of what it belongs to besides its account. */
  readonly ownerOf: (facets: F) => string;
  /** Claims that the bucket has it too; what is in another state is known here only. */
  readonly isFinished: (record: T) => boolean;
  readonly objectKey: (accountSid: string, sid: string) => string;
  /** The text that is kept, here as in the bucket. */
  readonly write: (record: T) => string;
  readonly read: (text: string) => T;
}

export interface RecordFilter {
  /** SID of what they belong to. */
  readonly owner?: string | undefined;
  readonly createdFrom?: number | undefined;
  readonly createdBefore?: number | undefined;
}

/** A Region's records of one kind: the unfinished ones, an index of all, a bounded cache of the newest finished ones. */
export class FinishedRecords<T, F extends Facets> {
  readonly #redis: Redis;
  readonly #bucket: Bucket | undefined;
  readonly #cacheSize: number;
  readonly #kind: FinishedKind<T, F>;
  readonly #name: string;
  readonly #active: string;
  readonly #facets: string;
  /** Sorted set of `<owner>:<SID>`, all with score 0: read by range of text. */
  readonly #owned: string;
  readonly #cache: string;

  constructor(
    redis: Redis,
    prefix: string,
    kind: FinishedKind<T, F>,
    bucket: Bucket | undefined,
    cacheSize: number,
  ) {
    this.#redis = redis;
    this.#bucket = bucket;
    this.#cacheSize = cacheSize;
    this.#kind = kind;
    this.#name = `${prefix}${kind.name}`;
    this.#active = `${this.#name}:active`;
    this.#facets = `${this.#name}:facets`;
    this.#owned = `${this.#name}:${kind.owners}`;
    this.#cache = `${this.#name}:cache`;
  }

  async save(record: T): Promise<void> {
    const facets = this.#kind.facetsOf(record);
    await SAVE_RECORD.run(
      this.#redis,
      [
        this.#active,
        this.#facets,
        this.#index(facets.accountSid),
        this.#owned,
        this.#cache,
        `${this.#cache}:order`,
      ],
      this.#kind.sidOf(record),
      this.#kind.write(record),
      JSON.stringify(facets),
      facets.createdAt,
      this.#kind.ownerOf(facets),
      this.#kind.isFinished(record) ? '1' : '0',
      this.#cacheSize,
    );
  }

  /** Adds a finished record to the index unless it is there. The record itself is left to the bucket. */
  async index(record: T): Promise<void> {
    const facets = this.#kind.facetsOf(record);
    await INDEX_RECORD.run(
      this.#redis,
      [this.#facets, this.#index(facets.accountSid), this.#owned],
      this.#kind.sidOf(record),
      JSON.stringify(facets),
      facets.createdAt,
      `${this.#kind.ownerOf(facets)}:${this.#kind.sidOf(record)}`,
    );
  }

  /** Those that the index does not know. */
  async unknown(sids: readonly string[]): Promise<readonly string[]> {
    if (sids.length === 0) return [];
    const known = await this.#redis.hmget(this.#facets, ...sids);
    return sids.filter((_, n) => known[n] === null);
  }

  async fetch(sid: string): Promise<T | undefined> {
    return (await this.#fetchMany([sid]))[0];
  }

  async list(accountSid: string, filter: RecordFilter, offset: number, limit: number): Promise<Page<T>> {
    const range = { from: filter.createdFrom, before: filter.createdBefore };
    const { items, hasMore } =
      filter.owner === undefined
        ? await pageOf(this.#walk(accountSid, range, offset), 0, limit)
        : await pageOf(await this.#ownedBy(filter.owner, accountSid, range), offset, limit);
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
      .zrem(this.#owned, `${this.#kind.ownerOf(facets)}:${sid}`)
      .zrem(this.#index(facets.accountSid), sid)
      .hdel(this.#facets, sid)
      .exec();
    for (const [error] of results ?? []) if (error) throw error;
  }

  #index(accountSid: string): string {
    return `${this.#name}:index:${accountSid}`;
  }

  async *#walk(accountSid: string, range: ScoreRange, offset: number): AsyncGenerator<string> {
    for await (const sids of newestFirst(this.#redis, this.#index(accountSid), range, offset)) yield* sids;
  }

  /** There are few of one owner: all are read, then ordered. */
  async #ownedBy(owner: string, accountSid: string, range: ScoreRange): Promise<readonly string[]> {
    const members = await this.#redis.zrangebylex(this.#owned, `[${owner}:`, `(${owner};`);
    const found: { sid: string; createdAt: number }[] = [];
    for (const member of members) {
      const sid = member.slice(owner.length + 1);
      const facets = await this.#facetsOf(sid);
      if (!facets || facets.accountSid !== accountSid) continue;
      if (range.from !== undefined && facets.createdAt < range.from) continue;
      if (range.before !== undefined && facets.createdAt >= range.before) continue;
      found.push({ sid, createdAt: facets.createdAt });
    }
    return found.sort((a, b) => b.createdAt - a.createdAt || (a.sid < b.sid ? 1 : -1)).map(({ sid }) => sid);
  }

  async #facetsOf(sid: string): Promise<F | undefined> {
    const text = await this.#redis.hget(this.#facets, sid);
    return text === null ? undefined : JSON.parse(text);
  }

  async #fetchMany(sids: readonly string[]): Promise<readonly T[]> {
    if (sids.length === 0) return [];
    const [active, cached, facets] = await Promise.all([
      this.#redis.hmget(this.#active, ...sids),
      this.#redis.hmget(this.#cache, ...sids),
      this.#redis.hmget(this.#facets, ...sids),
    ]);
    const texts = await mapBounded([...sids.entries()], async ([n, sid]) => {
      const text = active[n] ?? cached[n];
      if (text) return text;
      const known = facets[n];
      if (!known) return undefined;
      const { accountSid }: F = JSON.parse(known);
      return (await this.#bucket?.get(this.#kind.objectKey(accountSid, sid)))?.toString();
    });
    return texts.flatMap((text) => (text ? [this.#kind.read(text)] : []));
  }
}
