import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EDGE_IDS } from '../../src/region/edge.ts';
import { EDGES } from '../../src/region/edge-catalogue.ts';
import { startSipp } from '../peers/sipp/sipp.ts';
import { answers, RawCallee } from '../peers/support/raw-callee.ts';
import { freePort } from '../support/free-port.ts';
import { notRun, peer } from '../support/peers.ts';
import { until } from '../support/until.ts';
import { expectSigned } from './support/callbacks.ts';
import { eventsOf, storedCall, timelineOf } from './support/numbers.ts';
import { isUnknown, RegionalWorld, type TestRegion } from './support/regional-world.ts';
import { type PhoneCallOptions, SipPhone } from './support/sip-phone.ts';

/** One user name, and another password in each Region. */
const PASSWORDS = { us1: 'American-Elm-18', ie1: 'Irish-Ash-0022' } as const;
const usersOf = (region: TestRegion) => ({ ann: PASSWORDS[region] });
const HERE = ['127.0.0.0/8'];
const ELSEWHERE = ['192.0.2.0/24'];
const ANSWERS = '<Response><Say>Hello.</Say><Pause length="120"/></Response>';

let world: RegionalWorld;
let phone: SipPhone;

beforeAll(async () => {
  world = await RegionalWorld.start();
});
afterAll(() => world.stop());
beforeEach(async () => {
  phone = await SipPhone.open();
});
afterEach(() => phone.close());

type Given = Partial<PhoneCallOptions>;

/** A call to a domain, at the first edge unless it says otherwise. */
const call = (name: string, given: Given = {}) =>
  phone.call({ uri: world.uri(name), port: world.portOf('ashburn'), ...given });

const as = (region: TestRegion): Given => ({ username: 'ann', password: PASSWORDS[region] });

/** What becomes of an INVITE; a call that rings is given up. */
async function attempt(name: string, given: Given = {}) {
  const placed = await call(name, given);
  const status = await placed.outcome();
  await placed.hangUp();
  return { status, callId: placed.callId };
}

const outcome = async (name: string, given: Given = {}) => (await attempt(name, given)).status;

/** Calls, by their Call-ID, whose webhook a Region requested. */
const asked = (region: TestRegion, name: string) =>
  world.webhooks(region, name).map(({ form }) => form['SipCallId']);

/** Waits until a new call of `ann` goes by the list of this Region: until a re-route is in force everywhere. */
const isActive = (name: string, region: TestRegion) =>
  until(`${name} to be active in ${region}`, async () => (await outcome(name, as(region))) === 180);

/** A call that was answered, and its form; in the Region whose webhook was asked for. */
async function answered(region: TestRegion, name: string, given: Given = {}) {
  const placed = await call(name, given);
  await placed.answered();
  return { placed, form: await world.webhook(region, name, placed.callId) };
}

