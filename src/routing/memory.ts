import type { Clock } from '../core/clock.ts';
import { assertDelay, change, decide, type RouteEntry, routeField } from './entry.ts';
import type { RouteKind, RouteLookup, RouteRecord, RouteTable } from './port.ts';

/** A route table and its look-up within one process: replay and tests. Answers are never older than 0 ms. */
export function createMemoryRoutes(options: { readonly clock: Clock; readonly delayMs?: number }): {
  readonly table: RouteTable;
  readonly lookup: RouteLookup;
} {
  const { clock, delayMs = 0 } = options;
  assertDelay('the route delay', delayMs);
  const entries = new Map<string, RouteEntry>();

  const write = (kind: RouteKind, key: string, record: RouteRecord | null) => {
    const field = routeField(kind, key);
    const entry = entries.get(field);
    if (!record && !entry?.record) return;
    entries.set(field, change(entry, record, clock.now(), delayMs));
  };

  return {
    table: {
      async fetch(kind, key) {
        return entries.get(routeField(kind, key))?.record ?? undefined;
      },
      async save(record) {
        write(record.kind, record.key, record);
      },
      async remove(kind, key) {
        write(kind, key, null);
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
