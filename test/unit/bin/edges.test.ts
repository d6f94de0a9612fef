import { describe, expect, it } from 'vitest';
import { edgesText } from '../../../src/bin/edges/edges-text.ts';
import { EDGE_IDS } from '../../../src/region/edge.ts';
import { EDGES } from '../../../src/region/edge-catalogue.ts';
import { installationOf } from './doctor/fake-region.ts';

const rows = (text: string) => text.split('\n').map((line) => line.split(/ {2,}/));

describe('trunkline edges', () => {
  it('[X13] lists all sixteen with every address a firewall should let in', () => {
    const text = edgesText(installationOf(), false);
    const listed = rows(text).slice(1, 17);
    expect(listed.map(([edge]) => edge)).toEqual(EDGE_IDS);
    for (const edge of EDGE_IDS) {
      const line = text.split('\n').find((one) => one.startsWith(`${edge} `)) ?? '';
      for (const said of [EDGES[edge].place, EDGES[edge].legacy, ...EDGES[edge].gateways])
        expect(line).toContain(said);
    }
    expect(text).toContain('168.86.128.0/18, UDP ports 10000-60000');
    expect(text).toContain('UDP and TCP 5060, TLS 5061');
  });

  it('says where each is here', () => {
    const installation = { ...installationOf(), domain: 'voice.example' };
    const edges = new Map(EDGE_IDS.map((edge, n) => [edge, { host: '2001:db8::1', port: 6000 + 2 * n }]));
    const text = edgesText({ ...installation, edges, rtp: { first: 20_000, last: 30_000 } }, false);
    expect(text).toMatch(/^dublin .* \[2001:db8::1\]:6004 /m);
    expect(text).toContain('{name}.sip.<edge>.voice.example');
    expect(text).toContain('UDP ports 20000-30000');
  });

  it('has the columns under their headings', () => {
    const [head = '', ...lines] = edgesText(installationOf(), false).split('\n').slice(0, 17);
    const at = head.indexOf('SIP HERE');
    for (const line of lines) expect(line.slice(at)).toMatch(/^127\.0\.0\.1:50\d\d {2}/);
  });

  it('says the same as JSON', () => {
    const json: unknown = JSON.parse(edgesText(installationOf(), true));
    expect(json).toMatchObject({
      signalling_ports: { udp: 5060, tcp: 5060, tls: 5061 },
      media: { network: '168.86.128.0/18', here: { first_port: 10_000, last_port: 60_000 } },
      edges: EDGE_IDS.map((edge) => ({ edge, legacy: EDGES[edge].legacy, gateways: EDGES[edge].gateways })),
    });
    expect(json).toHaveProperty('edges.2', {
      edge: 'dublin',
      place: 'Dublin, Ireland',
      interconnect: false,
      legacy: 'ie1',
      sdk_names: [],
      home_of: 'ie1',
      gateways: ['54.171.127.192/30'],
      sip_domain: '{name}.sip.dublin.trunkline.localhost',
      here: { host: '127.0.0.1', port: 5064, transports: ['udp', 'tcp'] },
    });
  });
});