describe('Given the same SIP domain in us1 and in ie1, each with a webhook, lists and passwords of its own', () => {
  const NAME = 'acme';
  const sids: Partial<Record<TestRegion, string>> = {};
  const sidIn = (region: TestRegion) => sids[region] ?? '';

  it('[D2] before it is created in ie1, it cannot be used there, and us1 is nobody to stand in', async () => {
    sids.us1 = await world.domain('us1', NAME, { twiml: ANSWERS, callers: usersOf('us1') });
    expect(await outcome(NAME, as('us1'))).toBe(180);
    await world.route(NAME, 'ie1', 'us1');
    const refused = await until('us1 to have nothing to do with it', async () => {
      const { status, callId } = await attempt(NAME, as('us1'));
      return status === 404 && callId;
    });
    sids.ie1 = await world.domain('ie1', NAME, { twiml: ANSWERS, callers: usersOf('ie1') });
    await isActive(NAME, 'ie1');
    await world.route(NAME, 'us1');
    await isActive(NAME, 'us1');
    expect([...asked('us1', NAME), ...asked('ie1', NAME)]).not.toContain(refused);
  });

  it('[D3] has one name and URI, and in each Region a SID that the other does not know', async () => {
    const [us1, ie1] = await Promise.all(
      (['us1', 'ie1'] as const).map((region) => world.client(region).sip.domains(sidIn(region)).fetch()),
    );
    expect(us1?.domainName).toBe(`${NAME}.sip.twilio.com`);
    expect(ie1).toMatchObject({ domainName: us1?.domainName, friendlyName: us1?.friendlyName });
    expect(ie1?.sid).not.toBe(us1?.sid);
    expect(await isUnknown(world.client('ie1').sip.domains(sidIn('us1')).fetch())).toBe(true);
    expect(await isUnknown(world.client('us1').sip.domains(sidIn('ie1')).fetch())).toBe(true);
  });

  it('[D8] has lists of the same Region only: another Region’s cannot be mapped', async () => {
    const [list] = await world.client('us1').sip.credentialLists.list();
    const { auth } = world.client('ie1').sip.domains(sidIn('ie1'));
    const mapping = auth.calls.credentialListMappings.create({ credentialListSid: list?.sid ?? '' });
    await expect(mapping).rejects.toMatchObject({ status: 404, code: 20404 });
    const listed = await world.client('ie1').sip.credentialLists.list();
    expect(listed.map(({ sid }) => sid)).not.toContain(list?.sid);
  });

  it('[D4] when it is called, then only the Region where it is active takes the call', async () => {
    expect(
      (await world.client('ie1').routes.v2.sipDomains(`${NAME}.sip.twilio.com`).fetch()).voiceRegion,
    ).toBe('us1');
    const refused = await attempt(NAME, as('ie1'));
    expect(refused.status).toBe(407);
    const { placed, form } = await answered('us1', NAME, as('us1'));
    expect(form).toMatchObject({ SipDomainSid: sidIn('us1'), SipUsername: 'ann' });
    await placed.hangUp();
    expect(asked('us1', NAME)).not.toContain(refused.callId);
    for (const { callId } of [refused, placed]) expect(asked('ie1', NAME)).not.toContain(callId);
  });

  it('[D6][D7] when it is re-routed, then new calls go to the other Region, and a live one stays', async () => {
    const old = await answered('us1', NAME, as('us1'));
    await world.route(NAME, 'ie1', 'us1');
    await isActive(NAME, 'ie1');
    expect(await outcome(NAME, as('us1'))).toBe(407);
    const young = await answered('ie1', NAME, as('ie1'));
    expect(young.form).toMatchObject({ SipDomainSid: sidIn('ie1') });
    expect(old.placed.isUp).toBe(true);
    const packets = old.placed.heard.length;
    await until('media of the older call', () => old.placed.heard.length > packets);
    await old.placed.hangUp();
    await young.placed.hangUp();
    const inAmerica = await storedCall(world.trunkline, 'us1', old.form['CallSid'] ?? '');
    const inIreland = await storedCall(world.trunkline, 'ie1', young.form['CallSid'] ?? '');
    expect(inAmerica).toMatchObject({ region: 'us1', status: 'completed' });
    expect(inIreland).toMatchObject({ region: 'ie1', status: 'completed' });
  });

  it('[D13][D14][P9][E8] when it is active in ie1, then the call is processed and stored there, and nowhere else', async () => {
    const { placed, form } = await answered('ie1', NAME, { ...as('ie1'), port: world.portOf('tokyo') });
    const { CallSid = '' } = form;
    await placed.hangUp();
    const ended = await world.endedCall('ie1', CallSid);
    expect(ended).toMatchObject({ status: 'completed', direction: 'inbound', to: world.uri(NAME) });
    const stored = await storedCall(world.trunkline, 'ie1', CallSid);
    expect(stored).toMatchObject({ region: 'ie1', ingress_edge: 'tokyo', sip_call_id: placed.callId });
    const [routed] = eventsOf(timelineOf(world.trunkline, 'ie1', CallSid), 'routed');
    expect(routed).toMatchObject({ edge: 'tokyo', key: NAME, record: 'explicit', region: 'ie1' });
    expect(await isUnknown(world.client('us1').calls(CallSid).fetch())).toBe(true);
    expect(await world.storesWith(CallSid)).toEqual(['ie1 bucket', 'ie1 redis']);
    const status = `/ie1/${NAME}/status`;
    const told = () =>
      world.app.seen.filter(({ path, form: sent }) => path === status && sent['CallSid'] === CallSid);
    await until('the status callback', () => told().length > 0);
    expectSigned(world.trunkline, 'ie1', [...told(), ...world.webhooks('ie1', NAME)]);
    expectSigned(world.trunkline, 'us1', world.webhooks('us1', NAME));
    expect(told().map(({ form: sent }) => sent['CallStatus'])).toEqual(['completed']);
  });
});

