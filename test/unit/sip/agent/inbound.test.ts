import { describe, expect, test } from 'vitest';
import { ANSWER, LINGER, OFFER, reasonOf, type World, world } from './support.ts';

const EMPTY = { serverTransactions: 0, clientTransactions: 0, dialogs: 0, timers: 0, connections: 0 };

async function leavesNothing({ clock, agent }: World) {
  await clock.advance(LINGER);
  expect(agent.census()).toEqual(EMPTY);
}

describe.each(['udp', 'tcp'] as const)('an inbound call over %s', (transport) => {
  test('100 at once, 180, 200 with the SDP, ACK, BYE; nothing is left', async () => {
    const w = await world({ transport });
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    expect(w.peer.statuses).toEqual([100]);
    const [invite] = w.invites;
    expect(invite?.request.body).toBe(OFFER);
    invite?.respond(180);
    const dialog = invite?.accept(ANSWER, { headers: { 'X-Call': 'one' } });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 180, 200]);
    const ok = w.peer.lastResponse();
    expect(ok.body).toBe(ANSWER);
    expect(ok.headers.get('x-call')).toBe('one');
    expect(ok.headers.get('content-type')).toBe('application/sdp');
    expect(ok.headers.get('contact')).toContain('sip:10.0.0.1:5060');
    const toTag = invite?.localTag;
    expect(w.peer.lastResponse(180).headers.get('to')).toBe(`<sip:callee@10.0.0.1>;tag=${toTag}`);
    w.peer.request('ACK', { toTag });
    w.peer.request('BYE', { toTag, cseq: 2 });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 180, 200, 200]);
    expect(dialog && reasonOf(dialog.ended)).toBe('bye');
    expect(dialog?.ended).toBe(invite?.ended);
    await w.clock.advance(LINGER);
    expect(w.agent.census()).toEqual({ ...EMPTY, connections: transport === 'tcp' ? 1 : 0 });
    expect(w.errors).toEqual([]);
  });

  test('the 200 is repeated until the ACK comes', async () => {
    const w = await world({ transport });
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    w.invites[0]?.accept(ANSWER);
    await w.clock.advance(3_600); // 0, 500, 1500, 3500 ms
    expect(w.peer.statuses).toEqual([100, 200, 200, 200, 200]);
    w.peer.request('ACK', { toTag: w.invites[0]?.localTag });
    await w.clock.advance(20_000);
    expect(w.peer.statuses).toHaveLength(5);
  });
});

