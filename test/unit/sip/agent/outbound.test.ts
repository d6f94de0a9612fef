import { describe, expect, test } from 'vitest';
import { CountingIds } from '../../../../src/core/ids.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import { createSipAgent } from '../../../../src/sip/agent/agent.ts';
import { type InviteOptions, type OutboundInvite, SipEnded } from '../../../../src/sip/agent/port.ts';
import {
  makeChallenges,
  parseCredentials,
  passwordHash,
  verifyCredentials,
} from '../../../../src/sip/digest/digest.ts';
import { tagOf } from '../../../../src/sip/message/name-addr.ts';
import { ANSWER, LINGER, OFFER, reasonOf, type World, world } from './support.ts';

const EMPTY = { serverTransactions: 0, clientTransactions: 0, dialogs: 0, timers: 0, connections: 0 };

function call(w: World, options: Partial<InviteOptions> = {}): OutboundInvite {
  return w.agent.invite({
    listener: w.listener,
    uri: 'sip:callee@10.0.0.2',
    from: '"Ann" <sip:ann@example.com>',
    body: OFFER,
    ...options,
  });
}

/** How the INVITE ended, so far. */
function endOf(outbound: OutboundInvite): { reason: SipEnded | undefined } {
  const end: { reason: SipEnded | undefined } = { reason: undefined };
  outbound.answered.catch((reason: unknown) => {
    if (reason instanceof SipEnded) end.reason = reason;
  });
  return end;
}

async function leavesNothing({ clock, agent }: World) {
  await clock.advance(LINGER);
  expect(agent.census()).toEqual(EMPTY);
}