describe('Given lists that differ between the Regions, when a call arrives, then those of the active one decide', () => {
  const NONE = {};
  /** Lists of the active Region, lists of the other one, and what becomes of: nobody, `ann` of us1, `ann` of ie1. */
  it.each([
    ['no list', NONE, { addresses: HERE, callers: usersOf('us1') }, [403, 403, 403]],
    ['the address', { addresses: HERE }, NONE, [180, 180, 180]],
    ['another address', { addresses: ELSEWHERE }, { addresses: HERE }, [403, 403, 403]],
    ['the password', { callers: usersOf('ie1') }, { callers: usersOf('us1') }, [407, 407, 180]],
    [
      'address and password',
      { addresses: HERE, callers: usersOf('ie1') },
      { callers: usersOf('us1') },
      [407, 407, 180],
    ],
    [
      'another address and the password',
      { addresses: ELSEWHERE, callers: usersOf('ie1') },
      { addresses: HERE, callers: usersOf('us1') },
      [403, 403, 403],
    ],
    [
      'a password for registrations',
      { devices: usersOf('ie1') },
      { callers: usersOf('ie1') },
      [403, 403, 403],
    ],
  ] as const)('[D15] %s', async (title, active, other, expected) => {
    const name = `lists-${title.replaceAll(' ', '-')}`;
    await world.domain('ie1', name, active);
    await world.domain('us1', name, other);
    await world.route(name, 'ie1');
    const seen = [await outcome(name), await outcome(name, as('us1')), await outcome(name, as('ie1'))];
    expect(seen).toEqual(expected);
    expect(world.webhooks('us1', name)).toEqual([]);
  });

  it('[D15] a list that changes, or is no longer mapped, counts from the next call on', async () => {
    const sid = await world.domain('ie1', 'changing', { callers: usersOf('us1') });
    await world.route('changing', 'ie1');
    expect(await outcome('changing', as('us1'))).toBe(180);
    const { sip } = world.client('ie1');
    const { credentialListMappings } = sip.domains(sid).auth.calls;
    const [mapping] = await credentialListMappings.list();
    const { credentials } = sip.credentialLists(mapping?.sid ?? '');
    const [credential] = await credentials.list();
    await credentials(credential?.sid ?? '').update({ password: PASSWORDS.ie1 });
    await isActive('changing', 'ie1');
    expect(await outcome('changing', as('us1'))).toBe(407);
    await credentialListMappings(mapping?.sid ?? '').remove();
    await until('nobody to be let in', async () => (await outcome('changing', as('ie1'))) === 403);
  });
});