describe('an inbound call', () => {
  test('without an ACK ends after 64·T1 with BYE', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    const dialog = w.invites[0]?.accept(ANSWER);
    await w.clock.advance(31_900);
    expect(dialog?.ended.aborted).toBe(false);
    await w.clock.advance(200);
    expect(dialog && reasonOf(dialog.ended)).toBe('no-ack');
    expect(w.peer.methods).toEqual(['BYE']);
    w.peer.respond(w.peer.lastRequest('BYE'), 200);
    await leavesNothing(w);
  });

  test('a repeated INVITE is answered again by the transaction, not told again', async () => {
    const w = await world();
    const invite = w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    w.invites[0]?.respond(183);
    w.peer.send(invite);
    await w.settle();
    expect(w.invites).toHaveLength(1);
    expect(w.peer.statuses).toEqual([100, 183, 183]);
  });

  test('a refusal is repeated until its ACK, and said once', async () => {
    const w = await world();
    const invite = w.peer.request('INVITE', { body: OFFER, branch: 'z9hG4bKrefused' });
    await w.settle();
    w.invites[0]?.respond(486, { phrase: 'Busy', headers: { 'X-Why': 'busy' } });
    w.invites[0]?.respond(500);
    expect(w.invites[0] && reasonOf(w.invites[0].ended)).toBe('refused');
    await w.clock.advance(600);
    w.peer.send(invite);
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 486, 486, 486]);
    expect(w.peer.lastResponse().phrase).toBe('Busy');
    expect(w.peer.lastResponse().headers.get('x-why')).toBe('busy');
    w.peer.request('ACK', { branch: 'z9hG4bKrefused', toTag: w.invites[0]?.localTag });
    await w.clock.advance(20_000);
    expect(w.peer.statuses).toHaveLength(4);
    await leavesNothing(w);
  });

  test('that rings says so every minute', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    w.invites[0]?.respond(180);
    await w.clock.advance(125_000);
    expect(w.peer.statuses).toEqual([100, 180, 180, 180]);
  });

  test('respond does not take a 2xx', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    expect(() => w.invites[0]?.respond(200)).toThrow(RangeError);
    expect(() => w.invites[0]?.respond(100)).toThrow(RangeError);
  });

  test('an answer in the ACK of an INVITE without offer reaches the owner', async () => {
    const w = await world();
    w.peer.request('INVITE');
    await w.settle();
    const answers: string[] = [];
    const dialog = w.invites[0]?.accept(OFFER);
    if (dialog) dialog.onAnswer = (answer) => answers.push(answer);
    await w.settle();
    w.peer.request('ACK', { toTag: w.invites[0]?.localTag, body: ANSWER });
    await w.settle();
    expect(answers).toEqual([ANSWER]);
  });

  test('our BYE waits for the ACK (RFC 3261 §15)', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    const dialog = w.invites[0]?.accept(ANSWER);
    const status = dialog?.bye({ 'X-Why': 'test' });
    expect(dialog && reasonOf(dialog.ended)).toBe('local-bye');
    await w.settle();
    expect(w.peer.methods).toEqual([]);
    w.peer.request('ACK', { toTag: w.invites[0]?.localTag });
    await w.settle();
    const bye = w.peer.lastRequest('BYE');
    expect(bye.uri).toBe('sip:caller@10.0.0.2:5060');
    expect(bye.headers.get('x-why')).toBe('test');
    w.peer.respond(bye, 200);
    await w.settle();
    expect(await status).toBe(200);
    expect(await dialog?.bye()).toBe(200);
    expect(w.peer.methods).toEqual(['BYE']);
    await leavesNothing(w);
  });

  test('a BYE nobody answers is 408', async () => {
    const w = await world();
    const { dialog } = await w.answeredCall();
    const status = dialog.bye();
    await w.clock.advance(LINGER);
    expect(await status).toBe(408);
    await leavesNothing(w);
  });

  test('BYEs that cross are both answered', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    const status = dialog.bye();
    w.peer.request('BYE', { toTag, cseq: 2 });
    await w.settle();
    expect(w.peer.statuses.at(-1)).toBe(200);
    w.peer.respond(w.peer.lastRequest('BYE'), 481);
    await w.settle();
    expect(await status).toBe(481);
    expect(reasonOf(dialog.ended)).toBe('local-bye');
    await leavesNothing(w);
  });
});

describe('CANCEL', () => {
  test('of a ringing call: 200, 487, ended', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER, branch: 'z9hG4bKc' });
    await w.settle();
    w.invites[0]?.respond(180);
    w.peer.request('CANCEL', { branch: 'z9hG4bKc' });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 180, 200, 487]);
    const tags = w.peer.heard.slice(1).map((m) => m.headers.get('to'));
    expect(new Set(tags).size).toBe(1); // §9.2: the CANCEL's 200 carries the same tag
    const [invite] = w.invites;
    expect(invite && reasonOf(invite.ended)).toBe('cancel');
    expect(() => invite?.accept(ANSWER)).toThrow();
    invite?.respond(486);
    w.peer.request('ACK', { branch: 'z9hG4bKc', toTag: invite?.localTag });
    await w.settle();
    expect(w.peer.statuses).toHaveLength(4);
    await leavesNothing(w);
  });

  test('after the 200: 200, and the call goes on', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER, branch: 'z9hG4bKc' });
    await w.settle();
    const dialog = w.invites[0]?.accept(ANSWER);
    w.peer.request('CANCEL', { branch: 'z9hG4bKc' });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 200, 200]);
    expect(dialog?.ended.aborted).toBe(false);
  });

  test('after a refusal: 200 and nothing else', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER, branch: 'z9hG4bKc' });
    await w.settle();
    w.invites[0]?.respond(404);
    w.peer.request('CANCEL', { branch: 'z9hG4bKc' });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 404, 200]);
  });

  test('of nothing: 481; repeated: the same answer', async () => {
    const w = await world();
    const cancel = w.peer.request('CANCEL');
    w.peer.send(cancel);
    await w.settle();
    expect(w.peer.statuses).toEqual([481, 481]);
    expect(w.peer.heard[0]).toEqual(w.peer.heard[1]);
  });

  test('a caller may leave an early dialog by BYE', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    w.invites[0]?.respond(180);
    w.peer.request('BYE', { toTag: w.invites[0]?.localTag, cseq: 2 });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 180, 200, 487]);
    expect(w.invites[0] && reasonOf(w.invites[0].ended)).toBe('bye');
  });
});

