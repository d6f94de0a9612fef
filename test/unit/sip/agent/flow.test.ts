import { describe, expect, test } from 'vitest';
import type { InviteOptions, OfferReply, OutboundInvite, SipSource } from '../../../../src/sip/agent/port.ts';
import { makeChallenges } from '../../../../src/sip/digest/digest.ts';
import { ANSWER, LINGER, OFFER, Peer, type World, world } from './support.ts';

const EMPTY = { serverTransactions: 0, clientTransactions: 0, dialogs: 0, timers: 0, connections: 0 };
/** What the device says of itself, behind its NAT: no packet for it arrives anywhere. */
const LIE = 'sip:phone@192.168.1.20:5062';
const UDP_FLOW = { address: '10.0.0.2', port: 5060 };

function call(w: World, options: Partial<InviteOptions> = {}): OutboundInvite {
  return w.agent.invite({
    listener: w.listener,
    uri: LIE,
    from: '<sip:ann@example.com>',
    body: OFFER,
    ...options,
  });
}

/** The device speaks first, over a connection it opened: where it then comes from. */
async function greeted(w: World): Promise<SipSource> {
  const sources: SipSource[] = [];
  w.agent.onRequest = (_, source): OfferReply | undefined => {
    sources.push(source);
    return undefined;
  };
  w.peer.request('OPTIONS');
  await w.settle();
  const [source] = sources;
  if (!source) throw new Error('the OPTIONS did not arrive');
  return source;
}

async function endOf(outbound: OutboundInvite): Promise<unknown> {
  return outbound.answered.then(
    () => 'answered',
    (reason: unknown) => reason,
  );
}

describe.each(['udp', 'tcp'] as const)('a call over the flow of a device, %s', (transport) => {
  test('INVITE, ACK, re-INVITE and BYE take the flow, whatever the Contact says', async () => {
    const w = await world({ transport });
    const flow = transport === 'udp' ? UDP_FLOW : await greeted(w);
    const outbound = call(w, { flow });
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    expect(invite.uri).toBe(LIE);
    const lying = { headers: { Contact: `<${LIE}>` } };
    w.peer.respond(invite, 200, { body: ANSWER, contentType: 'application/sdp', ...lying });
    await w.settle();
    expect(w.peer.lastRequest('ACK').uri).toBe(LIE);
    const { dialog } = await outbound.answered;
    const again = dialog.reinvite(OFFER);
    await w.settle();
    w.peer.respond(w.peer.lastRequest('INVITE'), 200, {
      body: ANSWER,
      contentType: 'application/sdp',
      ...lying,
    });
    await w.settle();
    expect((await again).status).toBe(200);
    const bye = dialog.bye();
    await w.settle();
    w.peer.respond(w.peer.lastRequest('BYE'), 200);
    await w.settle();
    expect(await bye).toBe(200);
    await w.clock.advance(LINGER);
    expect({ ...w.agent.census(), connections: 0 }).toEqual(EMPTY);
  });

  test('CANCEL and the ACK of a refusal take the flow', async () => {
    const w = await world({ transport });
    const flow = transport === 'udp' ? UDP_FLOW : await greeted(w);
    const outbound = call(w, { flow });
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    w.peer.respond(invite, 180);
    await w.settle();
    outbound.cancel();
    await w.settle();
    expect(w.peer.lastRequest('CANCEL').uri).toBe(LIE);
    w.peer.respond(w.peer.lastRequest('CANCEL'), 200);
    w.peer.respond(invite, 487);
    await w.settle();
    expect(w.peer.lastRequest('ACK').uri).toBe(LIE);
  });

  test('an INVITE that is challenged goes over the flow again', async () => {
    const w = await world({ transport });
    const flow = transport === 'udp' ? UDP_FLOW : await greeted(w);
    call(w, { flow, credentials: { username: 'ann', password: 'secret' } });
    await w.settle();
    const headers = { 'WWW-Authenticate': makeChallenges('phone', 'n1') };
    w.peer.respond(w.peer.lastRequest('INVITE'), 401, { headers });
    await w.settle();
    expect(w.peer.lastRequest('INVITE').headers.get('authorization')).toContain('username="ann"');
  });

  test('the Path is its Route, topmost first, and the flow is still the way', async () => {
    const w = await world({ transport });
    const flow = transport === 'udp' ? UDP_FLOW : await greeted(w);
    call(w, { flow, routes: ['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>'] });
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    expect(invite.uri).toBe(LIE);
    expect(invite.headers.list('route')).toEqual(['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>']);
  });
});

test('a Route leads the INVITE where there is no flow', async () => {
  const w = await world();
  call(w, { uri: 'sip:phone@10.9.9.9', routes: ['<sip:10.0.0.2:5060;lr>'] });
  await w.settle();
  expect(w.peer.lastRequest('INVITE').uri).toBe('sip:phone@10.9.9.9');
});

test('a TCP flow is never opened by us: without its connection the call fails at once', async () => {
  const w = await world({ transport: 'tcp' });
  // somebody listens there, but the device never connected from there
  const stranger = await new Peer(w.clock, 'tcp').bind(w.network, { address: '10.0.0.7', port: 5060 });
  const outbound = call(w, { flow: { address: '10.0.0.7', port: 5060 } });
  const end = endOf(outbound);
  await w.settle();
  expect(await end).toMatchObject({ cause: 'transport-error', status: 503 });
  expect(stranger.heard).toEqual([]);
  expect(w.agent.census()).toEqual(EMPTY);
});

test('the flow is of the listener given, even where the URI names another transport', async () => {
  const w = await world();
  await w.agent.listen({ transport: 'tcp', host: '10.0.0.1', port: 5060, label: 'dublin' });
  call(w, { uri: `${LIE};transport=tcp`, flow: UDP_FLOW });
  await w.settle();
  expect(w.peer.lastRequest('INVITE').headers.get('via')).toContain('SIP/2.0/UDP');
});

test.each([['<sip:a>\r\nX: y'], ['nonsense'], ['<tel:+1>']])('no Route can be %j', async (route) => {
  const w = await world();
  expect(() => call(w, { routes: [route] })).toThrow(TypeError);
});
