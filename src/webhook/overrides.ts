import { type Diagnostic, failure, warning } from '../core/diagnostic.ts';
import type { EdgeId } from '../region/edge.ts';

/** What may be retried: answers by class, connect failures, read timeouts. `all` is all four, and every failure. */
export type RetryPolicy = '4xx' | '5xx' | 'ct' | 'rt' | 'all';

/**
 * How one request is made: the defaults, with what the URL's fragment says.
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
export interface ConnectionOverrides {
  readonly connectMs: number;
  readonly readMs: number;
  readonly totalMs: number;
  readonly retries: number;
  readonly retryOn: ReadonlySet<RetryPolicy>;
  readonly sni: boolean;
  /** Edges to leave through, one after the other on each retry; empty: the Region's home edge. */
  readonly edges: readonly EdgeId[];
  /** The URL itself set the total: running out of it is 11203 rather than 11200. */
  readonly totalGiven: boolean;
}

export interface ParsedOverrides {
  readonly values: ConnectionOverrides;
  /** Errors (`e`, `rp`) forbid the request; warnings name what was ignored. */
  readonly diagnostics: readonly Diagnostic[];
}

/** @see https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides#list-of-overrides */
export const DEFAULT_OVERRIDES: ConnectionOverrides = {
  connectMs: 5_000,
  readMs: 15_000,
  totalMs: 15_000,
  retries: 1,
  retryOn: new Set<RetryPolicy>(['ct']),
  sni: true,
  edges: [],
  totalGiven: false,
};

/** Whether webhooks may leave through an edge; three Interconnect edges carry no webhooks (11241). */
const WEBHOOK_EDGES: Readonly<Record<EdgeId, boolean>> = {
  ashburn: true,
  umatilla: true,
  dublin: true,
  frankfurt: true,
  singapore: true,
  tokyo: true,
  sydney: true,
  'sao-paulo': true,
  'ashburn-ix': true,
  'san-jose-ix': true,
  'london-ix': true,
  'frankfurt-ix': true,
  'singapore-ix': true,
  'tokyo-ix': false,
  'sydney-ix': false,
  'sao-paulo-ix': false,
};

const POLICIES: Readonly<Record<RetryPolicy, true>> = {
  '4xx': true,
  '5xx': true,
  ct: true,
  rt: true,
  all: true,
};

export interface OverrideRules {
  /** What holds where the fragment is silent. */
  readonly defaults?: ConnectionOverrides;
  /** Claims the Region has an active connection at an Interconnect edge; absent: it has. */
  readonly interconnect?: (edge: EdgeId) => boolean;
}

/**
 * Our choice: so many problems of one URL are told, and the one that forbids the request; it may hold thousands, and
 * be asked for again and again.
 */
const MOST_TOLD = 20;

/** Reads `url`'s fragment (`#ct=1000&e=ashburn,umatilla`). Never fails: what is wrong is in `diagnostics`. */
export function parseOverrides(url: string, rules: OverrideRules = {}): ParsedOverrides {
  let values = rules.defaults ?? DEFAULT_OVERRIDES;
  const diagnostics: Diagnostic[] = [];
  const hash = url.indexOf('#');
  if (hash < 0) return { values, diagnostics };
  for (const [key, text] of new URLSearchParams(url.slice(hash + 1))) {
    const read = READERS.get(key) ?? unknownKey;
    const outcome = read(text, key, rules);
    if ('code' in outcome) {
      const first = outcome.level === 'error' && diagnostics.every(({ level }) => level !== 'error');
      if (first || diagnostics.length < MOST_TOLD) diagnostics.push(outcome);
    } else values = { ...values, ...outcome };
  }
  return { values, diagnostics };
}

type Reader = (text: string, key: string, rules: OverrideRules) => Partial<ConnectionOverrides> | Diagnostic;

/** A map, since the keys are the customer's text. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['ct', number(100, 10_000, (connectMs) => ({ connectMs }))],
  ['rt', number(100, 15_000, (readMs) => ({ readMs }))],
  ['tt', number(100, 15_000, (totalMs) => ({ totalMs, totalGiven: true }))],
  ['rc', number(0, 5, (retries) => ({ retries }))],
  ['sni', sni],
  ['rp', retryPolicies],
  ['e', egressEdges],
]);

function number(min: number, max: number, field: (value: number) => Partial<ConnectionOverrides>): Reader {
  return (text, key) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return field(value);
    return ignored(key, text, `a whole number from ${min} to ${max}`);
  };
}

function sni(text: string, key: string): Partial<ConnectionOverrides> | Diagnostic {
  return text === 'y' || text === 'n' ? { sni: text === 'y' } : ignored(key, text, 'y or n');
}

/** @see https://www.twilio.com/docs/api/errors/11243 */
function retryPolicies(actual: string): Partial<ConnectionOverrides> | Diagnostic {
  const policies = actual.split(',');
  if (policies.every(isPolicy)) return { retryOn: new Set(policies) };
  const expected = `a comma-separated list of ${Object.keys(POLICIES).join(', ')}`;
  return failure(11243, `The retry policy rp="${actual}" is invalid; give ${expected}.`, {
    actual,
    expected,
  });
}

/**
 * @see https://www.twilio.com/docs/api/errors/11240
 * @see https://www.twilio.com/docs/api/errors/11241
 * @see https://www.twilio.com/docs/api/errors/11242
 */
function egressEdges(
  list: string,
  _key: string,
  rules: OverrideRules,
): Partial<ConnectionOverrides> | Diagnostic {
  const edges: EdgeId[] = [];
  for (const actual of list.split(',')) {
    const usable = Object.entries(WEBHOOK_EDGES).flatMap(([edge, carries]) => (carries ? [edge] : []));
    const expected = `some of ${usable.join(', ')}`;
    if (!isEdge(actual)) {
      const message = `The egress edge "${actual}" in e= does not exist; give ${expected}.`;
      return failure(11240, message, { actual, expected });
    }
    if (!WEBHOOK_EDGES[actual]) {
      const message = `The edge "${actual}" in e= carries no webhooks; give ${expected}.`;
      return failure(11241, message, { actual, expected });
    }
    if (actual.endsWith('-ix') && rules.interconnect?.(actual) === false) {
      const message = `This Region has no active Interconnect connection at "${actual}"; activate one or give a public edge in e=.`;
      return failure(11242, message, { actual, expected: 'an edge with an active connection' });
    }
    edges.push(actual);
  }
  return { edges };
}

function unknownKey(_text: string, actual: string): Diagnostic {
  const expected = `one of ${[...READERS.keys()].join(', ')}`;
  return warning(11100, `The connection override "${actual}" is unknown and ignored; use ${expected}.`, {
    actual,
    expected,
  });
}

function ignored(key: string, actual: string, expected: string): Diagnostic {
  const message = `The connection override ${key}="${actual}" is ignored; it must be ${expected}.`;
  return warning(11100, message, { actual, expected });
}

function isPolicy(text: string): text is RetryPolicy {
  return Object.hasOwn(POLICIES, text);
}

function isEdge(text: string): text is EdgeId {
  return Object.hasOwn(WEBHOOK_EDGES, text);
}