describe('Given a domain, when it is called', () => {
  it('then its webhook learns who called, from where and with which headers', async () => {
    const sid = await world.domain('ie1', 'headers', {
      twiml: ANSWERS,
      addresses: HERE,
      callers: usersOf('ie1'),
    });
    await world.route('headers', 'ie1');
    const { placed, form } = await answered('ie1', 'headers', {
      ...as('ie1'),
      from: '"Ann" <sip:ann@headers.sip.twilio.com>',
      headers: {
        'X-Order': '42 & more',
        'X-Kind': 'b=c',
        'User-to-User': 'abc;encoding=hex',
        'Y-Other': 'no',
      },
    });
    await placed.hangUp();
    expect(form).toMatchObject({
      AccountSid: world.trunkline.accountSid,
      ApiVersion: '2010-04-01',
      CallStatus: 'ringing',
      Direction: 'inbound',
      From: 'sip:ann@headers.sip.twilio.com',
      To: world.uri('headers'),
      SipDomain: 'headers.sip.twilio.com',
      SipDomainSid: sid,
      SipUsername: 'ann',
      SipCallId: placed.callId,
      SipSourceIp: '127.0.0.1',
      'SipHeader_X-Order': '42 & more',
      'SipHeader_X-Kind': 'b=c',
      'SipHeader_User-to-User': 'abc;encoding=hex',
    });
    expect(
      Object.keys(form)
        .filter((name) => name.startsWith('SipHeader_'))
        .sort(),
    ).toEqual(['SipHeader_User-to-User', 'SipHeader_X-Kind', 'SipHeader_X-Order']);
  });

  it('then a sub-domain of it is another domain, with lists and a route of its own', async () => {
    for (const region of ['us1', 'ie1'] as const) {
      await world.domain(region, 'parent', { addresses: region === 'us1' ? HERE : ELSEWHERE });
      await world.domain(region, 'branch.parent', { callers: usersOf(region) });
    }
    await world.route('branch.parent', 'ie1');
    expect(await outcome('parent')).toBe(180);
    expect(await outcome('branch.parent', as('us1'))).toBe(407);
    expect(await outcome('branch.parent', as('ie1'))).toBe(180);
    const orphan = world.domain('us1', 'branch.nobody', { addresses: HERE });
    await expect(orphan).rejects.toMatchObject({ code: 21232 });
  });

  it('then a suspended account takes no call, and an active one again does', async () => {
    const { sid, client } = await world.subaccount('Sleepers');
    await world.domain('us1', 'sleepers', { addresses: HERE, client: await client('us1') });
    expect(await outcome('sleepers')).toBe(180);
    await world.client('ie1').api.accounts(sid).update({ status: 'suspended' });
    await until('the suspension at the edges', async () => (await outcome('sleepers')) === 603);
    await world.client('us1').api.accounts(sid).update({ status: 'active' });
    await until('the account to be back', async () => (await outcome('sleepers')) === 180);
  });

  it('then an application that stands for its webhook is asked in the Region of the call', async () => {
    const number = '+12025550181';
    const us1 = world.client('us1');
    const application = async (region: TestRegion) => {
      const voiceUrl = world.app.on(`/${region}/desk`, { body: ANSWERS });
      const made = await world.client(region).applications.create({ friendlyName: 'Desk', voiceUrl });
      return made.sid;
    };
    const [america, ireland] = [await application('us1'), await application('ie1')];
    const { sid } = await us1.incomingPhoneNumbers.create({
      phoneNumber: number,
      voiceApplicationSid: america,
    });
    const foreign = us1.incomingPhoneNumbers(sid).update({ voiceApplicationSid: ireland });
    await expect(foreign).rejects.toMatchObject({ status: 400 });
    await world.client('ie1').incomingPhoneNumbers(sid).update({ voiceApplicationSid: ireland });
    await us1.routes.v2.phoneNumbers(number).update({ voiceRegion: 'ie1' });
    const placed = await phone.call({ uri: `sip:${number}@127.0.0.1`, port: world.portOf('dublin') });
    await placed.answered();
    await placed.hangUp();
    const requests = (region: TestRegion) => world.app.seen.filter(({ path }) => path === `/${region}/desk`);
    expect([requests('us1').length, requests('ie1').length]).toEqual([0, 1]);
    expectSigned(world.trunkline, 'ie1', requests('ie1'));
  });
});

