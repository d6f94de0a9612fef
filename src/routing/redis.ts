import type { Redis } from 'ioredis';
import type { Clock } from '../core/clock.ts';
import { assertDelay, change, decide, type RouteEntry, routeField } from './entry.ts';
import type { RouteDecision, RouteKind, RouteLookup, RouteRecord, RouteTable } from './port.ts';

/** Hash of all routes: field `<kind>:<key>`, value a RouteEntry. */
const TABLE = 'trunkline:global:routes';

/** Channel on which a changed field is announced to every edge. */
const CHANGES = 'trunkline:global:routes:changed';

/** Our choice: a lost race between writers of one key is run again this often. Each round, one of them wins. */
const WRITE_ATTEMPTS = 100;

/**
 * KEYS table channel; ARGV field, the value it was read as ('' when absent), its new value ('' to remove it).
 * Returns 0 when another writer was faster.
 */
const REPLACE = `
local current = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if current ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
redis.call('PUBLISH', KEYS[2], ARGV[1])
return 1`;

export interface RouteTableOptions {
  /** The global Redis; the caller opens and closes it. */
  readonly redis: Redis;
  readonly clock: Clock;
  /** Simulated propagation of a change, `TRUNKLINE_ROUTE_DELAY_MS`. */
  readonly delayMs: number;
}

/** The global route table, as the REST API writes it. */
export function createRouteTable({ redis, clock, delayMs }: RouteTableOptions): RouteTable {
  assertDelay('the route delay', delayMs);

  const write = async (kind: RouteKind, key: string, record: RouteRecord | null) => {
    const field = routeField(kind, key);
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const text = (await redis.hget(TABLE, field)) ?? '';
      const entry = parseEntry(text);
      if (!record && !entry?.record) return; // nothing to remove; an earlier removal keeps its time
      // Without propagation a removed key needs no trace of where its calls went before.
      const next = record || delayMs > 0 ? change(entry, record, clock.now(), delayMs) : undefined;
      const value = next ? JSON.stringify(next) : '';
      if ((await redis.eval(REPLACE, 2, TABLE, CHANGES, field, text, value)) === 1) return;
    }
    throw new Error(`the route of ${key} is being changed by others all the time: try again`);
  };

  return {
    async fetch(kind, key) {
      return parseEntry((await redis.hget(TABLE, routeField(kind, key))) ?? '')?.record ?? undefined;
    },
    save: (record) => write(record.kind, record.key, record),
    remove: (kind, key) => write(kind, key, null),
    async close() {}, // nothing of its own to release
  };
}

/** Our choice: keys whose route an edge remembers; the oldest one leaves first. */
const CACHED_KEYS = 10_000;

export interface RouteLookupOptions {
  /** The global Redis; the caller opens and closes it. Its commands must settle in bounded time. */
  readonly redis: Redis;
  /** A second connection to it, for the channel of changes; the caller opens and closes it. */
  readonly subscriber: Redis;
  readonly clock: Clock;
  /** An answer older than this is never given, whether Redis can be reached or not. */
  readonly maxAgeMs?: number;
  readonly cachedKeys?: number;
}

/**
 * What an edge asks for every call: answers, "there is no record" included, are remembered for `maxAgeMs`, and
 * forgotten at once when the table announces a change or announcements may have been missed.
 */
export function createRouteLookup(options: RouteLookupOptions): RouteLookup {
  assertDelay('the age of routes', options.maxAgeMs ?? 0);
  return new CachedRouteLookup(options);
}

interface CachedRoute {
  readonly entry: RouteEntry | undefined;
  /** On the monotonic clock: an adjusted wall clock must not make an answer younger. */
  readonly readAt: number;
}

class CachedRouteLookup implements RouteLookup {
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #cachedKeys: number;
  /** In the order in which they were read: the first is the oldest. */
  readonly #cache = new Map<string, CachedRoute>();
  /** Reads under way; calls that ask meanwhile share them. */
  readonly #reads = new Map<string, Promise<CachedRoute>>();
  readonly #changed = (_channel: string, field: string) => this.#forget(field);
  readonly #connected = () => this.#subscribe();

  constructor({ redis, subscriber, clock, maxAgeMs = 5_000, cachedKeys = CACHED_KEYS }: RouteLookupOptions) {
    this.#redis = redis;
    this.#subscriber = subscriber;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
    this.#cachedKeys = cachedKeys;
    subscriber.on('message', this.#changed);
    subscriber.on('ready', this.#connected);
    if (subscriber.status === 'ready') this.#subscribe();
  }

  async lookup(kind: RouteKind, key: string): Promise<RouteDecision> {
    const field = routeField(kind, key);
    const cached = this.#cache.get(field);
    const fresh = cached !== undefined && this.#clock.monotonic() - cached.readAt <= this.#maxAgeMs;
    const { entry, readAt } = fresh ? cached : await this.#shared(field);
    return decide(entry, this.#clock.now(), Math.round(this.#clock.monotonic() - readAt));
  }

  async close(): Promise<void> {
    this.#subscriber.off('message', this.#changed);
    this.#subscriber.off('ready', this.#connected);
    if (this.#subscriber.status === 'ready') await this.#subscriber.unsubscribe(CHANGES).catch(() => {});
    this.#cache.clear();
  }

  #shared(field: string): Promise<CachedRoute> {
    const underWay = this.#reads.get(field);
    if (underWay !== undefined) return underWay;
    const reading: Promise<CachedRoute> = this.#read(field, () => this.#reads.get(field) === reading).finally(
      () => {
        if (this.#reads.get(field) === reading) this.#reads.delete(field);
      },
    );
    this.#reads.set(field, reading);
    return reading;
  }

  /** `current` turns false when the key changes meanwhile: the answer is then given, but not kept. */
  async #read(field: string, current: () => boolean): Promise<CachedRoute> {
    const readAt = this.#clock.monotonic(); // before the read: an age is never understated
    const entry = parseEntry((await this.#redis.hget(TABLE, field)) ?? '');
    const route = { entry, readAt };
    if (current()) {
      this.#cache.delete(field);
      this.#cache.set(field, route);
      for (const oldest of this.#cache.keys()) {
        if (this.#cache.size <= this.#cachedKeys) break;
        this.#cache.delete(oldest);
      }
    }
    return route;
  }

  #forget(field: string): void {
    this.#cache.delete(field);
    this.#reads.delete(field);
  }

  /** What was announced while the connection was down was missed: nothing remembered can be trusted. */
  #subscribe(): void {
    const forgetAll = () => {
      this.#cache.clear();
      this.#reads.clear();
    };
    forgetAll();
    // Answers read before the subscription took hold may have missed a change as well. A failure is followed by
    // another `ready`; until then the age bounds the answers.
    this.#subscriber.subscribe(CHANGES).then(forgetAll, () => {});
  }
}

function parseEntry(text: string): RouteEntry | undefined {
  return text === '' ? undefined : JSON.parse(text);
}
