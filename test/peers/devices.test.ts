import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EdgeId } from '../../src/region/edge.ts';
import { clientOf, eventsOf, storedCall, timelineOf } from '../e2e/support/numbers.ts';
import { pidOf } from '../e2e/support/processes.ts';
import { noise, share } from '../support/alignment.ts';
import { Baresip } from '../support/baresip.ts';
import { storedCalls } from '../support/bucket-files.ts';
import { notRun, peer } from '../support/peers.ts';
import { until } from '../support/until.ts';
import { writePcm } from '../support/wav-compare.ts';
import { DeviceWorld, DOMAIN, PASSWORD } from './support/device-world.ts';
import { answers, type Behaviour, type Heard, RawCallee, refuses, rings } from './support/raw-callee.ts';

const EDGES = ['dublin', 'tokyo', 'frankfurt-ix'] as const satisfies readonly EdgeId[];

let world: DeviceWorld;
const callees: RawCallee[] = [];

/** Somebody with three devices, each registered through an edge of its own. */
async function threeDevices(...behaviours: readonly Behaviour[]) {
  const devices = await Promise.all(EDGES.map((_, n) => RawCallee.open(behaviours[n] ?? rings)));
  callees.push(...devices);
  const user = world.user();
  const bindings = await world.bind(
    user,
    devices.flatMap((device, n) => {
      const edge = EDGES[n];
      return edge ? [[device, edge] as const] : [];
    }),
  );
  const [one, two, three] = devices;
  if (!one || !two || !three) throw new Error('three were opened');
  return { user, devices: [one, two, three] as const, bindings, noun: `<Sip>${world.address(user)}</Sip>` };
}

beforeAll(async () => {
  world = await DeviceWorld.start();
});

afterEach(() => {
  for (const one of callees.splice(0)) one.close();
});

afterAll(() => world.stop());

const invitesOf = (devices: readonly RawCallee[]) => Promise.all(devices.map((one) => one.waitFor('INVITE')));

