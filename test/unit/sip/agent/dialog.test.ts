import { describe, expect, test } from 'vitest';
import { CountingIds } from '../../../../src/core/ids.ts';
import { ANSWER, LINGER, OFFER, reasonOf, world } from './support.ts';

const CONTACT = { Contact: '<sip:caller@10.0.0.2:5060>' };

describe('a re-INVITE from the peer', () => {
  test('is answered by the owner, repeated until its ACK, and refreshes the target', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    const offers: (string | undefined)[] = [];
    dialog.onOffer = (offer) => {
      offers.push(offer);
      return { status: 200, body: ANSWER };
    };
    const moved = { Contact: '<sip:moved@10.0.0.2:5060>' };
    w.peer.request('INVITE', { toTag, cseq: 2, body: OFFER, headers: moved });
    await w.clock.advance(600);
    expect(offers).toEqual([OFFER]);
    expect(w.peer.statuses).toEqual([100, 200, 200, 200]);
    expect(w.peer.lastResponse().body).toBe(ANSWER);
    w.peer.request('ACK', { toTag, cseq: 2 });
    await w.clock.advance(10_000);
    expect(w.peer.statuses).toHaveLength(4);
    dialog.request('INFO').catch(() => {});
    await w.settle();
    expect(w.peer.lastRequest('INFO').uri).toBe('sip:moved@10.0.0.2:5060');
  });

  test('without an offer: the answer comes in the ACK', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    const answers: string[] = [];
    dialog.onOffer = (offer) => (offer === undefined ? { status: 200, body: OFFER } : { status: 488 });
    dialog.onAnswer = (answer) => answers.push(answer);
    w.peer.request('INVITE', { toTag, cseq: 2, headers: CONTACT });
    await w.settle();
    expect(w.peer.lastResponse().body).toBe(OFFER);
    w.peer.request('ACK', { toTag, cseq: 2, body: ANSWER });
    await w.settle();
    expect(answers).toEqual([ANSWER]);
  });

  test('without a handler is 488, with one that throws 500; the call goes on', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    w.peer.request('INVITE', { toTag, cseq: 2, body: OFFER, headers: CONTACT });
    await w.settle();
    expect(w.peer.statuses.at(-1)).toBe(488);
    dialog.onOffer = () => {
      throw new Error('broken');
    };
    w.peer.request('INVITE', { toTag, cseq: 3, body: OFFER, headers: CONTACT });
    await w.settle();
    expect(w.peer.statuses.at(-1)).toBe(500);
    expect([dialog.ended.aborted, w.errors.length]).toEqual([false, 1]);
  });

  test('whose ACK never comes ends the call (§14.2)', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    dialog.onOffer = () => ({ status: 200, body: ANSWER });
    w.peer.request('INVITE', { toTag, cseq: 2, body: OFFER, headers: CONTACT });
    await w.clock.advance(33_000);
    expect(reasonOf(dialog.ended)).toBe('no-ack');
    expect(w.peer.methods[0]).toBe('BYE');
  });

  test('while ours is unanswered is glare: 491', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    dialog.onOffer = () => ({ status: 200, body: ANSWER });
    dialog.reinvite(OFFER).catch(() => {});
    await w.settle();
    w.peer.request('INVITE', { toTag, cseq: 2, body: OFFER, headers: CONTACT });
    await w.settle();
    expect(w.peer.statuses.at(-1)).toBe(491);
  });
});

describe('our re-INVITE', () => {
  test('is acknowledged, again when the 200 repeats, and refreshes the target', async () => {
    const w = await world();
    const { dialog } = await w.answeredCall();
    const answer = dialog.reinvite(ANSWER);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    expect([invite.body, invite.headers.get('cseq')]).toEqual([ANSWER, '1 INVITE']);
    w.peer.respond(invite, 200, { headers: { Contact: '<sip:moved@10.0.0.2:5060>' }, body: OFFER });
    w.peer.respond(invite, 200, { headers: { Contact: '<sip:moved@10.0.0.2:5060>' }, body: OFFER });
    await w.settle();
    expect((await answer).body).toBe(OFFER);
    expect(w.peer.methods).toEqual(['INVITE', 'ACK', 'ACK']);
    expect(w.peer.lastRequest('ACK').uri).toBe('sip:moved@10.0.0.2:5060');
  });

  test('waits for the ACK of our 200', async () => {
    const w = await world();
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    const dialog = w.invites[0]?.accept(ANSWER);
    dialog?.reinvite(ANSWER).catch(() => {});
    await w.settle();
    expect(w.peer.methods).toEqual([]);
    w.peer.request('ACK', { toTag: w.invites[0]?.localTag });
    await w.settle();
    expect(w.peer.methods).toEqual(['INVITE']);
  });

  test('after glare is sent again within two seconds, as we did not choose the Call-ID (§14.1)', async () => {
    const ids = Object.assign(new CountingIds(), { uint32: () => 150 });
    const w = await world({ agent: { ids } });
    const { dialog } = await w.answeredCall();
    const answer = dialog.reinvite(ANSWER);
    await w.clock.advance(2);
    w.peer.respond(w.peer.lastRequest('INVITE'), 491);
    await w.clock.advance(1_490);
    expect(w.peer.methods).toEqual(['INVITE', 'ACK']);
    await w.clock.advance(20);
    expect(w.peer.methods).toEqual(['INVITE', 'ACK', 'INVITE']);
    w.peer.respond(w.peer.lastRequest('INVITE'), 200);
    await w.settle();
    expect((await answer).status).toBe(200);
  });

  test('two of them go one after the other', async () => {
    const w = await world();
    const { dialog } = await w.answeredCall();
    const both = Promise.all([dialog.reinvite('one'), dialog.reinvite('two')]);
    await w.settle();
    expect(w.peer.methods).toEqual(['INVITE']);
    w.peer.respond(w.peer.lastRequest('INVITE'), 488);
    await w.settle();
    expect(w.peer.lastRequest('INVITE').body).toBe('two');
    w.peer.respond(w.peer.lastRequest('INVITE'), 200);
    await w.settle();
    expect((await both).map((r) => r.status)).toEqual([488, 200]);
  });

  test('that nobody answers ends the call', async () => {
    const w = await world();
    const { dialog } = await w.answeredCall();
    const answer = dialog.reinvite(ANSWER);
    await w.clock.advance(LINGER);
    expect((await answer).status).toBe(408);
    expect(reasonOf(dialog.ended)).toBe('timeout');
    await w.clock.advance(LINGER);
    expect(w.agent.census()).toMatchObject({ clientTransactions: 0, dialogs: 0, timers: 0 });
  });

  test('in a dialog that ended is 481', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    w.peer.request('BYE', { toTag, cseq: 2 });
    await w.settle();
    expect((await dialog.reinvite(ANSWER)).status).toBe(481);
  });
});

