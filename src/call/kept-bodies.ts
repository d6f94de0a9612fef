import { createHash } from 'node:crypto';
import type { TimelineEvent } from './timeline.ts';

type ExchangeEvent = Extract<TimelineEvent, { type: 'exchange' }>;

/**
 * Reads the bodies of the exchanges of one timeline, which are to be given in order: one that was kept before is
 * named by its SHA-256. Undefined where none was kept.
 */
export function keptBodies(): (exchange: ExchangeEvent) => string | undefined {
  const known = new Map<string, string>();
  return ({ body, sha256, cut }) => {
    if (body === undefined) return sha256 === undefined ? undefined : known.get(sha256);
    if (!cut) known.set(createHash('sha256').update(body).digest('hex'), body);
    return body;
  };
}
