import { beforeEach, describe, expect, it } from 'vitest';
import type { DialRequest } from '../../../src/control/protocol.ts';
import { MOST_LIVE } from '../../../src/edge/chain.ts';
import { Callee, sdp } from './callee.ts';
import {
  ACCOUNT,
  answered,
  CHILD,
  DUBLIN,
  FRANKFURT,
  nothingIsLeft,
  outboundJob,
  type World,
  world,
} from './world.ts';

/** Where the device's packets come from; what it says of itself is behind its NAT. */
const FLOW = { address: '10.0.0.3', port: 5080 };
const CONTACT = 'sip:alice@192.168.1.20:5062';
const ADDRESS = 'sip:alice@acme.sip.twilio.com';

type Device = Extract<DialRequest['party'], { kind: 'device' }>;

const device = (fields: Partial<Device> = {}, edge: 'dublin' | 'frankfurt' = 'dublin'): Device => ({
  kind: 'device',
  accountSid: ACCOUNT,
  uri: CONTACT,
  address: ADDRESS,
  path: [],
  flow: { edge, process: 'edge-1', transport: 'udp', ...FLOW },
  ...fields,
});

let w: World;
beforeEach(async () => {
  w = await world();
});

describe('a registered device', () => {
  it.each([
    ['dublin', DUBLIN],
    ['frankfurt', FRANKFURT],
  ] as const)('is called from the socket of %s, where it registered, by its flow', async (edge, at) => {
    await w.call({ edge, party: device({}, edge), headers: { 'X-A': 'b' } });
    const { message, from } = w.callee.request('INVITE');
    expect(message.uri).toBe(CONTACT);
    expect(from).toMatchObject(at);
    expect(message.headers.get('To')).toBe(`<${ADDRESS}>`);
    expect(message.headers.get('X-A')).toBe('b');
    expect(message.headers.get('Route')).toBeUndefined();
    await answered(w, { headers: { Contact: `<${CONTACT}>` } });
    expect(w.callee.request('ACK').message.uri).toBe(CONTACT);
    await w.switchboard.handler.command(CHILD, 1, { verb: 'hangup' });
    await w.settle();
    w.callee.respond(200, {}, 'BYE');
    await nothingIsLeft(w);
  });

  it.each(['suspended', 'closed'] as const)(
    'of a related account that is %s is not called: 10001; by a live call of its own it is',
    async (status) => {
      const owner = `AC${'b'.repeat(32)}`;
      w.statuses.set(owner, status);
      expect(await w.call({ party: device({ accountSid: owner }) })).toMatchObject({
        notDialled: { code: 10001, level: 'error', actual: status },
      });
      expect(w.callee.methods).toEqual([]);
      expect(w.relay.legs).toEqual([]);
      await w.call({ party: device({ accountSid: owner }), job: outboundJob({ accountSid: owner }) });
      expect(w.callee.methods).toEqual(['INVITE']);
    },
  );

  it('is reached by the Path it registered with', async () => {
    const path = ['<sip:one.example.com;lr>', '<sip:two.example.com;lr>'];
    await w.call({ party: device({ path }) });
    expect(w.callee.request('INVITE').message.headers.list('Route')).toEqual(path);
  });

  it('answers a challenge with the login of the document', async () => {
    await w.call({ party: device(), credentials: { username: 'ann', password: 'secret' } });
    w.callee.respond(401, {
      headers: { 'WWW-Authenticate': 'Digest realm="desk", nonce="1", algorithm=MD5' },
    });
    await w.settle();
    expect(w.callee.request('INVITE').message.headers.get('Authorization')).toContain('username="ann"');
  });

  it('its 3xx is not followed: 32219', async () => {
    await w.call({ party: device() });
    w.callee.respond(302, { headers: { Contact: '<sip:elsewhere@10.0.0.3:5080>' } });
    await w.settle();
    expect(w.callee.methods).toEqual(['INVITE', 'ACK']);
    expect(w.told.ends).toMatchObject([
      {
        cause: 'rejected',
        sipStatus: 302,
        diagnostic: { code: 32219, message: expect.stringContaining('not followed') },
      },
    ]);
  });

  it('is called over TCP by the connection it opened, and by no other', async () => {
    const listens = await new Callee(FLOW).bind(w.network, 'tcp', w.clock);
    const flow = { ...device().flow, transport: 'tcp' as const };
    await w.call({ party: device({ flow }) });
    expect(listens.methods).toEqual([]);
    expect(w.told.ends).toMatchObject([{ cause: 'unreachable', diagnostic: { code: 32011 } }]);
    await nothingIsLeft(w);
  });

  it('of an edge that this process does not serve is not called', async () => {
    const flow = { ...device().flow, edge: 'tokyo' as const };
    expect(await w.call({ edge: 'tokyo', party: device({ flow }) })).toMatchObject({
      notDialled: { code: 20503 },
    });
    expect(w.callee.methods).toEqual([]);
  });
});

