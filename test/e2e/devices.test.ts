import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Twilio } from 'twilio';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EdgeId } from '../../src/region/edge.ts';
import { noise, share } from '../support/alignment.ts';
import { Baresip } from '../support/baresip.ts';
import { bucketFiles } from '../support/bucket-files.ts';
import { notRun, peer } from '../support/peers.ts';
import { until } from '../support/until.ts';
import { readPcm, wavOf, writePcm } from '../support/wav-compare.ts';
import { storedCall } from './support/numbers.ts';
import { RegionalWorld, type TestRegion } from './support/regional-world.ts';
import { type Habit, RegisteredPhone } from './support/registered-phone.ts';
import { mediaPortOf } from './support/rtp-voice.ts';
import { SipPhone } from './support/sip-phone.ts';
import { edgeOfMedia, TwoEdges } from './support/two-edges.ts';

/** A domain that is there in both Regions and active in ie1, and one that is active in us1. */
const IRISH = 'harbour';
const AMERICAN = 'bay';
const PASSWORDS = { us1: 'American-Elm-18', ie1: 'Irish-Ash-0022' } as const;
const LISTENS = '<Response><Pause length="120"/></Response>';
const HERE = ['127.0.0.0/8'];

let world: RegionalWorld;
let caller: SipPhone;
let made = 0;
let documents = 0;
const phones: RegisteredPhone[] = [];

/** Every test has users of its own. */
const USERS = Array.from({ length: 30 }, (_, n) => `user${n}`);
const newUser = () => USERS[made++] ?? '';
const passwords = (region: TestRegion) => Object.fromEntries(USERS.map((user) => [user, PASSWORDS[region]]));

const activeRegionOf = (name: string): TestRegion => (name === IRISH ? 'ie1' : 'us1');

beforeAll(async () => {
  world = await RegionalWorld.start();
  caller = await SipPhone.open();
  for (const name of [IRISH, AMERICAN]) {
    for (const region of ['us1', 'ie1'] as const)
      await world.domain(region, name, { devices: passwords(region), addresses: HERE });
    await world.route(name, activeRegionOf(name));
  }
});
afterEach(() => Promise.all(phones.splice(0).map((phone) => phone.close())));
afterAll(async () => {
  await caller.close();
  await world.stop();
});

/** A phone of a user that registered with a domain through an edge. */
async function phoneOf(
  user: string,
  habit: Habit,
  { name = IRISH, edge = 'dublin' as EdgeId, transport = 'udp' as 'udp' | 'tcp' } = {},
): Promise<RegisteredPhone> {
  const phone = await RegisteredPhone.open(transport, world.portOf(edge), habit);
  phones.push(phone);
  const host = `${name}.sip.twilio.com`;
  const contacts = [`<sip:${user}@192.168.1.20:${5_062 + phones.length}>`];
  const password = PASSWORDS[activeRegionOf(name)];
  await phone.register({ user, password, host, uri: `sip:${host}`, contacts });
  return phone;
}

/** A call through the API of a Region. */
const create = (region: TestRegion, to: string, client: Twilio = world.client(region)) =>
  client.calls.create({ to, from: 'desk', twiml: LISTENS });

/** A call to a domain of a Region whose document dials; the record of what it made, once that is over. */
async function dialled(region: TestRegion, noun: string) {
  const name = region === 'ie1' ? IRISH : AMERICAN;
  const action = world.app.on(`/after${++documents}`, { body: '<Response><Hangup/></Response>' });
  world.app.on(`/${region}/${name}`, {
    body: `<Response><Dial action="${action}">${noun}</Dial></Response>`,
  });
  const call = await caller.call({ uri: world.uri(name), port: world.portOf('dublin') });
  const { CallSid = '' } = await world.webhook(region, name, call.callId);
  const child = () =>
    until('the call that the document made', async () => {
      const [found] = await world.client(region).calls.list({ parentCallSid: CallSid });
      return found;
    });
  const path = action.slice(action.lastIndexOf('/'));
  const outcome = () =>
    until('the action of <Dial>', () => world.app.seen.find((one) => one.path === path)?.form);
  return { call, callSid: CallSid, child, outcome };
}

