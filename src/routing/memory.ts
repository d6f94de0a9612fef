import type { Clock } from '../core/clock.ts';
import {
  assertDelay,
  CHANGES_KEPT,
  change,
  changeBetween,
  decide,
  ROUTE_PACE,
  type RouteEntry,
  routeField,
  stateOf,
} from './entry.ts';
import {
  type RouteAuthor,
  type RouteChange,
  type RouteKind,
  type RouteLookup,
  type RoutePace,
  type RouteRecord,
  type RouteTable,
  TooManyRouteChanges,
} from './port.ts';

export interface MemoryRoutesOptions {
  readonly clock: Clock;
  readonly delayMs?: number;
  readonly pace?: RoutePace;
}

/** A route table and its look-up within one process: replay and tests. Answers are never older than 0 ms. */
export function createMemoryRoutes({ clock, delayMs = 0, pace = ROUTE_PACE }: MemoryRoutesOptions): {
  readonly table: RouteTable;
  readonly lookup: RouteLookup;
} {
  assertDelay('the route delay', delayMs);
  const entries = new Map<string, RouteEntry>();
  const trails = new Map<string, readonly RouteChange[]>();
  let taken: readonly number[] = [];

  const keepPace = () => {
    const now = clock.now();
    taken = taken.filter((at) => at > now - pace.windowMs);
    const [oldest] = taken;
    if (oldest !== undefined && taken.length >= pace.changes) {
      throw new TooManyRouteChanges(oldest + pace.windowMs - now, pace);
    }
    taken = [...taken, now];
  };

  const write = (kind: RouteKind, key: string, record: RouteRecord | null, by: RouteAuthor | null) => {
    const field = routeField(kind, key);
    const entry = entries.get(field);
    if (!record && !entry?.record) return;
    const now = clock.now();
    const next = change(entry, record, now, delayMs);
    entries.set(field, next);
    const trail = [changeBetween(entry, next, now, by), ...(trails.get(field) ?? [])];
    trails.set(field, trail.slice(0, CHANGES_KEPT));
  };

  const fetch = (kind: RouteKind, key: string) => entries.get(routeField(kind, key))?.record ?? undefined;

  return {
    table: {
      async fetch(kind, key) {
        return fetch(kind, key);
      },
      async state(kind, key) {
        return stateOf(entries.get(routeField(kind, key)), clock.now());
      },
      async change(kind, key, next, by) {
        const record = next(fetch(kind, key));
        keepPace();
        write(kind, key, record, by);
        return record;
      },
      async save(record, by) {
        write(record.kind, record.key, record, by ?? null);
      },
      async remove(kind, key, by) {
        write(kind, key, null, by ?? null);
      },
      async list(accountSid, { offset, limit, upTo = Number.POSITIVE_INFINITY }) {
        const found = [...entries.values()]
          .flatMap((entry) =>
            entry.record ? [{ ...stateOf(entry, clock.now()), record: entry.record }] : [],
          )
          .filter(({ record }) => record.accountSid === accountSid && record.createdAt <= upTo)
          .sort((a, b) => b.record.createdAt - a.record.createdAt);
        return { items: found.slice(offset, offset + limit), hasMore: found.length > offset + limit };
      },
      async changes(kind, key) {
        return trails.get(routeField(kind, key)) ?? [];
      },
      async close() {},
    },
    lookup: {
      async lookup(kind, key) {
        return decide(entries.get(routeField(kind, key)), clock.now(), 0);
      },
      async close() {},
    },
  };
}
