import type { Twilio } from 'twilio';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EdgeId } from '../../src/region/edge.ts';
import { until } from '../support/until.ts';
import { storedCall } from './support/numbers.ts';
import { RegionalWorld, type TestRegion } from './support/regional-world.ts';
import { type Habit, RegisteredPhone } from './support/registered-phone.ts';
import { SipPhone } from './support/sip-phone.ts';

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