describe('Given a device that is registered in ie1', () => {
  it('[D9] when it was not registered yet, then 32009; once it is, it rings', async () => {
    const user = newUser();
    const early = await create('ie1', world.uri(IRISH, user));
    expect((await world.endedCall('ie1', early.sid)).status).toBe('failed');
    expect(await world.notedCodes('ie1', early.sid)).toEqual(['32009']);
    const phone = await phoneOf(user, 'rings');
    const later = await create('ie1', world.uri(IRISH, user));
    await phone.waitFor('INVITE');
    await world.client('ie1').calls(later.sid).update({ status: 'canceled' });
    await phone.waitFor('CANCEL');
  });

  it('[D1][D11][D12][D16] when us1’s API calls it, then it is not registered (32009); when ie1’s does, it rings', async () => {
    const user = newUser();
    const phone = await phoneOf(user, 'answers', { edge: 'tokyo' });
    const to = world.uri(IRISH, user);

    const wrong = await create('us1', to);
    expect(wrong).toMatchObject({ status: 'queued', direction: 'outbound-api', to });
    expect(wrong.sid).toMatch(/^CA[0-9a-f]{32}$/);
    expect((await world.endedCall('us1', wrong.sid)).status).toBe('failed');
    const [notification] = await until('the notification', async () => {
      const all = await world.client('us1').calls(wrong.sid).notifications.list();
      return all.length > 0 && all;
    });
    expect(notification).toMatchObject({ errorCode: '32009', callSid: wrong.sid });
    expect(decodeURIComponent(notification?.messageText ?? '')).toContain('us1');
    expect(await storedCall(world.trunkline, 'us1', wrong.sid)).toMatchObject({
      status: 'failed',
      region: 'us1',
      egress_edge: null,
    });
    expect(phone.methods).toEqual([]);

    const right = await create('ie1', to);
    await phone.waitFor('ACK');
    await phone.hangUp();
    expect((await world.endedCall('ie1', right.sid)).status).toBe('completed');
    expect(await storedCall(world.trunkline, 'ie1', right.sid)).toMatchObject({
      region: 'ie1',
      egress_edge: 'tokyo',
    });
    expect(await world.storesWith(right.sid)).toEqual(['ie1 bucket', 'ie1 redis']);
    expect(await world.storesWith(wrong.sid)).toEqual(['us1 bucket', 'us1 redis']);
  });

  it('[D11][D17] when TwiML of a call in us1 dials it, then likewise; when one in ie1 does, it rings', async () => {
    const user = newUser();
    const phone = await phoneOf(user, 'answers');
    const noun = `<Sip>${world.uri(IRISH, user)}</Sip>`;

    const wrong = await dialled('us1', noun);
    expect(await wrong.outcome()).toMatchObject({ DialCallStatus: 'failed' });
    const failed = await wrong.child();
    expect(failed).toMatchObject({ status: 'failed', direction: 'outbound-dial' });
    expect(await world.notedCodes('us1', failed.sid)).toEqual(['32009']);
    expect(phone.methods).toEqual([]);

    const right = await dialled('ie1', noun);
    await phone.waitFor('ACK');
    await phone.hangUp();
    expect(await right.outcome()).toMatchObject({ DialCallStatus: 'completed' });
    const { sid } = await right.child();
    const stored = await storedCall(world.trunkline, 'ie1', sid);
    expect(stored).toMatchObject({ region: 'ie1', egress_edge: 'dublin', parent_call_sid: right.callSid });
    // The parent's timeline may name what it made: both are in ie1.
    expect(await world.storesWith(sid)).toEqual(['ie1 bucket', 'ie1 redis']);
  });

  it('when it is called, then its INVITE says which call of which account it is', async () => {
    const user = newUser();
    const phone = await phoneOf(user, 'answers', { transport: 'tcp', edge: 'sao-paulo' });
    const { sid } = await create('ie1', `${world.uri(IRISH, user)}?X-Order=42`);
    const { headers, uri } = await phone.waitFor('INVITE');
    expect(headers.get('X-Twilio-AccountSid')).toBe(world.trunkline.accountSid);
    expect(headers.get('X-Twilio-CallSid')).toBe(sid);
    expect(headers.get('X-Twilio-ApiVersion')).toBe('2010-04-01');
    expect(headers.get('X-Order')).toBe('42');
    expect(headers.get('To')).toBe(`<${world.uri(IRISH, user)}>`);
    expect(headers.get('From')).toMatch(/sip:desk@/);
    expect(String(uri)).toContain('192.168.1.20'); // its Contact, which only its flow reaches
    await phone.waitFor('ACK');
    await phone.hangUp();
    await world.endedCall('ie1', sid);
  });

  it('when it is removed through the API, then it is not called any more', async () => {
    const user = newUser();
    const phone = await phoneOf(user, 'answers');
    const all = await world.registrations('ie1', IRISH);
    const found = all.find(({ username }) => username === user);
    const path = `/trunkline/v1/Registrations/${found?.sid}`;
    expect((await world.own('ie1', path, { method: 'DELETE' })).status).toBe(204);
    const { sid } = await create('ie1', world.uri(IRISH, user));
    expect((await world.endedCall('ie1', sid)).status).toBe('failed');
    expect(await world.notedCodes('ie1', sid)).toEqual(['32009']);
    expect(phone.methods).toEqual([]);
  });

  it('[D11] when its domain is re-routed, then it stays with calls of its Region, and with no other', async () => {
    for (const region of ['us1', 'ie1'] as const)
      await world.domain(region, 'leaving', { devices: passwords(region) });
    const user = newUser();
    const phone = await phoneOf(user, 'answers', { name: 'leaving' });
    await world.route('leaving', 'ie1', 'us1');
    const there = await create('ie1', world.uri('leaving', user));
    expect((await world.endedCall('ie1', there.sid)).status).toBe('failed');
    expect(await world.notedCodes('ie1', there.sid)).toEqual(['32009']);
    expect(phone.methods).toEqual([]);
    const here = await create('us1', world.uri('leaving', user));
    await phone.waitFor('ACK');
    await phone.hangUp();
    expect((await world.endedCall('us1', here.sid)).status).toBe('completed');
  });
});