describe('requests that are refused', () => {
  const invite = { body: OFFER };
  test.each([
    ['INVITE', { ...invite, headers: { 'Max-Forwards': '0' } }, 483, {}],
    ['INVITE', { ...invite, headers: { Require: '100rel, timer' } }, 420, { unsupported: '100rel, timer' }],
    ['INVITE', { ...invite, uri: 'http://example.com/' }, 416, {}],
    ['INVITE', { ...invite, headers: { Contact: undefined } }, 400, {}],
    ['INVITE', { ...invite, headers: { Contact: '*' } }, 400, {}],
    [
      'INVITE',
      { ...invite, headers: { 'Content-Encoding': 'gzip' } },
      415,
      { 'accept-encoding': 'identity' },
    ],
    ['INVITE', { ...invite, toTag: 'unknown' }, 481, {}],
    ['BYE', {}, 481, {}],
    ['BYE', { toTag: 'unknown' }, 481, {}],
    ['INFO', { toTag: 'unknown' }, 481, {}],
    ['REGISTER', {}, 405, { allow: 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY' }],
    ['WIBBLE', {}, 501, { allow: 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY' }],
    [
      'OPTIONS',
      {},
      200,
      { accept: 'application/sdp', allow: 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY' },
    ],
    ['OPTIONS', { headers: { 'Max-Forwards': '0' } }, 200, {}],
  ] as const)('%s %o: %i', async (method, parts, status, headers) => {
    const w = await world();
    w.peer.request(method, parts);
    await w.settle();
    expect(w.peer.statuses).toEqual([status]);
    expect(w.invites).toEqual([]);
    for (const [name, value] of Object.entries(headers)) {
      expect(w.peer.lastResponse().headers.get(name)).toBe(value);
    }
    await leavesNothing(w);
  });

  test('an ACK for nothing is dropped', async () => {
    const w = await world();
    w.peer.request('ACK', { toTag: 'x' });
    await w.settle();
    expect(w.peer.heard).toEqual([]);
    expect(w.agent.census()).toEqual(EMPTY);
  });

  test('a copy of an INVITE by another path is 482 (§8.2.2.2)', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER, branch: 'z9hG4bKone' });
    w.peer.request('INVITE', { body: OFFER, branch: 'z9hG4bKtwo' });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 482]);
    expect(w.invites).toHaveLength(1);
  });

  test('without an owner, and when draining', async () => {
    const w = await world();
    w.agent.onInvite = undefined;
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    w.agent.onInvite = (invite) => invite.respond(486);
    w.agent.drain();
    w.peer.request('INVITE', { body: OFFER, callId: 'call-2' });
    await w.settle();
    expect(w.peer.statuses).toEqual([480, 503]);
    expect(w.peer.lastResponse().headers.has('retry-after')).toBe(true);
  });

  test('more than the limit: 503 without a transaction, others go on', async () => {
    const w = await world({ agent: { limits: { pendingRequests: 2 } } });
    for (const callId of ['a', 'b', 'c']) w.peer.request('INVITE', { body: OFFER, callId });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 100, 503]);
    expect(w.agent.census().serverTransactions).toBe(2);
    w.invites[0]?.respond(486);
    w.peer.request('INVITE', { body: OFFER, callId: 'd' });
    await w.settle();
    expect(w.invites).toHaveLength(3);
  });

  test('answered transactions beyond the limit make room, oldest first', async () => {
    const w = await world({ agent: { limits: { settledRequests: 3 } } });
    w.agent.onRequest = () => ({ status: 200 });
    for (let i = 0; i < 10; i++) w.peer.request('REGISTER', { callId: `o${i}` });
    await w.settle();
    expect(w.peer.statuses).toHaveLength(10);
    expect(w.agent.census()).toMatchObject({ serverTransactions: 3, timers: 3 });
  });
});

describe('what cannot be read', () => {
  test('is answered with 400 where it can be, and reported', async () => {
    const w = await world();
    const reasons: string[] = [];
    w.agent.onMalformed = (reason) => reasons.push(reason);
    w.peer.request('OPTIONS', { headers: { 'Max-Forwards': 'many' } });
    w.peer.raw('complete nonsense\r\n\r\n');
    await w.settle();
    expect(w.peer.statuses).toEqual([400]);
    expect(reasons).toHaveLength(2);
    expect(w.agent.census()).toEqual(EMPTY);
  });

  test('a handler of malformed messages that throws is logged', async () => {
    const w = await world();
    w.agent.onMalformed = () => {
      throw new Error('broken');
    };
    w.peer.raw('nonsense');
    await w.settle();
    expect(w.errors).toEqual(['the handler of malformed messages failed']);
  });
});

