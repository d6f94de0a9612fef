import { BlockList } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EDGE_IDS, edgeFromLabel, edgeFromParameter } from '../../../src/region/edge.ts';
import { EDGES, MEDIA_RANGE, SIGNALLING_PORTS } from '../../../src/region/edge-catalogue.ts';

// Typed in from the tables of the documentation, a row each.
// https://www.twilio.com/docs/global-infrastructure/edge-locations, https://www.twilio.com/docs/sip-trunking/ip-addresses
const PUBLIC = [
  ['ashburn', 'us1', '54.172.60.0/30'],
  ['umatilla', 'us2', '54.244.51.0/30'],
  ['dublin', 'ie1', '54.171.127.192/30'],
  ['frankfurt', 'de1', '35.156.191.128/30'],
  ['singapore', 'sg1', '54.169.127.128/30'],
  ['tokyo', 'jp1', '54.65.63.192/30'],
  ['sydney', 'au1', '54.252.254.64/30'],
  ['sao-paulo', 'br1', '177.71.206.192/30'],
] as const;

// https://www.twilio.com/docs/voice/api/sip-interface-over-interconnect
const INTERCONNECT = [
  ['ashburn-ix', 'us1-ix', 'Ashburn, Virginia, United States', '208.78.112.64 208.78.112.65 208.78.112.66'],
  [
    'san-jose-ix',
    'us2-ix',
    'San Jose, California, United States',
    '67.213.136.64 67.213.136.65 67.213.136.66',
  ],
  ['london-ix', 'ie1-ix', 'London, United Kingdom', '185.187.132.68 185.187.132.69 185.187.132.70'],
  ['frankfurt-ix', 'de1-ix', 'Frankfurt, Germany', '185.194.136.64 185.194.136.65 185.194.136.66'],
  ['singapore-ix', 'sg1-ix', 'Singapore', '103.75.151.68 103.75.151.69 103.75.151.70'],
  ['tokyo-ix', 'jp1-ix', 'Tokyo, Japan', '103.144.142.68 103.144.142.69 103.144.142.70'],
  ['sydney-ix', 'au1-ix', 'Sydney, Australia', '103.146.214.68 103.146.214.69 103.146.214.70'],
  ['sao-paulo-ix', 'br1-ix', 'São Paulo, Brazil', '159.183.255.68 159.183.255.69 159.183.255.70'],
] as const;

describe('the edges', () => {
  it('are sixteen, in the order of their ports', () => {
    expect([...PUBLIC, ...INTERCONNECT].map(([edge]) => edge)).toEqual(EDGE_IDS);
  });

  it.each(PUBLIC)('%s is %s in older names and answers at %s', (edge, legacy, network) => {
    expect(EDGES[edge]).toMatchObject({ legacy, gateways: [network] });
    expect(edgeFromLabel(legacy)).toBe(edge);
  });

  it.each(INTERCONNECT)('[X12] %s is %s in older names, in %s, at %s', (edge, legacy, place, addresses) => {
    expect(EDGES[edge]).toMatchObject({ legacy, place, gateways: addresses.split(' ') });
    expect(edgeFromLabel(legacy.toUpperCase())).toBe(edge);
    expect(SIGNALLING_PORTS).toEqual({ udp: 5060, tcp: 5060, tls: 5061 });
  });

  it('[X1] [X2] [X10] share one range of media addresses and ports, and have no older one', () => {
    expect(MEDIA_RANGE).toEqual({
      network: '168.86.128.0/18',
      protocol: 'udp',
      firstPort: 10_000,
      lastPort: 60_000,
      since: '2024-02-21',
    });
    for (const edge of EDGE_IDS)
      expect(Object.keys(EDGES[edge]).filter((key) => /media/i.test(key))).toEqual([]);
  });

  it('have addresses of their own, outside the media range', () => {
    const media = new BlockList();
    media.addSubnet('168.86.128.0', 18);
    const all = EDGE_IDS.flatMap((edge) => EDGES[edge].gateways);
    expect(new Set(all).size).toBe(8 + 3 * 8);
    for (const address of all) expect(media.check(address.split('/')[0] ?? '')).toBe(false);
  });

  it.each(['us1-tnx', 'us2-tnx', 'ie1-tnx', 'sg1-tnx', 'gll', 'roaming', 'london', 'constructor', ''])(
    'have no label "%s"',
    (label) => {
      expect(edgeFromLabel(label)).toBeUndefined();
    },
  );

  it('understand san-jose as a parameter alone', () => {
    expect(edgeFromParameter('san-jose')).toBe('umatilla');
    expect(edgeFromLabel('san-jose')).toBeUndefined();
  });
});
