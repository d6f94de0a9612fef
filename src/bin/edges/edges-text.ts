import type { Installation } from '../../compose/installation.ts';
import { formatAddress } from '../../compose/ports.ts';
import { EDGE_IDS, isInterconnect } from '../../region/edge.ts';
import { EDGES, MEDIA_RANGE, SIGNALLING_PORTS } from '../../region/edge-catalogue.ts';
import { REGION_IDS, REGIONS } from '../../region/region.ts';

/** What is known of one edge, in names that scripts can rely on. */
function describe(edge: (typeof EDGE_IDS)[number], { domain, edges }: Installation) {
  const { place, legacy, sdkNames, gateways } = EDGES[edge];
  const here = edges.get(edge);
  return {
    edge,
    place,
    interconnect: isInterconnect(edge),
    legacy,
    sdk_names: sdkNames,
    home_of: REGION_IDS.find((region) => REGIONS[region].homeEdge === edge) ?? null,
    gateways,
    sip_domain: `{name}.sip.${edge}.${domain}`,
    here: here ? { host: here.host, port: here.port, transports: ['udp', 'tcp'] } : null,
  };
}

/** `trunkline edges`: the catalogue of Edge Locations, and where each is at this installation. Returns its text. */
export function edgesText(installation: Installation, json: boolean): string {
  const edges = EDGE_IDS.map((edge) => describe(edge, installation));
  const { rtp, domain } = installation;
  if (json) {
    const media = { ...MEDIA_RANGE, here: { first_port: rtp.first, last_port: rtp.last } };
    return `${JSON.stringify({ edges, signalling_ports: SIGNALLING_PORTS, media }, null, 2)}\n`;
  }
  const table = aligned([
    ['EDGE', 'PLACE', 'LEGACY', 'HOME OF', 'SIP HERE', "TWILIO'S GATEWAYS"],
    ...edges.map(({ edge, place, legacy, home_of, here, gateways }) => [
      edge,
      place,
      legacy,
      home_of ?? '',
      here ? formatAddress(here) : '',
      gateways.join(' '),
    ]),
  ]);
  return `${table}
SIP here        UDP and TCP; {name}.sip.<edge>.${domain}, {name}.pstn.<edge>.${domain}, sip.<edge>.${domain}
Media here      UDP ports ${rtp.first}-${rtp.last}
Twilio's SIP    UDP and TCP ${SIGNALLING_PORTS.udp}, TLS ${SIGNALLING_PORTS.tls}
Twilio's media  ${MEDIA_RANGE.network}, UDP ports ${MEDIA_RANGE.firstPort}-${MEDIA_RANGE.lastPort}, the same at every edge

A legacy code names an edge and no Region. The Regions are ${REGION_IDS.join(', ')}; routing decides between them.
`;
}

/** Columns as wide as their widest text, two spaces apart. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map(
      (row) =>
        `${row
          .map((text, column) => text.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
