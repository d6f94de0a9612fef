import type { RegionId } from '../region/region.ts';

/** The three kinds of global keys (DESIGN §1). */
export const ROUTE_KINDS = ['phone-number', 'sip-domain', 'trunk'] as const;

export type RouteKind = (typeof ROUTE_KINDS)[number];

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

/** Where a key's calls go, and where they will go. */
export interface RouteState {
  /** Undefined: nobody set one. */
  readonly record: RouteRecord | undefined;
  /** Where calls go now. */
  readonly activeRegion: RegionId;
  /** A change that has not taken effect yet; milliseconds since the Unix epoch. */
  readonly pending: { readonly region: RegionId; readonly effectiveAt: number } | undefined;
}

/** Who changed a route. Names and places only: a change is never kept with a secret. */
export interface RouteAuthor {
  readonly accountSid: string;
  /** The API key's SID, or the account's own where its auth token was used. */
  readonly credentialSid: string;
  /** The Region whose host was asked. */
  readonly region: RegionId;
}

/** One entry of a key's audit trail. */
export interface RouteChange {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** The account that had the key then. */
  readonly accountSid: string;
  /** Null: no request did it. */
  readonly by: RouteAuthor | null;
  /** Null: there was no record. */
  readonly before: RouteTerms | null;
  /** Null: the record was removed. */
  readonly after: RouteTerms | null;
  /** When calls follow it. */
  readonly effectiveAt: number;
}

/** What of a record can change. */
export type RouteTerms = Pick<RouteRecord, 'sid' | 'voiceRegion' | 'friendlyName'>;

/** The global route table, as the REST API writes it. Whatever of it cannot be read is an error, never "no record". */
export interface RouteTable {
  fetch(kind: RouteKind, key: string): Promise<RouteRecord | undefined>;
  state(kind: RouteKind, key: string): Promise<RouteState>;
  /**
   * Replaces a record by what `next` makes of it, in one step, and tells every edge; it takes effect after the
   * configured propagation. `next` may run more than once, and throws to leave everything as it is. Writers of one
   * key are put in one order, which is that of `changes`.
   *
   * @throws TooManyRouteChanges
   */
  change(
    kind: RouteKind,
    key: string,
    next: (before: RouteRecord | undefined) => RouteRecord,
    by: RouteAuthor | null,
  ): Promise<RouteRecord>;
  /** A change that is part of another one, a number that is created for example: never refused for its pace. */
  save(record: RouteRecord, by?: RouteAuthor | null): Promise<void>;
  /** Never refused for its pace, either: a key that is given up must not keep its route. */
  remove(kind: RouteKind, key: string, by?: RouteAuthor | null): Promise<void>;
  /** An account's records, newest first. */
  list(accountSid: string, part: RouteListPart): Promise<RouteListing>;
  /** What was done to a key, newest first, as far back as it is kept. */
  changes(kind: RouteKind, key: string): Promise<readonly RouteChange[]>;
  close(): Promise<void>;
}

export interface RouteListPart {
  readonly offset: number;
  readonly limit: number;
  /** Records created later are left out; milliseconds since the Unix epoch. */
  readonly upTo?: number | undefined;
}

export interface RouteListing {
  readonly items: readonly (RouteState & { readonly record: RouteRecord })[];
  readonly hasMore: boolean;
}

/** The installation changes routes faster than it may. */
export class TooManyRouteChanges extends Error {
  override readonly name = 'TooManyRouteChanges';

  constructor(
    /** Until a change is taken again, milliseconds. */
    readonly retryAfterMs: number,
    { changes, windowMs }: RoutePace,
  ) {
    super(`more than ${changes} changes of routes in ${windowMs} ms`);
  }
}

/** How many changes, of all Regions' services together, any span of `windowMs` may hold. */
export interface RoutePace {
  readonly changes: number;
  readonly windowMs: number;
}

export interface RouteDecision {
  readonly region: RegionId;
  readonly record: 'explicit' | 'default';
  /** The record that decided; null when none did, or it is removed and only its effect is still there. */
  readonly sid: string | null;
  /** How long ago this answer was read from the table, milliseconds. */
  readonly ageMs: number;
}

/** What an edge asks. Rejects when the table cannot be read: never a guess. */
export interface RouteLookup {
  lookup(kind: RouteKind, key: string): Promise<RouteDecision>;
  close(): Promise<void>;
}

/** One look-up, as metrics see it. `ageMs` is null when there was no answer. */
export interface RouteObservation {
  readonly kind: RouteKind;
  readonly outcome: 'cached' | 'read' | 'failed';
  readonly ageMs: number | null;
}