describe('Given an address that cannot be called', () => {
  it.each([
    ['an edge in the host', (user: string) => world.uri(IRISH, user, 'dublin'), '32220'],
    ['an exchange in the host', (user: string) => world.uri(IRISH, user, 'london-ix'), '32220'],
    ['a domain that is not there', (user: string) => world.uri('nowhere', user), '32002'],
    ['an older edge label nobody is at', (user: string) => world.uri(IRISH, user, 'us1'), '32221'],
    ['no device over TLS', (user: string) => `${world.uri(IRISH, user)};secure=true`, '32209'],
    ['no user', () => `sip:${IRISH}.sip.twilio.com`, '32223'],
  ] as const)(
    '%s: when API or TwiML call it, then the call fails with a notification',
    async (_, to, code) => {
      const user = newUser();
      const phone = await phoneOf(user, 'answers');
      const { sid } = await create('ie1', to(user));
      expect((await world.endedCall('ie1', sid)).status).toBe('failed');
      expect(await world.notedCodes('ie1', sid)).toEqual([code]);
      const { outcome, child } = await dialled('ie1', `<Sip>${to(user)}</Sip>`);
      expect(await outcome()).toMatchObject({ DialCallStatus: 'failed' });
      expect(await world.notedCodes('ie1', (await child()).sid)).toEqual([code]);
      expect(phone.methods).toEqual([]);
    },
  );

  it('the domain of an account that is nobody to the caller’s: 32214; the parent’s is another matter', async () => {
    const [one, two] = [await world.subaccount('One'), await world.subaccount('Two')];
    const [clientOne, clientTwo] = [await one.client('us1'), await two.client('us1')];
    await world.domain('us1', 'ones', { client: clientOne, devices: passwords('us1') });
    const user = newUser();
    const phone = await phoneOf(user, 'answers', { name: 'ones' });
    const foreign = await create('us1', world.uri('ones', user), clientTwo);
    const failed = await until('the end of the call', async () => {
      const call = await clientTwo.calls(foreign.sid).fetch();
      return call.status === 'failed' && call;
    });
    const notes = await until('the notification', async () => {
      const all = await clientTwo.calls(failed.sid).notifications.list();
      return all.length > 0 && all;
    });
    expect(notes.map(({ errorCode }) => errorCode)).toEqual(['32214']);
    expect(phone.methods).toEqual([]);
    const { sid } = await create('us1', world.uri('ones', user));
    await phone.waitFor('ACK');
    await phone.hangUp();
    expect((await world.endedCall('us1', sid)).status).toBe('completed');
  });

  it('a device that redirects: nobody is called in its place (32219)', async () => {
    const user = newUser();
    const phone = await phoneOf(user, 302);
    const { sid } = await create('ie1', world.uri(IRISH, user));
    expect((await world.endedCall('ie1', sid)).status).toBe('failed');
    expect(await world.notedCodes('ie1', sid)).toEqual(['32219']);
    expect(phone.methods).toEqual(['INVITE', 'ACK']);
  });

  it('the parameter edge is no obstacle: every device is called through its own', async () => {
    const user = newUser();
    const phone = await phoneOf(user, 'answers', { edge: 'singapore' });
    const { sid } = await create('ie1', `${world.uri(IRISH, user)};edge=frankfurt`);
    await phone.waitFor('ACK');
    await phone.hangUp();
    await world.endedCall('ie1', sid);
    expect(await storedCall(world.trunkline, 'ie1', sid)).toMatchObject({ egress_edge: 'singapore' });
  });
});

