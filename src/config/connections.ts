import { createHash } from 'node:crypto';
import { INTERCONNECT_EDGES, type InterconnectEdge } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';
import type { InterconnectConnection } from './port.ts';

/**
 * The SID of a Region's default connection to an exchange. Derived, not drawn: every process of the Region knows it
 * without asking, and it is the same after a restart with an empty Redis.
 */
function defaultSid(region: RegionId, exchange: InterconnectEdge): string {
  return `TX${createHash('sha256').update(`${region} ${exchange}`).digest('hex').slice(0, 32)}`;
}

/** All connections of a Region: one active default per exchange (DESIGN §6, Interconnect), and what was saved. */
export function connectionsOf(
  region: RegionId,
  saved: readonly InterconnectConnection[],
): readonly InterconnectConnection[] {
  const all = new Map<string, InterconnectConnection>();
  for (const exchange of INTERCONNECT_EDGES) {
    const sid = defaultSid(region, exchange);
    all.set(sid, { sid, exchange, status: 'active' });
  }
  for (const connection of saved) all.set(connection.sid, connection);
  const place = ({ exchange }: InterconnectConnection) => INTERCONNECT_EDGES.indexOf(exchange);
  return [...all.values()].sort((a, b) => place(a) - place(b)); // stable: a default precedes what was added
}
