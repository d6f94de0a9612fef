import { describe, expect, it } from 'vitest';
import { EDGE_IDS } from '../../../src/region/edge.ts';
import { EDGES } from '../../../src/region/edge-catalogue.ts';
import { readSipHost } from '../../../src/region/sip-host.ts';

const DOMAIN = 'trunkline.localhost';
const read = (host: string) => readSipHost(host, DOMAIN);

describe('a SIP host', () => {
  it.each(EDGE_IDS)('[D19] [X4] [X5] names the edge %s and no Region', (edge) => {
    for (const base of [DOMAIN, 'twilio.com']) {
      for (const label of [edge, EDGES[edge].legacy, edge.toUpperCase()]) {
        const named = { name: 'acme', label: label.toLowerCase(), edge, base };
        expect(read(`acme.sip.${label}.${base}`)).toEqual({ kind: 'sip-domain', ...named });
        expect(read(`acme.pstn.${label}.${base}`)).toEqual({ kind: 'trunk', ...named });
      }
      expect(read(`sip.${edge}.${base}`)).toMatchObject({ kind: 'proxy', edge });
      expect(read(`${edge}.${base}`)).toMatchObject({ kind: 'proxy', edge });
    }
  });

  it('[X6] with the legacy code de1 is at the public edge, and with de1-ix at the exchange', () => {
    expect(read('acme.sip.de1.twilio.com')).toMatchObject({ edge: 'frankfurt' });
    expect(read('acme.sip.de1-ix.twilio.com')).toMatchObject({ edge: 'frankfurt-ix' });
  });

  it.each([
    ['acme.sip.twilio.com', { kind: 'sip-domain', name: 'acme', label: undefined, edge: 'ashburn' }],
    ['ACME.Sip.Trunkline.Localhost.', { kind: 'sip-domain', name: 'acme', label: undefined }],
    ['east.acme.sip.dublin.twilio.com', { kind: 'sip-domain', name: 'east.acme', edge: 'dublin' }],
    ['acme.pstn.twilio.com', { kind: 'trunk', name: 'acme', edge: 'ashburn' }],
    ['sip.sip.twilio.com', { kind: 'sip-domain', name: 'sip' }],
    ['dublin.sip.twilio.com', { kind: 'sip-domain', name: 'dublin', edge: 'ashburn' }],
    ['sip.twilio.com', { kind: 'proxy', label: undefined, edge: 'ashburn' }],
    ['pbx.example.com', { kind: 'foreign' }],
    ['192.0.2.1', { kind: 'foreign' }],
    ['trunkline.localhost', { kind: 'foreign' }],
  ])('%s', (host, expected) => {
    expect(read(host)).toMatchObject(expected);
  });

  it.each([
    ['acme.sip.dublin.ie1.twilio.com', /a Region never does.*Use acme\.sip\.dublin\.twilio\.com/],
    ['sip.dublin.ie1.twilio.com', /too many labels.*Use sip\.dublin\.twilio\.com/],
    ['acme.sip.roaming.twilio.com', /'roaming' is the Voice SDKs' word.*Use acme\.sip\.twilio\.com/],
    ['acme.sip.london.twilio.com', /london-ix/],
    ['acme.pstn.us1-tnx.twilio.com', /ashburn-ix.*do not take it/],
    ['acme.sip.mars.twilio.com', /'mars' is neither a Region nor an edge/],
    ['mars.twilio.com', /is no SIP host: expected <name>\.sip\.twilio\.com/],
    ['acme.dublin.twilio.com', /is no SIP host/],
    ['pstn.dublin.twilio.com', /is no SIP host/],
  ])('%s is wrong and says why', (host, message) => {
    expect(read(host)).toEqual({ kind: 'wrong', message: expect.stringMatching(message) });
  });
});