describe('handlers that throw', () => {
  test('onInvite: 500', async () => {
    const w = await world();
    w.agent.onInvite = () => {
      throw new Error('broken');
    };
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 500]);
    expect(w.errors).toHaveLength(1);
  });

  test('onInvite after accept: the call ends with BYE', async () => {
    const w = await world();
    w.agent.onInvite = (invite) => {
      invite.accept(ANSWER);
      throw new Error('broken');
    };
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    const toTag = w.peer.lastResponse(200).headers.get('to')?.split('tag=')[1];
    w.peer.request('ACK', { toTag });
    await w.settle();
    expect(w.peer.methods).toEqual(['BYE']);
  });

  test('onRequest: 500', async () => {
    const w = await world();
    w.agent.onRequest = () => {
      throw new Error('broken');
    };
    w.peer.request('OPTIONS');
    await w.settle();
    expect(w.peer.statuses).toEqual([500]);
    expect(w.errors).toHaveLength(1);
  });
});

describe('requests outside dialogs', () => {
  test('reach the owner first; undefined means the default answer', async () => {
    const w = await world();
    w.agent.onRequest = ({ method }) =>
      method === 'REGISTER'
        ? { status: 401, headers: { 'WWW-Authenticate': 'Digest realm="x"' } }
        : undefined;
    w.peer.request('REGISTER');
    w.peer.request('OPTIONS', { callId: 'o' });
    await w.settle();
    expect(w.peer.statuses).toEqual([401, 200]);
    expect(w.peer.lastResponse(401).headers.get('www-authenticate')).toBe('Digest realm="x"');
  });
});

describe('where responses go', () => {
  test('rport and received are noted (RFC 3581)', async () => {
    const w = await world();
    w.peer.request('OPTIONS', { via: 'SIP/2.0/UDP client.example:9;branch=z9hG4bKr;rport' });
    await w.settle();
    expect(w.peer.lastResponse().headers.get('via')).toBe(
      'SIP/2.0/UDP client.example:9;branch=z9hG4bKr;rport=5060;received=10.0.0.2',
    );
  });

  test('without rport the port is that of sent-by; further Vias stay in order', async () => {
    const w = await world();
    const via = 'SIP/2.0/UDP client.example;branch=z9hG4bKr, SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKq';
    w.peer.request('OPTIONS', { via });
    await w.settle();
    expect(w.peer.lastResponse().headers.all('via')).toEqual([
      'SIP/2.0/UDP client.example;branch=z9hG4bKr;received=10.0.0.2',
      'SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKq',
    ]);
  });
});

describe('RFC 2543 peers', () => {
  test('INVITE, CANCEL and ACK without magic cookie find each other', async () => {
    const w = await world();
    const via = 'SIP/2.0/UDP 10.0.0.2:5060';
    const invite = w.peer.request('INVITE', { body: OFFER, via });
    await w.settle();
    w.peer.send(invite);
    w.peer.request('CANCEL', { via });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 100, 200, 487]);
    w.peer.request('ACK', { via, toTag: w.invites[0]?.localTag });
    await w.clock.advance(20_000);
    expect(w.peer.statuses).toHaveLength(4);
    await leavesNothing(w);
  });
});

describe('closing', () => {
  test('refuses what rings, says BYE in what is up, and is final', async () => {
    const w = await world();
    const { dialog } = await w.answeredCall();
    w.peer.request('INVITE', { body: OFFER, callId: 'ringing' });
    await w.settle();
    const request = dialog.request('INFO');
    await w.agent.close();
    expect([reasonOf(dialog.ended), w.invites[1] && reasonOf(w.invites[1].ended)]).toEqual([
      'closed',
      'closed',
    ]);
    expect((await request).status).toBe(503);
    await w.settle();
    expect(w.peer.methods).toEqual(['INFO', 'BYE']);
    expect(w.peer.statuses.at(-1)).toBe(503);
    expect(w.agent.census()).toEqual(EMPTY);
    expect(w.clock.pending).toBe(0);
    await expect(
      w.agent.listen({ transport: 'udp', host: '10.0.0.1', port: 0, label: 'x' }),
    ).rejects.toThrow();
  });
});