describe('an outbound call', () => {
  test('INVITE, 180, 200, ACK, our BYE; nothing is left', async () => {
    const w = await world();
    const outbound = call(w, { headers: { 'X-Call': '1' } });
    const progress: number[] = [];
    outbound.onProgress = (response) => progress.push(response.status);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    expect(invite.uri).toBe('sip:callee@10.0.0.2');
    expect(invite.body).toBe(OFFER);
    expect(invite.headers.get('from')).toMatch(/^Ann <sip:ann@example\.com>;tag=\w+$/);
    expect(invite.headers.get('to')).toBe('<sip:callee@10.0.0.2>');
    expect(invite.headers.get('via')).toMatch(/^SIP\/2\.0\/UDP 10\.0\.0\.1:5060;rport;branch=z9hG4bK/);
    expect(invite.headers.get('x-call')).toBe('1');
    expect(invite.headers.get('max-forwards')).toBe('70');
    expect(invite.headers.get('call-id')).toBe(outbound.callId);
    w.peer.respond(invite, 100);
    w.peer.respond(invite, 180);
    w.peer.respond(invite, 183, { body: ANSWER, contentType: 'application/sdp' });
    await w.settle();
    expect(progress).toEqual([180, 183]);
    w.peer.respond(invite, 200, { body: ANSWER, contentType: 'application/sdp' });
    await w.settle();
    const { dialog, response } = await outbound.answered;
    expect(response.body).toBe(ANSWER);
    const ack = w.peer.lastRequest('ACK');
    expect(ack.uri).toBe('sip:callee@10.0.0.2:5060'); // the Contact
    expect(ack.headers.get('cseq')).toBe('1 ACK');
    expect(ack.headers.get('via')).not.toBe(invite.headers.get('via'));
    const bye = dialog.bye();
    await w.settle();
    expect(w.peer.lastRequest('BYE').headers.get('cseq')).toBe('2 BYE');
    w.peer.respond(w.peer.lastRequest('BYE'), 200);
    await w.settle();
    expect(await bye).toBe(200);
    await leavesNothing(w);
  });

  test('a 200 that comes again is acknowledged again', async () => {
    const w = await world();
    const outbound = call(w);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    w.peer.respond(invite, 200);
    w.peer.respond(invite, 200);
    await w.settle();
    await outbound.answered;
    expect(w.peer.methods).toEqual(['INVITE', 'ACK', 'ACK']);
    expect(w.agent.census().dialogs).toBe(1);
  });

  test('route sets are reversed, and a strict router gets the old way', async () => {
    const w = await world();
    const outbound = call(w);
    await w.settle();
    const recordRoute = ['<sip:10.0.0.9;lr>', '<sip:10.0.0.2;lr>'];
    w.peer.respond(w.peer.lastRequest('INVITE'), 200, { headers: { 'Record-Route': recordRoute } });
    await w.settle();
    await outbound.answered;
    expect(w.peer.lastRequest('ACK').headers.all('route')).toEqual([
      '<sip:10.0.0.2;lr>',
      '<sip:10.0.0.9;lr>',
    ]);
    expect(w.peer.lastRequest('ACK').uri).toBe('sip:callee@10.0.0.2:5060');
  });

  test('a refusal is acknowledged and rejects', async () => {
    const w = await world();
    const outbound = call(w);
    const end = endOf(outbound);
    await w.settle();
    w.peer.respond(w.peer.lastRequest('INVITE'), 486);
    await w.settle();
    expect(end.reason).toMatchObject({ cause: 'rejected', status: 486 });
    const ack = w.peer.lastRequest('ACK');
    expect(ack.headers.get('via')).toBe(w.peer.lastRequest('INVITE').headers.get('via'));
    expect(tagOf(ack.headers.get('to') ?? '')).toBe('callee');
    await leavesNothing(w);
  });

  test('silence is a timeout after 64·T1 and seven transmissions', async () => {
    const w = await world();
    const end = endOf(call(w));
    await w.clock.advance(31_900);
    expect(end.reason).toBeUndefined();
    await w.clock.advance(200);
    expect(end.reason).toMatchObject({ cause: 'timeout', status: 408 });
    expect(w.peer.methods).toHaveLength(7);
    await leavesNothing(w);
  });

  test('nobody listening over TCP is a transport error', async () => {
    const w = await world({ transport: 'tcp' });
    const end = endOf(call(w, { uri: 'sip:x@10.0.0.99' }));
    await w.settle();
    expect(end.reason).toMatchObject({ cause: 'transport-error', status: 503 });
    await leavesNothing(w);
  });

  test('a host name is looked up; one that is not found is a transport error', async () => {
    const lookup = async (host: string) => {
      if (host !== 'pbx.example') throw new Error('no such host');
      return ['10.0.0.2'];
    };
    const w = await world({ agent: { lookup } });
    call(w, { uri: 'sip:x@pbx.example' });
    const end = endOf(call(w, { uri: 'sip:x@elsewhere.example' }));
    await w.settle();
    expect(w.peer.methods).toEqual(['INVITE']);
    expect(end.reason).toMatchObject({ cause: 'transport-error' });
  });

  test('destination overrides the URI', async () => {
    const w = await world();
    call(w, { uri: 'sip:+353@carrier.example', destination: { address: '10.0.0.2', port: 5060 } });
    await w.settle();
    expect(w.peer.lastRequest('INVITE').uri).toBe('sip:+353@carrier.example');
  });

  test('an address that is none is refused at once', async () => {
    const w = await world();
    expect(() => call(w, { from: 'not an address' })).toThrow(TypeError);
    expect(w.agent.census()).toEqual(EMPTY);
  });
});

