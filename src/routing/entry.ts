import { DEFAULT_REGION, type RegionId } from '../region/region.ts';
import type { RouteDecision, RouteKind, RouteRecord } from './port.ts';

/** Our choice: the longest propagation and the longest staleness that may be configured (DESIGN §1: 5 minutes). */
export const LONGEST_ROUTE_DELAY_MS = 300_000;

/** What the table holds for a key. Until `effectiveAt` calls go where they went before the change. */
export interface RouteEntry {
  /** Null: the record was removed, and only the end of its effect is still to come. */
  readonly record: RouteRecord | null;
  /** Null: there was no record, so calls go to the default Region. */
  readonly previousRegion: RegionId | null;
  /** Milliseconds since the Unix epoch. */
  readonly effectiveAt: number;
}

/** A field of the table: one per key and kind. */
export function routeField(kind: RouteKind, key: string): string {
  return `${kind}:${key}`;
}

/** The Region that a record, or its absence, sends calls to at `now`; null stands for "no record". */
export function regionAt(entry: RouteEntry | undefined, now: number): RegionId | null {
  if (!entry) return null;
  return now < entry.effectiveAt ? entry.previousRegion : (entry.record?.voiceRegion ?? null);
}

export function decide(entry: RouteEntry | undefined, now: number, ageMs: number): RouteDecision {
  const region = regionAt(entry, now);
  return region === null
    ? { region: DEFAULT_REGION, record: 'default', ageMs }
    : { region, record: 'explicit', ageMs };
}

/** The entry that replaces `entry` when a record is saved, or removed (null), at `now`. */
export function change(
  entry: RouteEntry | undefined,
  record: RouteRecord | null,
  now: number,
  delayMs: number,
): RouteEntry {
  return { record, previousRegion: regionAt(entry, now), effectiveAt: now + delayMs };
}

/** Refuses what nobody could rely on: the settings say "at most 300000". */
export function assertDelay(name: string, ms: number): void {
  if (!(ms >= 0 && ms <= LONGEST_ROUTE_DELAY_MS)) {
    throw new RangeError(`${name} is ${ms} ms, expected 0 to ${LONGEST_ROUTE_DELAY_MS}`);
  }
}
