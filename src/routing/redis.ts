import type { Redis } from 'ioredis';
import type { Clock } from '../core/clock.ts';
import {
  assertDelay,
  CHANGES_KEPT,
  CHANGES_KEPT_AFTER_REMOVAL_S,
  change,
  changeBetween,
  parseChange,
  parseEntry,
  ROUTE_PACE,
  type RouteEntry,
  routeField,
  stateOf,
} from './entry.ts';
import {
  type RouteAuthor,
  type RouteKind,
  type RoutePace,
  type RouteRecord,
  type RouteTable,
  TooManyRouteChanges,
} from './port.ts';
import { REPLACE_ROUTE, ROUTE_CHANGES, ROUTE_TABLE, ROUTES_TAKEN, routesOf, trailOf } from './redis-keys.ts';

/** Our choice: a lost race between writers of one key is run again this often. Each round, one of them wins. */
const WRITE_ATTEMPTS = 100;

export interface RouteTableOptions {
  /** The global Redis; the caller opens and closes it. */
  readonly redis: Redis;
  readonly clock: Clock;
  /** Simulated propagation of a change, `TRUNKLINE_ROUTE_DELAY_MS`. */
  readonly delayMs: number;
  readonly pace?: RoutePace;
}

/** The global route table, as the REST API writes it. */
export function createRouteTable(options: RouteTableOptions): RouteTable {
  assertDelay('the route delay', options.delayMs);
  return new RedisRouteTable(options);
}

class RedisRouteTable implements RouteTable {
  readonly #redis: Redis;
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #pace: RoutePace;

  constructor({ redis, clock, delayMs, pace = ROUTE_PACE }: RouteTableOptions) {
    this.#redis = redis;
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#pace = pace;
  }

  async fetch(kind: RouteKind, key: string): Promise<RouteRecord | undefined> {
    return (await this.#entry(kind, key))?.record ?? undefined;
  }

  async state(kind: RouteKind, key: string) {
    return stateOf(await this.#entry(kind, key), this.#clock.now());
  }

  async change(
    kind: RouteKind,
    key: string,
    next: (before: RouteRecord | undefined) => RouteRecord,
    by: RouteAuthor | null,
  ): Promise<RouteRecord> {
    const written = await this.#write(kind, key, next, by, this.#pace);
    if (!written) throw new Error(`the change of ${key} made no record`);
    return written;
  }

  async save(record: RouteRecord, by?: RouteAuthor | null): Promise<void> {
    await this.#write(record.kind, record.key, () => record, by ?? null);
  }

  async remove(kind: RouteKind, key: string, by?: RouteAuthor | null): Promise<void> {
    await this.#write(kind, key, () => null, by ?? null);
  }

  async list(accountSid: string, part: { offset: number; limit: number; upTo?: number | undefined }) {
    const newest = part.upTo ?? '+inf';
    const limit = ['LIMIT', part.offset, part.limit + 1] as const;
    const fields = await this.#redis.zrevrangebyscore(routesOf(accountSid), newest, '-inf', ...limit);
    const asked = fields.slice(0, part.limit);
    const texts = asked.length > 0 ? await this.#redis.hmget(ROUTE_TABLE, ...asked) : [];
    const items = asked.flatMap((field, n) => {
      const entry = parseEntry(field, texts[n]);
      // Removed since the index was read: no record, and none of this account's
      if (entry?.record?.accountSid !== accountSid) return [];
      return [{ ...stateOf(entry, this.#clock.now()), record: entry.record }];
    });
    return { items, hasMore: fields.length > part.limit };
  }

  async changes(kind: RouteKind, key: string) {
    const field = routeField(kind, key);
    const texts = await this.#redis.lrange(trailOf(field), 0, -1);
    return texts.map((text) => parseChange(field, text));
  }

  async close(): Promise<void> {} // nothing of its own to release

  async #entry(kind: RouteKind, key: string): Promise<RouteEntry | undefined> {
    const field = routeField(kind, key);
    return parseEntry(field, await this.#redis.hget(ROUTE_TABLE, field));
  }

  async #write(
    kind: RouteKind,
    key: string,
    next: (before: RouteRecord | undefined) => RouteRecord | null,
    by: RouteAuthor | null,
    pace?: RoutePace,
  ): Promise<RouteRecord | null> {
    const field = routeField(kind, key);
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const text = (await this.#redis.hget(ROUTE_TABLE, field)) ?? '';
      const entry = parseEntry(field, text);
      const record = next(entry?.record ?? undefined);
      if (!record && !entry?.record) return null; // nothing to remove; an earlier removal keeps its time
      if (await this.#replace(field, { text, entry }, record, by, pace)) return record;
    }
    throw new Error(`the route of ${key} is being changed by others all the time: try again`);
  }

  /** False when another writer was faster. */
  async #replace(
    field: string,
    before: { readonly text: string; readonly entry: RouteEntry | undefined },
    record: RouteRecord | null,
    by: RouteAuthor | null,
    pace: RoutePace | undefined,
  ): Promise<boolean> {
    const now = this.#clock.now();
    const next = change(before.entry, record, now, this.#delayMs);
    // Without propagation a removed key needs no trace of where its calls went before.
    const value = record || this.#delayMs > 0 ? JSON.stringify(next) : '';
    const audited = changeBetween(before.entry, next, now, by);
    const was = routesOf(before.entry?.record?.accountSid ?? audited.accountSid);
    const keys = [
      ROUTE_TABLE,
      ROUTE_CHANGES,
      trailOf(field),
      was,
      routesOf(audited.accountSid),
      ROUTES_TAKEN,
    ];
    const result = await this.#redis.eval(
      REPLACE_ROUTE,
      keys.length,
      ...keys,
      ...[field, before.text, value, JSON.stringify(audited), CHANGES_KEPT, record ? record.createdAt : ''],
      ...[CHANGES_KEPT_AFTER_REMOVAL_S, pace?.changes ?? 0, pace?.windowMs ?? 0],
    );
    const waitMs = Number(result);
    if (pace && waitMs > 0) throw new TooManyRouteChanges(waitMs, pace);
    return waitMs === 0;
  }
}
