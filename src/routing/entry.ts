import { z } from 'zod';
import { DEFAULT_REGION, REGION_IDS, type RegionId } from '../region/region.ts';
import {
  ROUTE_KINDS,
  type RouteAuthor,
  type RouteChange,
  type RouteDecision,
  type RouteKind,
  type RoutePace,
  type RouteRecord,
  type RouteState,
  type RouteTerms,
} from './port.ts';

/** Our choice: the longest propagation and the longest staleness that may be configured (DESIGN §1: 5 minutes). */
export const LONGEST_ROUTE_DELAY_MS = 300_000;

/** Our choice: what an edge remembers is never older, also when it heard of no change. */
export const ROUTE_MAX_AGE_MS = 5_000;

/**
 * Changes beyond this are "Too many requests".
 * @see https://www.twilio.com/docs/global-infrastructure/inbound-processing-api
 */
export const ROUTE_PACE: RoutePace = { changes: 300, windowMs: 1_000 };

/** Our choice: changes kept of each key. A key that is re-routed daily shows a quarter of a year. */
export const CHANGES_KEPT = 100;

/** Our choice: 30 days for the changes of a key whose record was removed. */
export const CHANGES_KEPT_AFTER_REMOVAL_S = 30 * 24 * 3_600;

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
function regionAt(entry: RouteEntry | undefined, now: number): RegionId | null {
  if (!entry) return null;
  return now < entry.effectiveAt ? entry.previousRegion : (entry.record?.voiceRegion ?? null);
}

export function decide(entry: RouteEntry | undefined, now: number, ageMs: number): RouteDecision {
  const region = regionAt(entry, now);
  return region === null
    ? { region: DEFAULT_REGION, record: 'default', sid: null, ageMs }
    : { region, record: 'explicit', sid: entry?.record?.sid ?? null, ageMs };
}

export function stateOf(entry: RouteEntry | undefined, now: number): RouteState {
  const activeRegion = regionAt(entry, now) ?? DEFAULT_REGION;
  const region = entry?.record?.voiceRegion ?? DEFAULT_REGION;
  const pending = entry && now < entry.effectiveAt && region !== activeRegion;
  return {
    record: entry?.record ?? undefined,
    activeRegion,
    pending: pending ? { region, effectiveAt: entry.effectiveAt } : undefined,
  };
}

/**
 * The entry that replaces `entry` when a record is saved, or removed (null), at `now`. One that says the same about
 * the Region, a new name for one, does not begin the propagation again.
 */
export function change(
  entry: RouteEntry | undefined,
  record: RouteRecord | null,
  now: number,
  delayMs: number,
): RouteEntry {
  if (entry?.record && entry.record.voiceRegion === record?.voiceRegion) return { ...entry, record };
  return { record, previousRegion: regionAt(entry, now), effectiveAt: now + delayMs };
}

/** The change from one entry to another, for the audit trail. */
export function changeBetween(
  entry: RouteEntry | undefined,
  next: RouteEntry,
  now: number,
  by: RouteAuthor | null,
): RouteChange {
  const owner = next.record ?? entry?.record;
  if (!owner) throw new Error('a change needs a record before it or after it');
  return {
    at: now,
    accountSid: owner.accountSid,
    by,
    before: entry?.record ? termsOf(entry.record) : null,
    after: next.record ? termsOf(next.record) : null,
    effectiveAt: next.effectiveAt,
  };
}

function termsOf({ sid, voiceRegion, friendlyName }: RouteRecord): RouteTerms {
  return { sid, voiceRegion, friendlyName };
}

/** Refuses what nobody could rely on: the settings say "at most 300000". */
export function assertDelay(name: string, ms: number): void {
  if (!(ms >= 0 && ms <= LONGEST_ROUTE_DELAY_MS)) {
    throw new RangeError(`${name} is ${ms} ms, expected 0 to ${LONGEST_ROUTE_DELAY_MS}`);
  }
}

const region = z.enum(REGION_IDS);
const text = z.string();
const ms = z.number();
const terms = z.object({ sid: text, voiceRegion: region, friendlyName: text });

const entrySchema: z.ZodType<RouteEntry> = z.object({
  record: terms
    .extend({ kind: z.enum(ROUTE_KINDS), key: text, accountSid: text, createdAt: ms, updatedAt: ms })
    .nullable(),
  previousRegion: region.nullable(),
  effectiveAt: ms,
});

const changeSchema: z.ZodType<RouteChange> = z.object({
  at: ms,
  accountSid: text,
  by: z.object({ accountSid: text, credentialSid: text, region }).nullable(),
  before: terms.nullable(),
  after: terms.nullable(),
  effectiveAt: ms,
});

/** Reads what the table holds for a field. @throws when that is no entry: it says nothing about where calls go */
export function parseEntry(field: string, json: string | null | undefined): RouteEntry | undefined {
  if (json === null || json === undefined || json === '') return undefined;
  const entry = read(entrySchema, `the entry of ${field}`, json);
  if (entry.record === null || routeField(entry.record.kind, entry.record.key) === field) return entry;
  throw new Error(`the route table is damaged: under ${field} stands the record of ${entry.record.key}`);
}

export function parseChange(field: string, json: string): RouteChange {
  return read(changeSchema, `a change of ${field}`, json);
}

function read<T>(schema: z.ZodType<T>, what: string, json: string): T {
  const result = schema.safeParse(parsed(json));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`the route table is damaged: ${what}: ${issue?.path.join('.') || 'it'}: ${issue?.message}`);
}

/** Undefined, which is no entry, for what is no JSON. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