describe('Given a user with several devices at several edges', () => {
  it.each([
    ['all are busy', [486, 486, 486], 'busy'],
    ['one rings and nobody answers', [404, 480, 480], 'no-answer'],
  ] as const)('when they are called and %s, then so is the call', async (_, habits, status) => {
    const user = newUser();
    const [first, second, third] = habits;
    await phoneOf(user, first, { edge: 'dublin' });
    await phoneOf(user, second, { edge: 'tokyo', transport: 'tcp' });
    await phoneOf(user, third, { edge: 'ashburn-ix' });
    const { sid } = await create('ie1', world.uri(IRISH, user));
    expect((await world.endedCall('ie1', sid)).status).toBe(status);
    for (const phone of phones) expect(phone.methods).toEqual(['INVITE', 'ACK']);
  });
});

describe('Given a telephone at tokyo and one at dublin, each edge a process of its own', () => {
  const NAME = 'far';
  let edges: TwoEdges;
  beforeAll(async () => {
    edges = await TwoEdges.start();
  });
  afterAll(() => edges.stop());

  /** The domain in ie1, whose calls dial a user of it. */
  async function domainThatDials(user: string): Promise<void> {
    const { sip, routes } = edges.client;
    const document = `<Response><Dial><Sip>${world.uri(NAME, user)}</Sip></Dial></Response>`;
    const domain = await sip.domains.create({
      domainName: `${NAME}.sip.twilio.com`,
      sipRegistration: true,
      voiceUrl: world.app.on('/far', { body: document }),
    });
    const list = await sip.credentialLists.create({ friendlyName: 'Users' });
    const password = PASSWORDS.ie1;
    await sip.credentialLists(list.sid).credentials.create({ username: user, password });
    const { auth } = sip.domains(domain.sid);
    const mapping = { credentialListSid: list.sid };
    await auth.registrations.credentialListMappings.create(mapping);
    await auth.calls.credentialListMappings.create(mapping);
    await routes.v2.sipDomains(`${NAME}.sip.twilio.com`).update({ voiceRegion: 'ie1' });
  }

  it('[E12] when one calls the other, then the media of each go through the edge it is at', async () => {
    const user = 'ann';
    await domainThatDials(user);
    const there = await RegisteredPhone.open('udp', edges.portOf('tokyo'), 'answers');
    phones.push(there);
    const host = `${NAME}.sip.twilio.com`;
    const login = { user, password: PASSWORDS.ie1 };
    await there.register({ ...login, host, uri: `sip:${NAME}.sip.tokyo.twilio.com` });
    const here = await caller.call({
      uri: world.uri(NAME, 'desk', 'dublin'),
      port: edges.portOf('dublin'),
      username: user,
      password: PASSWORDS.ie1,
    });
    expect(edgeOfMedia(mediaPortOf(await here.answered()))).toBe('dublin');
    const invite = await there.waitFor('INVITE');
    expect(edgeOfMedia(mediaPortOf(invite.body.toString()))).toBe('tokyo');
    await there.waitFor('ACK');
    await Promise.all([here.speak(), there.speak()]);
    await until('audio both ways', () => here.heard.length > 20 && there.media.length > 20);
    await here.hangUp();
    await there.waitFor('BYE');
    const through = (packets: readonly { port: number }[]) =>
      new Set(packets.map(({ port }) => edgeOfMedia(port)));
    expect(through(here.heard)).toEqual(new Set(['dublin']));
    expect(through(there.media)).toEqual(new Set(['tokyo']));
    const calls = await until('both calls to be over', async () => {
      const all = await edges.client.calls.list({ status: 'completed' });
      return all.length === 2 && all;
    });
    expect(calls.map(({ direction }) => direction).sort()).toEqual(['inbound', 'outbound-dial']);
  });
});

