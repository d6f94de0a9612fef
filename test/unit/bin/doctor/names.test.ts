import { describe, expect, it } from 'vitest';
import { examine } from '../../../../src/bin/doctor/examine.ts';
import { installationOf } from './fake-region.ts';

// What can be said without asking anybody.
const ask = (text: string) => examine(text, installationOf());
const sentence = (pattern: RegExp) => expect.stringMatching(pattern);
const among = (pattern: RegExp) => expect.arrayContaining([sentence(pattern)]);

describe('a REST host', () => {
  it('that stopped working: since when, where it was processed, what to use and with which key', async () => {
    for (const text of [
      'api.ie1.twilio.com',
      'API.ie1.twilio.com.:443',
      'https://api.ie1.twilio.com/2010-04-01/x',
    ]) {
      const finding = await ask(text);
      expect(finding).toMatchObject({
        kind: 'rest-host',
        edge: { id: null },
        region: { id: null, why: sentence(/always processed in us1/) },
      });
      expect(finding.problems).toEqual([
        sentence(
          /stopped working on 28 April 2026.*always processed in us1.*use api\.twilio\.com.*use api\.dublin\.ie1\.twilio\.com with credentials of ie1/,
        ),
      ]);
      expect(finding.notes).toEqual(among(/ie1 is api\.dublin\.ie1\.trunkline\.localhost/));
    }
  });

  it.each(['au1', 'br1', 'de1', 'jp1', 'sg1', 'us2'])('api.%s is wrong', async (code) => {
    expect((await ask(`api.${code}.trunkline.localhost`)).problems).toEqual([sentence(/28 April 2026/)]);
  });

  it.each([
    ['api.twilio.com', 'us1', /names no Region/],
    ['api.us1.trunkline.localhost', 'us1', /says so/],
    ['api.nowhere.us1.twilio.com', 'us1', /says so/],
    ['routes.dublin.ie1.trunkline.localhost:8080', 'ie1', /says so/],
    ['https://api.sydney.au1.twilio.com/2010-04-01', 'au1', /says so/],
    ['127.0.0.1:8080', 'us1', /an address means us1/],
    ['localhost', 'us1', /leads to the front/],
    ['127.0.0.1:2', 'ie1', /ie1's own port/],
    ['http://localhost:3/x', 'au1', /au1's own port/],
  ])('%s is %s', async (text, region, why) => {
    const finding = await ask(text);
    expect(finding).toMatchObject({
      kind: 'rest-host',
      edge: { id: null },
      region: { id: region },
      problems: [],
    });
    expect(finding.region.why).toMatch(why);
    expect(finding.notes).toEqual(among(new RegExp(`keys and tokens of ${region}; those of .* get 401`)));
  });

  it('of a Region that does not run here', async () => {
    const [us1] = installationOf().regions;
    const finding = await examine('api.dublin.ie1.twilio.com', installationOf(us1 ? [us1] : []));
    expect(finding.problems).toEqual([sentence(/ie1 does not run here; these do: us1/)]);
  });

  it('shows no credentials of a URL', async () => {
    const finding = await ask('https://AC1:geheim@api.dublin.ie1.twilio.com/x?Token=geheim');
    expect(finding.region.id).toBe('ie1');
    expect(JSON.stringify(finding)).not.toContain('geheim');
  });
});

describe('a SIP host or URI', () => {
  it.each([
    ['acme.sip.dublin.trunkline.localhost', 'dublin'],
    ['sip:alice@acme.sip.dublin.twilio.com', 'dublin'],
    ['alice@acme.sip.london-ix.twilio.com', 'london-ix'],
    ['acme.sip.twilio.com', 'ashburn'],
    ['acme.pstn.tokyo.twilio.com', 'tokyo'],
    ['sip.singapore.twilio.com', 'singapore'],
    ['sip:+12025550143@127.0.0.1:5064', 'dublin'],
    ['127.0.0.1:5080', 'london-ix'],
  ])('%s enters at %s; its Region is a question of routing', async (text, edge) => {
    const finding = await ask(text);
    expect(finding).toMatchObject({ kind: 'sip', edge: { id: edge }, region: { id: null }, problems: [] });
    expect(finding.region.why).toMatch(/route table/);
  });

  it('[X6] with de1 is the public edge, and says that it was decided', async () => {
    const finding = await ask('acme.sip.de1.twilio.com');
    expect(finding).toMatchObject({ edge: { id: 'frankfurt' }, problems: [] });
    expect(finding.notes).toEqual(among(/legacy name of the edge frankfurt here, and never a Region/));
    expect(finding.notes).toEqual(
      among(/shows 'de1' as an Interconnect exchange.*The exchange is frankfurt-ix/),
    );
    expect((await ask('acme.sip.ie1.twilio.com')).notes).not.toEqual(among(/Interconnect exchange/));
  });

  it.each([
    ['acme.sip.dublin.ie1.twilio.com', /a Region never does.*Use acme\.sip\.dublin\.twilio\.com/],
    ['acme.sip.london.twilio.com', /only the Interconnect edge london-ix/],
    ['sip:alice@acme.sip.us1-tnx.twilio.com', /first Voice SDKs called ashburn-ix/],
    ['sip:+1@pbx@x', /./],
    ['sip:', /is not a SIP URI/],
    ['sip:alice@127.0.0.1:5060', /not a number in E\.164/],
  ])('%s is wrong', async (text, problem) => {
    expect(await ask(text)).toMatchObject({ kind: 'sip', problems: [sentence(problem)] });
  });

  it('warns that an edge in the host of a registered address cannot be dialled', async () => {
    expect((await ask('sip:alice@acme.sip.dublin.twilio.com')).notes).toEqual(
      among(/32220.*call sip:alice@acme\.sip\.twilio\.com/),
    );
    expect((await ask('sip:alice@acme.sip.twilio.com;edge=dublin')).notes).toEqual(among(/edge= .*ignored/));
  });

  it.each([
    ['sip:me@pbx.example.com', null, /home edge: ashburn from us1, dublin from ie1, sydney from au1/],
    ['sip:me@pbx.example.com;edge=tokyo', 'tokyo', /parameter names it/],
    ['pbx.example.com;edge=sg1', 'singapore', /parameter names it/],
    ['sip:me@pbx.example.com;region=br1', 'sao-paulo', /parameter names it/],
    ['sip:me@pbx.example.com;edge=frankfurt-ix', 'frankfurt-ix', /parameter names it/],
  ])('%s, of somebody else, leaves at %s', async (text, edge, why) => {
    const finding = await ask(text);
    expect(finding).toMatchObject({ kind: 'sip', edge: { id: edge }, region: { id: null }, problems: [] });
    expect(finding.edge.why).toMatch(why);
    expect(finding.region.why).toMatch(/a target never decides it/);
  });

  it.each([
    ['sip:me@pbx.example.com;edge=mars', /^32114:/],
    ['sip:me@pbx.example.com;edge=mars-ix', /^32305:/],
    ['sip:me@pbx.example.com;tnx=1', /^32301:/],
    ['sip:me@pbx.example.com;transport=ws', /^32114:/],
  ])('%s is wrong with its code', async (text, problem) => {
    expect((await ask(text)).problems).toEqual([sentence(problem)]);
  });

  it('never shows a password', async () => {
    for (const text of [
      'sip:me:geheim@pbx.example.com;edge=mars',
      'me:geheim{}@pbx.example.com',
      'sip:me:geheim@acme.sip.twilio.com',
      'sip:me:geheim@acme.sip.mars.twilio.com',
      'sip:me:geheim@ ',
    ]) {
      expect(JSON.stringify(await ask(text)), text).not.toContain('geheim');
    }
  });
});

describe('a bare name', () => {
  it.each(['us2', 'de1', 'sg1', 'jp1', 'br1', 'jp2', 'gll', 'roaming', 'london', 'us1-tnx', 'de1-ix'])(
    '%s is no Region, and the answer says what it is',
    async (name) => {
      const finding = await ask(name);
      expect(finding).toMatchObject({ kind: 'place', region: { id: null } });
      expect(finding.problems).toEqual([sentence(/^'.*' (is|stood) .*The Regions are us1, ie1, au1\.$/)]);
    },
  );

  it.each([
    ['ie1', 'dublin', 'ie1'],
    ['frankfurt', 'frankfurt', null],
    ['london-ix', 'london-ix', null],
  ])('%s is in order', async (name, edge, region) => {
    expect(await ask(name)).toMatchObject({ edge: { id: edge }, region: { id: region }, problems: [] });
  });
});

it.each(['', '???', 'hello world', 'CA00000000000000000000000000000000:x y'])(
  '"%s" is nothing known',
  async (text) => {
    expect(await ask(text)).toMatchObject({ kind: 'unknown', problems: [sentence(/is none of these/)] });
  },
);