describe('cancelling', () => {
  test('after a provisional response: CANCEL at once', async () => {
    const w = await world();
    const outbound = call(w);
    const end = endOf(outbound);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    w.peer.respond(invite, 180);
    await w.settle();
    outbound.cancel();
    outbound.cancel();
    await w.settle();
    expect(end.reason).toMatchObject({ cause: 'local-cancel' });
    const cancel = w.peer.lastRequest('CANCEL');
    expect(w.peer.methods).toEqual(['INVITE', 'CANCEL']);
    for (const name of ['via', 'from', 'to', 'call-id']) {
      expect(cancel.headers.get(name)).toBe(invite.headers.get(name));
    }
    expect(cancel.headers.get('cseq')).toBe('1 CANCEL');
    w.peer.respond(cancel, 200);
    w.peer.respond(invite, 487);
    await w.settle();
    expect(w.peer.methods.at(-1)).toBe('ACK');
    await leavesNothing(w);
  });

  test('before one: held back until it comes (§9.1)', async () => {
    const w = await world();
    const outbound = call(w);
    await w.settle();
    outbound.cancel();
    await w.settle();
    expect(w.peer.methods).toEqual(['INVITE']);
    w.peer.respond(w.peer.lastRequest('INVITE'), 100);
    await w.settle();
    expect(w.peer.methods).toEqual(['INVITE', 'CANCEL']);
  });

  test('a 200 that comes late is acknowledged and ended with BYE', async () => {
    const w = await world();
    const outbound = call(w);
    const end = endOf(outbound);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    w.peer.respond(invite, 180);
    await w.settle();
    outbound.cancel();
    w.peer.respond(invite, 200);
    await w.settle();
    expect(w.peer.methods).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE']);
    w.peer.respond(w.peer.lastRequest('CANCEL'), 200);
    w.peer.respond(w.peer.lastRequest('BYE'), 200);
    expect(end.reason).toMatchObject({ cause: 'local-cancel' });
    await leavesNothing(w);
  });

  test('an INVITE whose CANCEL leads to nothing is given up', async () => {
    const w = await world();
    const outbound = call(w);
    await w.settle();
    w.peer.respond(w.peer.lastRequest('INVITE'), 180);
    await w.settle();
    outbound.cancel();
    await leavesNothing(w);
  });
});

describe('forking', () => {
  test('early dialogs per tag; the second 200 is acknowledged and ended with BYE', async () => {
    const w = await world();
    const outbound = call(w);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    w.peer.respond(invite, 180, { toTag: 'one' });
    w.peer.respond(invite, 180, { toTag: 'two' });
    await w.settle();
    expect(w.agent.census().dialogs).toBe(2);
    const ourTag = tagOf(invite.headers.get('from') ?? '');
    w.peer.request('INFO', { callId: outbound.callId, fromTag: 'one', toTag: ourTag });
    await w.settle();
    expect(w.peer.statuses).toEqual([200]);
    w.peer.respond(invite, 200, { toTag: 'one' });
    w.peer.respond(invite, 200, { toTag: 'two' });
    await w.settle();
    const { dialog } = await outbound.answered;
    expect(dialog.remoteTag).toBe('one');
    expect(w.peer.methods).toEqual(['INVITE', 'ACK', 'ACK', 'BYE']);
    expect(tagOf(w.peer.lastRequest('BYE').headers.get('to') ?? '')).toBe('two');
    w.peer.respond(w.peer.lastRequest('BYE'), 200);
    await w.settle();
    expect(w.agent.census().dialogs).toBe(1);
    expect(dialog.ended.aborted).toBe(false);
  });

  test('early dialogs end with the INVITE', async () => {
    const w = await world();
    call(w);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    w.peer.respond(invite, 180, { toTag: 'one' });
    w.peer.respond(invite, 404, { toTag: 'one' });
    await w.settle();
    expect(w.agent.census().dialogs).toBe(0);
  });
});