describe('requests within a dialog', () => {
  test('INFO and OPTIONS are 200, others 405 or 501, without a handler', async () => {
    const w = await world();
    const { toTag } = await w.answeredCall();
    for (const [i, method] of ['INFO', 'OPTIONS', 'REFER', 'WIBBLE'].entries()) {
      w.peer.request(method, { toTag, cseq: 2 + i });
    }
    await w.settle();
    expect(w.peer.statuses.slice(2)).toEqual([200, 200, 405, 501]);
  });

  test('reach the handler, whose reply is sent; a broken one is 500', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    dialog.onRequest = (request) => {
      if (request.method === 'NOTIFY') throw new Error('broken');
      return { status: 202, headers: { 'X-Seen': request.method } };
    };
    w.peer.request('REFER', { toTag, cseq: 2 });
    w.peer.request('NOTIFY', { toTag, cseq: 3 });
    await w.settle();
    expect(w.peer.statuses.slice(2)).toEqual([202, 500]);
    expect(w.peer.lastResponse(202).headers.get('x-seen')).toBe('REFER');
  });

  test('UPDATE with an offer is the owner’s, without one a target refresh', async () => {
    const w = await world();
    const { dialog, toTag } = await w.answeredCall();
    dialog.onOffer = () => ({ status: 200, body: ANSWER });
    w.peer.request('UPDATE', { toTag, cseq: 2, body: OFFER, headers: CONTACT });
    await w.settle();
    expect([w.peer.lastResponse().status, w.peer.lastResponse().body]).toEqual([200, ANSWER]);
    w.peer.request('UPDATE', { toTag, cseq: 3, headers: { Contact: '<sip:new@10.0.0.2>' } });
    await w.settle();
    expect([w.peer.lastResponse().status, w.peer.lastResponse().body]).toEqual([200, '']);
    dialog.request('INFO').catch(() => {});
    await w.settle();
    expect(w.peer.lastRequest('INFO').uri).toBe('sip:new@10.0.0.2');
  });

  test('out of order are 500 (§12.2.2)', async () => {
    const w = await world();
    const { toTag } = await w.answeredCall();
    w.peer.request('INFO', { toTag, cseq: 7 });
    w.peer.request('INFO', { toTag, cseq: 6 });
    await w.settle();
    expect(w.peer.statuses.slice(2)).toEqual([200, 500]);
  });

  test('ours carry the route set, and 481 ends the dialog', async () => {
    const w = await world();
    const route = ['<sip:10.0.0.2;lr>', '<sip:10.0.0.9;lr>'];
    w.peer.request('INVITE', { body: OFFER, headers: { 'Record-Route': route } });
    await w.settle();
    const dialog = w.invites[0]?.accept(ANSWER);
    await w.settle();
    expect(w.peer.lastResponse(200).headers.all('record-route')).toEqual(route);
    w.peer.request('ACK', { toTag: w.invites[0]?.localTag });
    const response = dialog?.request('INFO', {
      body: 'x',
      contentType: 'text/plain',
      headers: { 'X-A': 'b' },
    });
    await w.settle();
    const info = w.peer.lastRequest('INFO');
    expect(info.headers.all('route')).toEqual(route);
    expect([info.body, info.headers.get('content-type'), info.headers.get('x-a')]).toEqual([
      'x',
      'text/plain',
      'b',
    ]);
    w.peer.respond(info, 481);
    await w.settle();
    expect((await response)?.status).toBe(481);
    expect(dialog && reasonOf(dialog.ended)).toBe('rejected');
  });

  test('over TCP ours use the connection the call came in on', async () => {
    const w = await world({ transport: 'tcp' });
    w.peer.request('INVITE', { body: OFFER, headers: { Contact: '<sip:x@10.255.255.1;transport=tcp>' } });
    await w.settle();
    const dialog = w.invites[0]?.accept(ANSWER);
    await w.settle();
    w.peer.request('ACK', { toTag: w.invites[0]?.localTag });
    dialog?.request('INFO').catch(() => {});
    await w.settle();
    expect(w.peer.methods).toEqual(['INFO']);
  });
});
