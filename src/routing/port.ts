import type { RegionId } from '../region/region.ts';

/** The three kinds of global keys (DESIGN §1). */
export type RouteKind = 'phone-number' | 'sip-domain' | 'trunk';

/** A route record: the one active Region of a key. `sid` is QQ + 32 hex. */
export interface RouteRecord {
  readonly sid: string;
  readonly kind: RouteKind;
  /** E.164, or the bare name of the domain or trunk. */
  readonly key: string;
  readonly accountSid: string;
  readonly voiceRegion: RegionId;
  readonly friendlyName: string;
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The global route table, as the REST API writes it. */
export interface RouteTable {
  fetch(kind: RouteKind, key: string): Promise<RouteRecord | undefined>;
  /** Creates or changes a record and tells every edge; takes effect after the configured propagation. */
  save(record: RouteRecord): Promise<void>;
  remove(kind: RouteKind, key: string): Promise<void>;
  close(): Promise<void>;
}

export interface RouteDecision {
  readonly region: RegionId;
  readonly record: 'explicit' | 'default';
  /** How long ago this answer was read from the table, milliseconds. */
  readonly ageMs: number;
}

/** What an edge asks. Rejects when the table cannot be read: never a guess. */
export interface RouteLookup {
  lookup(kind: RouteKind, key: string): Promise<RouteDecision>;
  close(): Promise<void>;
}