describe('a call to several devices of one edge process', () => {
  let others: readonly Callee[];
  const at = (index: number) => ({ address: '10.0.0.4', port: 5080 + index });

  beforeEach(async () => {
    others = await Promise.all([1, 2, 3].map((n) => new Callee(at(n)).bind(w.network, 'udp', w.clock)));
    for (const fork of [1, 2, 3]) {
      const flow = { ...device().flow, ...at(fork) };
      await w.call({ fork, party: device({ flow }) });
    }
  });

  it('has a leg for each; what is let go gets CANCEL, a crossing 200 ACK and BYE', async () => {
    expect(w.switchboard.live).toBe(3);
    for (const one of others) one.respond(180);
    await w.settle();
    others[1]?.respond(200, { body: sdp() });
    await w.settle();
    w.switchboard.handler.release(`${CHILD}-1`, 1);
    w.switchboard.handler.release(`${CHILD}-3`, 1);
    others[2]?.respond(200, { body: sdp() });
    await w.settle();
    expect(others.map(({ methods }) => methods)).toEqual([
      ['INVITE', 'CANCEL'],
      ['INVITE', 'ACK'],
      ['INVITE', expect.any(String), expect.any(String), expect.any(String)],
    ]);
    expect(others[2]?.methods).toEqual(expect.arrayContaining(['CANCEL', 'ACK', 'BYE']));
    expect(w.switchboard.live).toBe(1);
    expect(w.told.answered).toHaveLength(1);
  });

  it('the worker is lost: all are let go, and the end is told once for the call', async () => {
    for (const one of others) one.respond(180);
    await w.settle();
    w.switchboard.handler.lost('w1', [`${CHILD}-1`, `${CHILD}-2`, `${CHILD}-3`]);
    await w.settle();
    expect(others.map(({ methods }) => methods.at(-1))).toEqual(['CANCEL', 'CANCEL', 'CANCEL']);
    expect(w.ends()).toMatchObject([
      { kind: 'finish-call', status: 'canceled', job: { callSid: CHILD, accountSid: ACCOUNT } },
    ]);
    expect(w.switchboard.live).toBe(0);
  });

  it('counts as one call among those that come from one call', async () => {
    const chain = { origin: `CA${'e'.repeat(32)}`, forwards: 70 };
    const job = (n: number) => outboundJob({ callSid: `CA${n.toString(16).padStart(32, '0')}`, chain });
    for (let n = 1; n < MOST_LIVE; n++) await w.call({ job: job(n), party: device() });
    for (let fork = 1; fork <= 10; fork++) {
      expect(await w.call({ job: job(MOST_LIVE), fork, party: device() })).toHaveProperty('dialling');
    }
    expect(await w.call({ job: job(MOST_LIVE + 1), party: device() })).toMatchObject({
      notDialled: { code: 32006 },
    });
  });
});
