import { invalid } from './api-error.ts';
import type { Parameters } from './parameters.ts';

/** Milliseconds since the Unix epoch: from inclusive, before exclusive. */
export interface DateRange {
  readonly from: number | undefined;
  readonly before: number | undefined;
}

const DAY = 86_400_000;

/**
 * `<name>`, `<name><` and `<name>>` of a 2010-04-01 list. A day means that whole day in UTC; `<` and `>` include
 * the instant they name, which for a day is its first.
 * @see https://www.twilio.com/docs/voice/api/call-resource#read-multiple-call-resources
 */
export function dateRange(query: Parameters, name: string): DateRange {
  const on = instant(query, name);
  const until = instant(query, `${name}<`);
  const since = instant(query, `${name}>`);
  const day = on === undefined ? undefined : Math.floor(on / DAY) * DAY;
  return {
    from: latest(since, day),
    before: earliest(until === undefined ? undefined : until + 1, day === undefined ? undefined : day + DAY),
  };
}

export function includes(range: DateRange, ms: number): boolean {
  return (range.from === undefined || ms >= range.from) && (range.before === undefined || ms < range.before);
}

export function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}

function instant(query: Parameters, name: string): number | undefined {
  const value = query.filled(name);
  if (value === undefined) return undefined;
  const iso = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(value);
  const ms = iso ? Date.parse(/^.{10}$|(Z|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(20001, `${name} is '${value}'; give a date as YYYY-MM-DD (UTC).`);
  return ms;
}
