import type { Redis } from 'ioredis';
import type { Clock } from '../core/clock.ts';
import { assertDelay, decide, parseEntry, ROUTE_MAX_AGE_MS, type RouteEntry, routeField } from './entry.ts';
import type { RouteDecision, RouteKind, RouteLookup, RouteObservation } from './port.ts';
import { ROUTE_CHANGES, ROUTE_TABLE } from './redis-keys.ts';

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
  /** Told of every look-up, for metrics. */
  readonly onLookup?: (observation: RouteObservation) => void;
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
  readonly #onLookup: (observation: RouteObservation) => void;
  /** In the order in which they were read: the first is the oldest. */
  readonly #cache = new Map<string, CachedRoute>();
  /** Reads under way; calls that ask meanwhile share them. */
  readonly #reads = new Map<string, Promise<CachedRoute>>();
  readonly #changed = (_channel: string, field: string) => this.#forget(field);
  readonly #connected = () => this.#subscribe();

  constructor({ redis, subscriber, clock, ...options }: RouteLookupOptions) {
    this.#redis = redis;
    this.#subscriber = subscriber;
    this.#clock = clock;
    this.#maxAgeMs = options.maxAgeMs ?? ROUTE_MAX_AGE_MS;
    this.#cachedKeys = options.cachedKeys ?? CACHED_KEYS;
    this.#onLookup = options.onLookup ?? (() => {});
    subscriber.on('message', this.#changed);
    subscriber.on('ready', this.#connected);
    if (subscriber.status === 'ready') this.#subscribe();
  }

  async lookup(kind: RouteKind, key: string): Promise<RouteDecision> {
    const field = routeField(kind, key);
    const cached = this.#fresh(field);
    try {
      const { entry, readAt } = cached ?? (await this.#shared(field));
      const ageMs = Math.round(this.#clock.monotonic() - readAt);
      this.#onLookup({ kind, outcome: cached ? 'cached' : 'read', ageMs });
      return decide(entry, this.#clock.now(), ageMs);
    } catch (error) {
      this.#onLookup({ kind, outcome: 'failed', ageMs: null });
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#subscriber.off('message', this.#changed);
    this.#subscriber.off('ready', this.#connected);
    if (this.#subscriber.status === 'ready')
      await this.#subscriber.unsubscribe(ROUTE_CHANGES).catch(() => {});
    this.#cache.clear();
  }

  #fresh(field: string): CachedRoute | undefined {
    const cached = this.#cache.get(field);
    return cached && this.#clock.monotonic() - cached.readAt <= this.#maxAgeMs ? cached : undefined;
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
    const entry = parseEntry(field, await this.#redis.hget(ROUTE_TABLE, field));
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
    this.#subscriber.subscribe(ROUTE_CHANGES).then(forgetAll, () => {});
  }
}
