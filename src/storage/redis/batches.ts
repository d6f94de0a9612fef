import type { Redis } from 'ioredis';

/** Our choice: how many index entries are read at a time when a list is filtered. */
const BATCH = 500;

/** Our choice: objects read from the bucket at the same time for one page. */
const PARALLEL_READS = 16;

export interface ScoreRange {
  /** Inclusive lower and exclusive upper bound; absent: open. */
  readonly from?: number | undefined;
  readonly before?: number | undefined;
}

/** Members of a sorted set, highest score first, from position `offset` on. */
export async function* newestFirst(
  redis: Redis,
  key: string,
  range: ScoreRange,
  offset: number,
): AsyncGenerator<readonly string[]> {
  const max = range.before === undefined ? '+inf' : `(${range.before}`;
  const min = range.from === undefined ? '-inf' : String(range.from);
  for (let position = offset; ; position += BATCH) {
    const members = await redis.zrevrangebyscore(key, max, min, 'LIMIT', position, BATCH);
    if (members.length > 0) yield members;
    if (members.length < BATCH) return;
  }
}

/** `values.map(read)`, a bounded number at a time, results in order. */
export async function mapBounded<T, R>(values: readonly T[], read: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < values.length; start += PARALLEL_READS) {
    results.push(...(await Promise.all(values.slice(start, start + PARALLEL_READS).map(read))));
  }
  return results;
}
