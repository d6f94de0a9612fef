import { EDGES } from './edge-catalogue.ts';

/**
 * The sixteen Edge Locations, in the order of their SIP ports (DESIGN §6): eight public ones, then the eight of
 * Interconnect.
 * @see https://www.twilio.com/docs/global-infrastructure/edge-locations
 */
export const EDGE_IDS = [
  'ashburn',
  'umatilla',
  'dublin',
  'frankfurt',
  'singapore',
  'tokyo',
  'sydney',
  'sao-paulo',
  'ashburn-ix',
  'san-jose-ix',
  'london-ix',
  'frankfurt-ix',
  'singapore-ix',
  'tokyo-ix',
  'sydney-ix',
  'sao-paulo-ix',
] as const;

export type EdgeId = (typeof EDGE_IDS)[number];

/** The private edges: each is an Interconnect exchange. */
export type InterconnectEdge = Extract<EdgeId, `${string}-ix`>;

export function isInterconnect(edge: EdgeId): edge is InterconnectEdge {
  return edge.endsWith('-ix');
}

export const INTERCONNECT_EDGES: readonly InterconnectEdge[] = EDGE_IDS.filter(isInterconnect);

/** Legacy spellings of edges in host names and URI parameters; they look like Regions and never are. */
const LEGACY: ReadonlyMap<string, EdgeId> = new Map(EDGE_IDS.map((edge) => [EDGES[edge].legacy, edge]));

export function isEdgeId(text: string): text is EdgeId {
  return (EDGE_IDS as readonly string[]).includes(text);
}

/** The edge a label of a host name means, legacy spellings included. */
export function edgeFromLabel(label: string): EdgeId | undefined {
  const lower = label.toLowerCase();
  return isEdgeId(lower) ? lower : LEGACY.get(lower);
}

/**
 * The edge that a SIP URI's `edge` or legacy `region` parameter means. `san-jose` is documented as a value of `edge`
 * beside `umatilla`, and means it.
 * @see https://www.twilio.com/docs/voice/api/receiving-sip
 */
export function edgeFromParameter(value: string): EdgeId | undefined {
  return value.toLowerCase() === 'san-jose' ? 'umatilla' : edgeFromLabel(value);
}

/** The UDP and TCP port of an edge when the first one listens on `firstPort`; TLS is the next. */
export function edgePort(edge: EdgeId, firstPort: number): number {
  return firstPort + 2 * EDGE_IDS.indexOf(edge);
}
