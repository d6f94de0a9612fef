import type { EdgeId } from './edge.ts';

/** An Edge Location as Twilio's pages list it. */
export interface EdgeLocation {
  /** Where it is; of an Interconnect edge, where its exchange is. */
  readonly place: string;
  /** The spelling of older host names and URI parameters. It looks like a Region's id and is none. */
  readonly legacy: string;
  /** What the first Voice SDKs called it. Host names and URI parameters never took these. */
  readonly sdkNames: readonly string[];
  /**
   * Twilio's signalling gateways, for firewalls: a CIDR range of a public edge, three addresses of an Interconnect edge.
   * @see https://www.twilio.com/docs/sip-trunking/ip-addresses
   * @see https://www.twilio.com/docs/voice/api/sip-interface-over-interconnect
   */
  readonly gateways: readonly string[];
}

const location = (
  place: string,
  legacy: string,
  gateways: readonly string[],
  sdkNames: readonly string[] = [],
): EdgeLocation => ({ place, legacy, gateways, sdkNames });

/** Three addresses in a row: `208.78.112.64` stands for itself, .65 and .66. */
function threeFrom(first: string): string[] {
  const dot = first.lastIndexOf('.') + 1;
  const last = Number(first.slice(dot));
  return [0, 1, 2].map((n) => `${first.slice(0, dot)}${last + n}`);
}

/**
 * The sixteen Edge Locations. San Jose is the exchange of the gateways in Oregon, London that of Ireland.
 * @see https://www.twilio.com/docs/global-infrastructure/edge-locations
 */
export const EDGES: Readonly<Record<EdgeId, EdgeLocation>> = {
  ashburn: location('Ashburn, Virginia, United States', 'us1', ['54.172.60.0/30']),
  umatilla: location('Umatilla, Oregon, United States', 'us2', ['54.244.51.0/30']),
  dublin: location('Dublin, Ireland', 'ie1', ['54.171.127.192/30']),
  frankfurt: location('Frankfurt, Germany', 'de1', ['35.156.191.128/30']),
  singapore: location('Singapore', 'sg1', ['54.169.127.128/30']),
  tokyo: location('Tokyo, Japan', 'jp1', ['54.65.63.192/30']),
  sydney: location('Sydney, Australia', 'au1', ['54.252.254.64/30']),
  'sao-paulo': location('São Paulo, Brazil', 'br1', ['177.71.206.192/30']),
  'ashburn-ix': location('Ashburn, Virginia, United States', 'us1-ix', threeFrom('208.78.112.64'), [
    'us1-tnx',
    'us2-tnx', // not San Jose: the SDKs sent both here
  ]),
  'san-jose-ix': location('San Jose, California, United States', 'us2-ix', threeFrom('67.213.136.64')),
  'london-ix': location('London, United Kingdom', 'ie1-ix', threeFrom('185.187.132.68'), ['ie1-tnx']),
  'frankfurt-ix': location('Frankfurt, Germany', 'de1-ix', threeFrom('185.194.136.64')),
  'singapore-ix': location('Singapore', 'sg1-ix', threeFrom('103.75.151.68'), ['sg1-tnx']),
  'tokyo-ix': location('Tokyo, Japan', 'jp1-ix', threeFrom('103.144.142.68')),
  'sydney-ix': location('Sydney, Australia', 'au1-ix', threeFrom('103.146.214.68')),
  'sao-paulo-ix': location('São Paulo, Brazil', 'br1-ix', threeFrom('159.183.255.68')),
};

/** The ports of every gateway. @see https://www.twilio.com/docs/sip-trunking/ip-addresses */
export const SIGNALLING_PORTS = { udp: 5060, tcp: 5060, tls: 5061 } as const;

/**
 * Where media comes from and goes to, the same at every edge, public or private. Older ranges ended that day.
 * @see https://www.twilio.com/docs/voice/api/sip-interface-over-interconnect
 */
export const MEDIA_RANGE = {
  network: '168.86.128.0/18',
  protocol: 'udp',
  firstPort: 10_000,
  lastPort: 60_000,
  since: '2024-02-21',
} as const;