describe('Given a domain that is active in ie1, when it is called by a localized URI', () => {
  const NAME = 'local';
  beforeAll(async () => {
    await world.domain('us1', NAME, { addresses: ELSEWHERE });
    await world.domain('ie1', NAME, { twiml: ANSWERS, addresses: HERE });
    await world.route(NAME, 'ie1');
  });

  it.each(EDGE_IDS)(
    '[E3][E16][X3][X4][D19] %s: then the call enters at that edge, and the Region is ie1 all the same',
    async (edge) => {
      for (const label of [edge, EDGES[edge].legacy]) {
        const uri = world.uri(NAME, 'desk', label);
        const { placed, form } = await answered('ie1', NAME, { uri, port: world.portOf(edge) });
        expect(form).toMatchObject({ To: uri, SipDomain: `${NAME}.sip.twilio.com` });
        await placed.hangUp();
        const { CallSid = '' } = form;
        expect(await storedCall(world.trunkline, 'ie1', CallSid)).toMatchObject({
          region: 'ie1',
          ingress_edge: edge,
          to: uri,
        });
      }
    },
  );

  it('[E6] over an exchange, then the whole call is with that exchange, and one it makes in turn', async () => {
    const callee = await RawCallee.open(answers);
    const dial = `<Dial><Sip>${callee.uri};edge=london-ix</Sip></Dial>`;
    world.app.on(`/ie1/${NAME}`, { body: `<Response>${dial}</Response>` });
    const through = { uri: world.uri(NAME, 'desk', 'london-ix'), port: world.portOf('london-ix') };
    try {
      const { placed } = await answered('ie1', NAME, through);
      const invite = await callee.waitFor('INVITE');
      expect(invite.from.port).toBe(world.portOf('london-ix'));
      await callee.waitFor('ACK');
      await placed.hangUp();
      await callee.waitFor('BYE');

      await world.setConnection('ie1', 'london-ix', 'inactive');
      const second = await call(NAME, through);
      const form = await world.webhook('ie1', NAME, second.callId);
      const { sid } = await world.endedCall('ie1', form['CallSid'] ?? '');
      const [child] = await world.client('ie1').calls.list({ parentCallSid: sid });
      expect(await world.notedCodes('ie1', child?.sid ?? '')).toEqual(['32305']);
      expect(callee.requests('INVITE')).toHaveLength(1);
    } finally {
      await world.setConnection('ie1', 'london-ix', 'active');
      world.app.on(`/ie1/${NAME}`, { body: ANSWERS });
      callee.close();
    }
  });
});

const sipp = peer('sipp');
if (!sipp) notRun('sipp calls regional SIP domains', 'sipp (Debian: sip-tester) is not installed');
else {
  describe.each(['udp', 'tcp'] as const)('Given sipp over %s and a domain in two Regions', (transport) => {
    const NAME = `office-${transport}`;
    const calls = (region: TestRegion, scenario: string) =>
      freePort().then(
        (port) =>
          startSipp(sipp, {
            scenario,
            transport,
            calls: 5,
            rate: 5,
            target: { address: '127.0.0.1', port: world.portOf('sao-paulo') },
            port,
            keys: { uri: world.uri(NAME), username: 'ann', password: PASSWORDS[region] },
          }).done,
      );

    it('when it calls with digest, then every call is handled by the active Region', async () => {
      const lists = (region: TestRegion) => ({ addresses: HERE, callers: usersOf(region), twiml: ANSWERS });
      for (const region of ['us1', 'ie1'] as const) await world.domain(region, NAME, lists(region));
      await world.route(NAME, 'ie1');
      const all = { code: 0, failed: 0, successful: 5 };
      expect(await calls('ie1', 'uac-domain-digest')).toMatchObject(all);
      expect(await calls('us1', 'uac-domain-wrong')).toMatchObject(all);
      expect(new Set(asked('ie1', NAME)).size).toBe(5);
      expect(asked('us1', NAME)).toEqual([]);
      const listed = await until('five ended calls in ie1', async () => {
        const found = await world.client('ie1').calls.list({ to: world.uri(NAME), status: 'completed' });
        return found.length === 5 && found;
      });
      for (const { sid } of listed)
        expect(await storedCall(world.trunkline, 'ie1', sid)).toMatchObject({ ingress_edge: 'sao-paulo' });
      expect(await world.client('us1').calls.list({ to: world.uri(NAME) })).toEqual([]);
    });
  });
}