describe('three devices', () => {
  it('ring at once, each from its edge and by its flow; the first that answers is connected', async () => {
    const { dials } = world;
    const { user, devices, bindings, noun } = await threeDevices();
    const call = dials.dial(noun);
    const invites = await invitesOf(devices);
    for (const [n, invite] of invites.entries()) {
      expect(invite.from.port).toBe(world.portOf(EDGES[n] ?? 'dublin'));
      expect(invite.text.split('\r\n')[0]).toBe(`INVITE ${bindings[n]?.contact} SIP/2.0`);
      expect(invite.header('To')).toBe(`<${world.address(user)}>`);
    }
    const sids = new Set(invites.map((invite) => invite.header('X-Twilio-CallSid')));
    expect(sids.size).toBe(1);
    const [one, two, three] = devices;
    two.reply(only(invites[1]), 200);
    await Promise.all([one, three].map((device) => device.waitFor('ACK')));
    for (const device of [one, three]) expect(device.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
    await two.waitFor('ACK');
    await until('audio at the device that answered', () => two.media.length > 5);
    expect(two.methods).toEqual(['INVITE', 'ACK']);
    two.request('BYE', only(invites[1]));

    const callId = only(invites[1]).header('Call-ID');
    const form = await dials.after(call.from);
    expect(form).toMatchObject({
      DialCallStatus: 'completed',
      DialSipResponseCode: '200',
      DialSipCallId: callId,
    });
    const { children, timeline } = await dials.ended(call.from);
    expect(children).toMatchObject([{ status: 'completed', sip_call_id: callId, egress_edge: 'tokyo' }]);
    expect(sids).toEqual(new Set(children.map(({ sid }) => sid)));
    expect(eventsOf(timeline, 'dialled')).toHaveLength(1);
  });

  it.each([
    ['all busy', [486, 486, 486], { DialCallStatus: 'busy', DialSipResponseCode: '486' }],
    ['not there, busy, unwilling', [404, 486, 503], { DialCallStatus: 'busy', DialSipResponseCode: '486' }],
    ['nobody answers', [480, 404, 480], { DialCallStatus: 'no-answer', DialSipResponseCode: '480' }],
  ])('%s', async (_, statuses, expected) => {
    const { noun, devices } = await threeDevices(...statuses.map(refuses));
    const call = world.dials.dial(noun);
    expect(await world.dials.after(call.from)).toMatchObject({ ...expected, DialBridged: 'false' });
    for (const device of devices) expect(device.methods).toEqual(['INVITE', 'ACK']);
    const { children } = await world.dials.ended(call.from);
    expect(children).toMatchObject([{ status: expected.DialCallStatus }]);
  });

  it('one of them declines for all (603): the others get CANCEL', async () => {
    const { noun, devices } = await threeDevices();
    const call = world.dials.dial(noun);
    const invites = await invitesOf(devices);
    devices[2].reply(only(invites[2]), 603);
    expect(await world.dials.after(call.from)).toMatchObject({
      DialCallStatus: 'busy',
      DialSipResponseCode: '603',
    });
    for (const device of [devices[0], devices[1]]) {
      await device.waitFor('ACK');
      expect(device.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
    }
  });

  it('two answer at once: one is connected, the other is acknowledged and hung up on', async () => {
    const { noun, devices } = await threeDevices();
    const call = world.dials.dial(noun);
    const invites = await invitesOf(devices);
    const two = [devices[0], devices[1]];
    for (const [n, device] of two.entries()) device.reply(only(invites[n]), 200);
    const leaver = await Promise.race(two.map((device) => device.waitFor('BYE').then(() => device)));
    expect(leaver.methods.filter((method) => method !== 'CANCEL')).toEqual(['INVITE', 'ACK', 'BYE']);
    const [stayer] = two.filter((device) => device !== leaver);
    await stayer?.waitFor('ACK');
    const [invite] = stayer?.requests('INVITE') ?? [];
    stayer?.request('BYE', only(invite));
    expect(await world.dials.after(call.from)).toMatchObject({
      DialCallStatus: 'completed',
      DialSipCallId: invite?.header('Call-ID'),
    });
  });

  it('nobody answers in time, or the caller hangs up: all get CANCEL', async () => {
    const late = await threeDevices();
    const timed = world.dials.dial(late.noun, 'timeout="5"');
    expect(await world.dials.after(timed.from)).toMatchObject({
      DialCallStatus: 'no-answer',
      DialSipResponseCode: '487',
    });
    const left = await threeDevices();
    const call = world.dials.dial(left.noun);
    await invitesOf(left.devices);
    call.hangUp();
    for (const device of [...late.devices, ...left.devices]) {
      await device.waitFor('ACK');
      expect(device.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
    }
    const { children } = await world.dials.ended(call.from);
    expect(children).toMatchObject([{ status: 'canceled' }]);
  });

  it('screening, a recording and a transfer are those of the device that answered', async () => {
    const { dials } = world;
    const { user, devices } = await threeDevices(rings, answers, rings);
    dials.app.on('/transfer', { body: '<Response><Hangup/></Response>' });
    const noun = `<Sip url="${dials.app.url('/screen')}">${world.address(user)}</Sip>`;
    const call = dials.dial(noun, 'record="record-from-answer-dual" referUrl="/transfer"');
    const [, two] = devices;
    const invite = await two.waitFor('INVITE');
    const { child } = await dials.talking(call.from);
    const screened = dials.app.seen.filter(
      ({ path, form }) => path === '/screen' && form['CallSid'] === child,
    );
    expect(screened.map(({ form }) => form['SipCallId'])).toEqual([invite.header('Call-ID')]);
    await until('audio at the device that answered', () => two.media.length > 50);
    two.request('REFER', invite, 'Refer-To: <sip:bob@example.com>');
    await until('the transfer', () => dials.requests('/transfer', call.from)[0]);
    const { parent } = await dials.ended(call.from);
    const { recordings } = clientOf(dials.trunkline, 'us1').calls(parent.sid);
    const [recording] = await until('the recording', async () => {
      const all = await recordings.list();
      return all.length > 0 && all;
    });
    expect(recording).toMatchObject({ source: 'DialVerb', channels: 2 });
  });

  it('ring beside a party that is nobody of ours, which may be faster', async () => {
    const { noun, devices } = await threeDevices();
    const other = await RawCallee.open(rings);
    callees.push(other);
    const call = world.dials.dial(`${noun}<Sip>${other.uri}</Sip>`);
    await invitesOf(devices);
    const invite = await other.waitFor('INVITE');
    other.reply(invite, 200);
    await other.waitFor('ACK');
    for (const device of devices) await device.waitFor('ACK');
    other.request('BYE', invite);
    expect(await world.dials.after(call.from)).toMatchObject({ DialCallStatus: 'completed' });
    const { children } = await world.dials.ended(call.from);
    expect(children.map(({ status }) => status)).toEqual(['canceled', 'completed']);
  });
});

describe('from the API', () => {
  const create = (region: 'us1' | 'ie1', to: string) =>
    clientOf(world.dials.trunkline, region).calls.create({
      to,
      from: 'desk',
      twiml: '<Response><Pause length="60"/></Response>',
    });

  it('the devices are called, and the document runs on the one that answers', async () => {
    const { user, devices } = await threeDevices(rings, rings, answers);
    const { sid } = await create('us1', world.address(user));
    await devices[2].waitFor('ACK');
    for (const device of [devices[0], devices[1]]) await device.waitFor('ACK');
    devices[2].request('BYE', only(devices[2].requests('INVITE')[0]));
    expect(await storedCall(world.dials.trunkline, 'us1', sid)).toMatchObject({
      status: 'completed',
      egress_edge: 'frankfurt-ix',
    });
  });

  it.each([
    ['nobody is registered', 'us1', `sip:nobody@${DOMAIN}.sip.twilio.com`, 32009],
    ['an edge stands in the host', 'us1', `sip:alice@${DOMAIN}.sip.tokyo.twilio.com`, 32220],
    ['the domain is unknown', 'us1', 'sip:alice@unknown.sip.twilio.com', 32002],
    ['there is no user', 'us1', `sip:${DOMAIN}.sip.twilio.com`, 32223],
  ] as const)('%s: the call is created, and ends failed', async (_, region, to, code) => {
    const { sid } = await create(region, to);
    const ended = await storedCall(world.dials.trunkline, region, sid);
    expect(ended).toMatchObject({ status: 'failed', diagnostics: [{ code }] });
  });

  it('a domain of a subaccount may be called, one of a stranger may not: 32214', async () => {
    await world.otherDomain('branch', 'this account');
    await world.otherDomain('stranger', 'itself');
    const device = await RawCallee.open(answers);
    callees.push(device);
    for (const domain of ['branch', 'stranger']) await world.bind('bob', [[device, 'dublin']], 'us1', domain);
    const refused = await create('us1', 'sip:bob@stranger.sip.twilio.com');
    expect(await storedCall(world.dials.trunkline, 'us1', refused.sid)).toMatchObject({
      status: 'failed',
      diagnostics: [{ code: 32214 }],
    });
    expect(device.methods).toEqual([]);
    await create('us1', 'sip:bob@branch.sip.twilio.com');
    await device.waitFor('ACK');
    device.request('BYE', only(device.requests('INVITE')[0]));
  });

  it('who is registered in another Region is not registered', async () => {
    const { user, devices } = await threeDevices(answers, answers, answers);
    const { sid } = await create('ie1', world.address(user));
    const ended = await storedCall(world.dials.trunkline, 'ie1', sid);
    expect(ended).toMatchObject({ status: 'failed', diagnostics: [{ code: 32009 }] });
    expect(devices.flatMap(({ methods }) => methods)).toEqual([]);
  });
});

it('the worker is lost while they ring: all are let go, and the end is written once', async () => {
  const { noun, devices } = await threeDevices();
  const { trunkline } = world.dials;
  world.dials.dial(noun);
  const [invite] = await invitesOf(devices);
  process.kill(pidOf(trunkline.home, 'worker-us1'), 'SIGKILL');
  for (const device of devices) await device.waitFor('ACK');
  for (const device of devices) expect(device.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
  const sid = only(invite).header('X-Twilio-CallSid');
  expect(await storedCall(trunkline, 'us1', sid)).toMatchObject({ status: 'canceled' });
  expect(eventsOf(timelineOf(trunkline, 'us1', sid), 'hangup')).toHaveLength(1);
  expect(storedCalls(trunkline.home, 'us1').filter((one) => one.sid === sid)).toHaveLength(1);
});

const baresip = peer('baresip');
if (!baresip) notRun('calls to registered baresips', 'baresip (Debian: baresip-core) is not installed');
else withBaresip(baresip);

function withBaresip(path: string): void {
  it('two telephones that registered through two edges, over UDP and TCP, ring; one is talked to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-voice-'));
    const voice = noise(20, 2);
    const microphone = join(folder, 'voice.wav');
    writePcm(microphone, voice);
    const user = world.user();
    await world.admit(user);
    const phone = (edge: EdgeId, transport: 'udp' | 'tcp', willing: boolean) =>
      Baresip.start(path, {
        microphone,
        codec: 'PCMU',
        caller: user,
        answers: willing,
        registers: {
          aor: `${user}@${DOMAIN}.sip.twilio.com`,
          password: PASSWORD,
          proxy: `sip:127.0.0.1:${world.portOf(edge)};transport=${transport}`,
        },
      });
    const phones = [await phone('sydney', 'udp', false), await phone('dublin', 'tcp', false)] as const;
    try {
      const bindings = await until('both to be registered', async () => {
        const bound = await world.config.us1.registrations.bindings(`${user}@${DOMAIN}`);
        return bound.length === phones.length && bound;
      });
      expect(bindings.map(({ flow }) => [flow.edge, flow.transport]).sort()).toEqual([
        ['dublin', 'tcp'],
        ['sydney', 'udp'],
      ]);
      const call = world.dials.dial(`<Sip>${world.address(user)}</Sip>`);
      for (const one of phones) await one.event('CALL_INCOMING');
      const [udp, tcp] = phones;
      tcp.answer();
      await tcp.event('CALL_ESTABLISHED');
      await udp.event('CALL_CLOSED');
      await until('five seconds of talk', () => tcp.heardMs() > 5_000);
      tcp.hangUp();
      expect(await world.dials.after(call.from)).toMatchObject({ DialCallStatus: 'completed' });
      expect(share(voice, await call.heard())).toBeGreaterThan(0.1);
      const { children } = await world.dials.ended(call.from);
      expect(children).toMatchObject([{ egress_edge: 'dublin', status: 'completed' }]);
    } finally {
      await Promise.all(phones.map((one) => one.stop()));
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function only(invite: Heard | undefined): Heard {
  if (!invite) throw new Error('there was no INVITE');
  return invite;
}
