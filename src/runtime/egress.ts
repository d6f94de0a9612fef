import type { InterconnectConnection } from '../config/port.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import { isSid } from '../core/ids.ts';
import { type EdgeId, isInterconnect } from '../region/edge.ts';
import type { Region } from '../region/region.ts';
import type { DialTarget } from '../twiml/verbs/ports.ts';

/**
 * The edge from which a target is called: the one it names, else the exchange of its connection, else the Region's
 * home edge. A private edge needs an active connection; what cannot go there goes nowhere (our choice: never the
 * public network in place of a private one).
 *
 * @param connections the Region's Interconnect connections; read only for a target that concerns them
 * @see https://www.twilio.com/docs/voice/twiml/sip#uri-parameters
 */
export async function chooseEgress(
  target: DialTarget,
  region: Region,
  connections: () => Promise<readonly InterconnectConnection[]>,
): Promise<EdgeId | Diagnostic> {
  if (target.kind !== 'sip') return region.homeEdge;
  const { edge, connectionSid } = target;
  if (connectionSid === undefined && (edge === undefined || !isInterconnect(edge))) {
    return edge ?? region.homeEdge;
  }
  if (connectionSid !== undefined && !isSid(connectionSid, 'TX')) {
    const message = `tnx=${connectionSid.slice(0, 100)} is no SID of an Interconnect connection: the call is not made. Name one of GET /trunkline/v1/Connections, or use edge=.`;
    return failure(32301, message, { actual: connectionSid, expected: 'TX and 32 hexadecimal digits' });
  }
  let known: readonly InterconnectConnection[];
  try {
    known = await connections();
  } catch (error) {
    return failure(
      12400,
      `The Interconnect connections of ${region.id} cannot be read: the call is not made. ${error}`,
    );
  }
  if (connectionSid === undefined) return edge === undefined ? region.homeEdge : through(edge, known, region);
  const connection = known.find(({ sid }) => sid === connectionSid);
  if (!connection) {
    const message = `${region.id} has no Interconnect connection ${connectionSid} (tnx): the call is not made. Name one of GET /trunkline/v1/Connections in this Region.`;
    return failure(32302, message, { actual: connectionSid });
  }
  if (connection.status !== 'active') {
    const message = `The Interconnect connection ${connectionSid} (tnx) of ${region.id} is ${connection.status}: the call is not made. Activate it, or use another one.`;
    return failure(32304, message, { actual: connection.status, expected: 'active' });
  }
  return through(edge ?? connection.exchange, known, region);
}

function through(
  edge: EdgeId,
  known: readonly InterconnectConnection[],
  region: Region,
): EdgeId | Diagnostic {
  if (!isInterconnect(edge)) return edge;
  if (known.some(({ exchange, status }) => exchange === edge && status === 'active')) return edge;
  const message = `edge=${edge} needs an active Interconnect connection of ${region.id} to that exchange, and there is none: the call is not made. Activate one under /trunkline/v1/Connections.`;
  return failure(32305, message, { actual: edge });
}