const baresip = peer('baresip');
if (!baresip) notRun('baresip is called regionally', 'baresip (Debian: baresip-core) is not installed');
else withBaresip(baresip);

function withBaresip(path: string): void {
  describe('Given two baresips of one user in ie1, at sydney over UDP and at umatilla over TCP', () => {
    const NAME = 'phones';
    const TUNE = noise(3, 5);
    const VOICE = noise(30, 2);
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-voice-'));
    const microphone = join(folder, 'voice.wav');
    let telephones: readonly [Baresip, Baresip];
    let user: string;

    beforeAll(async () => {
      writePcm(microphone, VOICE);
      user = newUser();
      const users = passwords('ie1');
      await world.domain('ie1', NAME, { devices: users, callers: users });
      await world.domain('us1', NAME, { addresses: HERE });
      await world.route(NAME, 'ie1');
      const start = (edge: EdgeId, transport: 'udp' | 'tcp') =>
        Baresip.start(path, {
          microphone,
          codec: 'PCMU',
          caller: user,
          registers: {
            aor: `${user}@${NAME}.sip.twilio.com`,
            password: PASSWORDS.ie1,
            proxy: `sip:127.0.0.1:${world.portOf(edge)};transport=${transport}`,
          },
        });
      telephones = [await start('sydney', 'udp'), await start('umatilla', 'tcp')];
      for (const one of telephones) await one.event('REGISTER_OK');
    });
    afterAll(async () => {
      await Promise.all((telephones ?? []).map((one) => one.stop()));
      rmSync(folder, { recursive: true });
    });

    it('when ie1’s API calls them, then both ring, the first to answer is talked to, both hear', async () => {
      const headers = { 'content-type': 'audio/wav' };
      const tune = world.app.on('/tune.wav', { body: wavOf(TUNE), headers });
      const action = world.app.on('/recorded', { body: '<Response><Hangup/></Response>' });
      const record = `<Record playBeep="false" maxLength="5" timeout="60" trim="do-not-trim" action="${action}"/>`;
      const to = world.uri(NAME, user);
      const twiml = `<Response><Play>${tune}</Play>${record}</Response>`;
      const { sid } = await world.client('ie1').calls.create({ to, from: 'desk', twiml });
      const [udp, tcp] = telephones;
      for (const one of telephones) await one.event('CALL_INCOMING');
      tcp.answer();
      await tcp.event('CALL_ESTABLISHED');
      await udp.event('CALL_CLOSED');
      expect(udp.events.map(({ type }) => type)).not.toContain('CALL_ESTABLISHED');
      await tcp.event('CALL_CLOSED');

      expect((await world.endedCall('ie1', sid)).status).toBe('completed');
      const stored = await storedCall(world.trunkline, 'ie1', sid);
      expect(stored).toMatchObject({ egress_edge: 'umatilla', region: 'ie1' });
      expect(share(TUNE, tcp.heard())).toBeGreaterThan(0.8);
      const wav = await until('the recording in the bucket of ie1', async () => {
        const [recording] = await world.client('ie1').calls(sid).recordings.list();
        const isMeant = (name: string) => recording && name.endsWith(`${recording.sid}.wav`);
        return bucketFiles(world.trunkline.home, 'ie1').find(isMeant);
      });
      expect(share(VOICE, readPcm(wav))).toBeGreaterThan(0.1);
      expect(bucketFiles(world.trunkline.home, 'us1').filter((name) => /RE\w+/.test(name))).toEqual([]);
    });

    it('[D13] when one calls the domain, then ie1 has the call, which entered at its edge', async () => {
      const [udp] = telephones;
      world.app.on(`/ie1/${NAME}`, { body: '<Response><Say>Hello.</Say></Response>' });
      udp.dial(world.uri(NAME, 'anybody'));
      const form = await until(
        'the webhook of the call',
        () =>
          world.webhooks('ie1', NAME).find(({ form: sent }) => sent['To'] === world.uri(NAME, 'anybody'))
            ?.form,
      );
      expect(form).toMatchObject({
        From: world.uri(NAME, user),
        SipDomain: `${NAME}.sip.twilio.com`,
        SipUsername: user,
      });
      await udp.event('CALL_CLOSED');
      const { sid, status } = await world.endedCall('ie1', form['CallSid'] ?? '');
      expect(status).toBe('completed');
      const stored = await storedCall(world.trunkline, 'ie1', sid);
      expect(stored).toMatchObject({ ingress_edge: 'sydney', direction: 'inbound' });
    });
  });
}
