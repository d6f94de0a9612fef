import { z } from 'zod';
import { type EdgeId, isEdgeId, isInterconnect } from '../../region/edge.ts';
import { readPlaceName } from '../../region/place-name.ts';
import { REGION_IDS, REGIONS, type RegionId } from '../../region/region.ts';
import { parseUri } from '../../sip/message/uri.ts';
import { readSipTarget, type SipTarget } from '../../twiml/verbs/sip-uri.ts';
import type { Finding } from './finding.ts';
import type { RegionServices } from './region-services.ts';
import { withoutLogin } from './secrets.ts';

const listing = z.looseObject({
  connections: z.array(z.looseObject({ sid: z.string(), exchange: z.string(), status: z.string() })),
});
type Connection = z.infer<typeof listing>['connections'][number];

const REGION_WHY =
  'the Region that runs the document with it, or got the REST request, makes the call; a target never decides it';

/** Somebody else's equipment, as `<Sip>` or the API's To calls it: its parameters choose the edge to leave by. */
export async function examineTarget(
  subject: string,
  text: string,
  services: RegionServices,
): Promise<Finding> {
  const { target, diagnostics } = readSipTarget(withoutLogin(text)); // its messages quote what they find
  const problems = diagnostics.map(({ code, message }) => `${code}: ${message}`);
  const way = target ? await egress(target, services) : undefined;
  return {
    subject,
    kind: 'sip',
    edge: way?.edge ?? { id: null, why: 'nobody is called by it' },
    region: { id: null, why: REGION_WHY },
    problems: [...problems, ...(way?.problems ?? [])],
    notes: [...spellings(text), ...(way?.notes ?? [])],
  };
}

interface Egress {
  readonly edge: Finding['edge'];
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

async function egress({ edge, connectionSid }: SipTarget, services: RegionServices): Promise<Egress> {
  if (connectionSid !== undefined) return byConnection(connectionSid, edge, services);
  if (edge === undefined) {
    const homes = REGION_IDS.map((id) => `${REGIONS[id].homeEdge} from ${id}`).join(', ');
    return {
      edge: { id: null, why: `it names none, so the Region's home edge: ${homes}` },
      problems: [],
      notes: [],
    };
  }
  const why = 'its parameter names it, for the way out and nothing else';
  if (!isInterconnect(edge)) return { edge: { id: edge, why }, problems: [], notes: [] };
  const known = await connections(services);
  const active = [...known].flatMap(([region, there]) =>
    there.some(({ exchange, status }) => exchange === edge && status === 'active') ? [region] : [],
  );
  if (known.size === 0) {
    const note = `The call is made if its Region has an active connection to ${edge}; nothing runs here that could be asked.`;
    return { edge: { id: edge, why }, problems: [], notes: [note] };
  }
  const needed = `${edge} needs an active Interconnect connection of the Region that calls`;
  if (active.length > 0) {
    return {
      edge: { id: edge, why },
      problems: [],
      notes: [`${needed}; there is one in ${active.join(', ')}.`],
    };
  }
  const fix = 'Activate one under /trunkline/v1/Connections.';
  return {
    edge: { id: edge, why },
    problems: [`32305: ${needed}, and no Region has one. ${fix}`],
    notes: [],
  };
}

/** The deprecated `tnx`: the exchange of a connection, which one Region has. */
async function byConnection(
  sid: string,
  edge: EdgeId | undefined,
  services: RegionServices,
): Promise<Egress> {
  const notes = ['tnx= is deprecated: edge= with the name of the exchange says the same.'];
  const known = await connections(services);
  for (const [region, there] of known) {
    const found = there.find((connection) => connection.sid === sid);
    if (!found) continue;
    const exchange = isEdgeId(found.exchange) ? found.exchange : null;
    const why = edge ? 'its parameter names it' : `it is the exchange of ${region}'s connection ${sid}`;
    const problems =
      found.status === 'active' ? [] : [`32304: the connection ${sid} of ${region} is ${found.status}.`];
    return {
      edge: { id: edge ?? exchange, why },
      problems,
      notes: [...notes, `Only calls of ${region} have it.`],
    };
  }
  const unknown = `32302: no Region has the connection ${sid}; GET /trunkline/v1/Connections lists a Region's.`;
  const unasked = 'the exchange of the connection, which nothing that runs here could tell';
  return {
    edge: { id: edge ?? null, why: known.size > 0 ? 'the connection does not exist' : unasked },
    problems: known.size > 0 ? [unknown] : [],
    notes,
  };
}

async function connections(services: RegionServices): Promise<ReadonlyMap<RegionId, Connection[]>> {
  const replies = (await services.askOwn(() => '/trunkline/v1/Connections')) ?? [];
  const known = new Map<RegionId, Connection[]>();
  for (const reply of replies) {
    if ('silent' in reply || reply.status !== 200) continue;
    const read = listing.safeParse(reply.body);
    if (read.success) known.set(reply.region, read.data.connections);
  }
  return known;
}

/** What older spellings of the parameters mean, and what a wrong one was probably meant to be. */
function spellings(text: string): string[] {
  const uri = parseUri(/^sips?:/i.test(text) ? text : `sip:${text}`);
  const notes: string[] = [];
  for (const name of ['edge', 'region']) {
    const value = uri?.params.get(name);
    if (value === undefined) continue;
    const place = readPlaceName(value);
    if (name === 'region') {
      notes.push('region= is the legacy spelling of edge=: it chooses an edge, and never a Region.');
    }
    if (place.kind !== 'edge' || place.legacy) notes.push(`'${value}' ${place.says}.`);
  }
  return notes;
}