describe('a challenge', () => {
  const credentials = { username: 'ann', password: 'secret' };
  const subjectOf = (w: World, name: string) => {
    const claimed = parseCredentials(w.peer.lastRequest('INVITE').headers.get(name) ?? '');
    if (!claimed) throw new Error('no credentials');
    return claimed;
  };

  test.each([
    [401, 'WWW-Authenticate', 'authorization'],
    [407, 'Proxy-Authenticate', 'proxy-authorization'],
  ])('%i is answered once, in a new transaction', async (status, challenge, answer) => {
    const w = await world();
    const outbound = call(w, { credentials });
    await w.settle();
    const headers = { [challenge]: makeChallenges('example.com', 'n0nce') };
    w.peer.respond(w.peer.lastRequest('INVITE'), status, { headers });
    await w.settle();
    expect(w.peer.methods).toEqual(['INVITE', 'ACK', 'INVITE']);
    const again = w.peer.lastRequest('INVITE');
    expect(again.headers.get('cseq')).toBe('2 INVITE');
    expect(again.headers.get('call-id')).toBe(outbound.callId);
    const claimed = subjectOf(w, answer);
    expect(claimed).toMatchObject({ username: 'ann', algorithm: 'SHA-256', uri: 'sip:callee@10.0.0.2' });
    expect(verifyCredentials(claimed, passwordHash('SHA-256', credentials, 'example.com'), 'INVITE')).toBe(
      true,
    );
    w.peer.respond(again, 200);
    await w.settle();
    await outbound.answered;
    const ack = w.peer.lastRequest('ACK');
    expect(ack.headers.get('cseq')).toBe('2 ACK');
    expect(ack.headers.get(answer)).toBe(again.headers.get(answer)); // §13.2.2.4
  });

  test('refused twice, or without credentials, is a rejection', async () => {
    const w = await world();
    const end = endOf(call(w, { credentials }));
    await w.settle();
    const headers = { 'WWW-Authenticate': makeChallenges('example.com', 'n0nce') };
    w.peer.respond(w.peer.lastRequest('INVITE'), 401, { headers });
    await w.settle();
    w.peer.respond(w.peer.lastRequest('INVITE'), 401, { headers });
    await w.settle();
    expect(end.reason).toMatchObject({ cause: 'rejected', status: 401 });
    const without = endOf(call(w));
    await w.settle();
    w.peer.respond(w.peer.lastRequest('INVITE'), 401, { headers });
    await w.settle();
    expect(without.reason).toMatchObject({ cause: 'rejected', status: 401 });
    await leavesNothing(w);
  });

  test('of the BYE is answered too', async () => {
    const w = await world();
    const outbound = call(w, { credentials });
    await w.settle();
    w.peer.respond(w.peer.lastRequest('INVITE'), 200);
    await w.settle();
    const { dialog } = await outbound.answered;
    const bye = dialog.bye();
    await w.settle();
    const headers = { 'WWW-Authenticate': makeChallenges('example.com', 'n0nce') };
    w.peer.respond(w.peer.lastRequest('BYE'), 401, { headers });
    await w.settle();
    expect(w.peer.lastRequest('BYE').headers.get('cseq')).toBe('3 BYE');
    w.peer.respond(w.peer.lastRequest('BYE'), 200);
    await w.settle();
    expect(await bye).toBe(200);
    await leavesNothing(w);
  });
});

describe('losses', () => {
  test('a call between two agents survives a third of the datagrams lost', async () => {
    let n = 0;
    const w = await world({ network: { lose: () => n++ % 3 === 0 } });
    const other = createSipAgent({
      clock: w.clock,
      ids: new CountingIds(),
      logger: silentLogger,
      transports: w.network,
    });
    await other.listen({ transport: 'udp', host: '10.0.0.3', port: 5060, label: 'other' });
    other.onInvite = (invite) => {
      invite.respond(180);
      invite.accept(ANSWER);
    };
    for (let i = 0; i < 20; i++) {
      const outbound = call(w, { uri: 'sip:x@10.0.0.3' });
      const { dialog } = await w.clock.run(outbound.answered);
      expect(await w.clock.run(dialog.bye())).toBe(200);
      expect(reasonOf(dialog.ended)).toBe('local-bye');
    }
    await w.clock.advance(2 * LINGER);
    expect([w.agent.census(), other.census()]).toEqual([EMPTY, EMPTY]);
  });
});

describe('closing', () => {
  test('cancels what rings and settles every promise', async () => {
    const w = await world();
    const ringing = endOf(call(w));
    await w.settle();
    w.peer.respond(w.peer.lastRequest('INVITE'), 180);
    await w.settle();
    const unanswered = endOf(call(w));
    await w.agent.close();
    await w.settle();
    expect([ringing.reason?.cause, unanswered.reason?.cause]).toEqual(['closed', 'closed']);
    expect(w.peer.methods).toContain('CANCEL');
    expect(w.clock.pending).toBe(0);
  });
});
