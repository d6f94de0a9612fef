import { EDGE_IDS, type EdgeId, edgeFromLabel, isEdgeId, isInterconnect } from './edge.ts';
import { EDGES } from './edge-catalogue.ts';
import { isRegionId, REGION_IDS, type RegionId } from './region.ts';

/** What a name of a place means to us; `says` continues a sentence that begins with the name. */
export type PlaceName =
  | { readonly kind: 'region'; readonly region: RegionId; readonly says: string }
  | { readonly kind: 'edge'; readonly edge: EdgeId; readonly legacy: boolean; readonly says: string }
  | { readonly kind: 'neither'; readonly known: boolean; readonly says: string };

const SDK_NAMES: ReadonlyMap<string, EdgeId> = new Map(
  EDGE_IDS.flatMap((edge) => EDGES[edge].sdkNames.map((name) => [name, edge] as const)),
);

/** Names that people meet and that are neither Region nor edge here. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  [
    'roaming',
    "is the Voice SDKs' word for the nearest edge; it is no Region, and SIP and REST have no such edge",
  ],
  ['gll', "is the legacy spelling of 'roaming', the Voice SDKs' word for the nearest edge; it is no Region"],
  ['gll-ix', "is the legacy spelling of 'roaming' over Interconnect, a Voice SDK's word; it is no Region"],
  // @see https://github.com/twilio/twilio-node 5.10.7 to 5.12.0
  ['jp2', 'stood in a table of some SDK versions (Osaka); it is neither a Region nor an edge'],
  ['osaka', 'stood in a table of some SDK versions (jp2); it is neither a Region nor an edge'],
  ['london', 'is no edge; only the Interconnect edge london-ix is there'],
  // @see https://www.twilio.com/docs/voice/api/receiving-sip
  [
    'san-jose',
    'means umatilla as a value of the edge parameter, and nothing elsewhere; the exchange is san-jose-ix',
  ],
]);

/**
 * Reads a name as a Region, else as an edge, else says what it is. Three codes are both, ie1 for example: a Region in
 * REST host names and routes, the legacy name of an edge in SIP host names.
 */
export function readPlaceName(text: string): PlaceName {
  const name = text.toLowerCase();
  if (isRegionId(name)) return { kind: 'region', region: name, says: regionSays(text, name) };
  const edge = edgeFromLabel(name);
  if (edge !== undefined) {
    const legacy = !isEdgeId(name);
    return { kind: 'edge', edge, legacy, says: edgeSays(edge, legacy) };
  }
  const sdk = SDK_NAMES.get(name);
  if (sdk !== undefined) {
    const says = `is what the first Voice SDKs called ${sdk}; it is no Region, and host names and URI parameters do not take it`;
    return { kind: 'neither', known: true, says };
  }
  const says = OTHERS.get(name);
  return { kind: 'neither', known: says !== undefined, says: says ?? 'is neither a Region nor an edge' };
}

function regionSays(text: string, region: RegionId): string {
  const edge = edgeFromLabel(region);
  const alike = `in SIP host names the same code is the legacy name of the edge ${edge}`;
  return text === region
    ? `is a Region; ${alike}`
    : `is written in lower case as a Region, ${region}; ${alike}`;
}

function edgeSays(edge: EdgeId, legacy: boolean): string {
  const what = isInterconnect(edge) ? 'Interconnect edge' : 'edge';
  if (!legacy) return `is an ${what}, where packets enter and leave; an edge processes nothing`;
  return `is the legacy name of the ${what} ${edge}; it was never a Region, and an edge processes nothing`;
}

/** Why a text cannot be used as a Region, and what can: a whole sentence. */
export function notARegion(text: string): string {
  return `'${text}' ${readPlaceName(text).says}. The Regions are ${REGION_IDS.join(', ')}.`;
}
