import { describe, expect, test } from 'vitest';
import type { InviteOptions, OutboundInvite } from '../../../../src/sip/agent/port.ts';
import { tagOf } from '../../../../src/sip/message/name-addr.ts';
import { ANSWER, OFFER, Peer, type World, world } from './support.ts';

const call = (w: World, options: Partial<InviteOptions> = {}): OutboundInvite =>
  w.agent.invite({
    listener: w.listener,
    uri: 'sip:callee@10.0.0.2',
    from: '<sip:ann@example.com>',
    body: OFFER,
    ...options,
  });

const ACCIDENTS: readonly (readonly [what: string, headers: Readonly<Record<string, string>>])[] = [
  ['a line break', { 'X-A': 'a\r\nX-B: b' }],
  ['a lone LF', { 'X-A': 'a\nb' }],
  ['a NUL', { 'X-A': 'a\0b' }],
  ['a name with a colon', { 'X-A: 1\r\nX-B': 'b' }],
  ['a name with a space', { 'X A': 'b' }],
  ['no name', { '': 'b' }],
  ['the Call-ID', { 'call-id': 'other' }],
  ['the compact To', { t: '<sip:other@10.0.0.2>' }],
];

describe('where an INVITE goes', () => {
  test.each([
    ['sip:%2B353%20x%23@10.0.0.2', '10.0.0.2', 5060],
    ['sip:callee;phone-context=+1@10.0.0.2:5080;user=phone', '10.0.0.2', 5080],
    ['sip:[2001:db8::2]:5070', '2001:db8::2', 5070],
    ['sip:callee@pbx.example', '10.0.0.2', 5060],
    ['sip:callee@[2001:db8::2];transport=UDP', '2001:db8::2', 5060],
    ['sip:callee@pbx.example;maddr=10.0.0.9', '10.0.0.9', 5060],
  ])('%s: %s port %d, with the URI as given', async (uri, address, port) => {
    const w = await world({ agent: { lookup: async () => ['10.0.0.2', '10.0.0.4'] } });
    const there = new Peer(w.clock, 'udp');
    const peer =
      address === '10.0.0.2' && port === 5060 ? w.peer : await there.bind(w.network, { address, port });
    call(w, { uri });
    await w.settle();
    expect(peer.lastRequest('INVITE').uri).toBe(uri);
    expect(peer.lastRequest('INVITE').headers.get('to')).toBe(`<${uri}>`);
  });

  test('transport=tcp takes the owner’s TCP listener, and says so in Via and Contact', async () => {
    const w = await world();
    await w.agent.listen({ transport: 'tcp', host: '10.0.0.7', port: 5060, label: 'frankfurt' });
    const at = { transport: 'tcp', host: '10.0.0.1', port: 5062 } as const;
    const tcp = await w.agent.listen({ ...at, label: 'dublin' });
    const peer = await new Peer(w.clock, 'tcp').bind(w.network);
    const outbound = call(w, { uri: 'sip:callee@10.0.0.2;transport=tcp' });
    await w.settle();
    const { headers } = peer.lastRequest('INVITE');
    expect(headers.get('via')).toMatch(/^SIP\/2\.0\/TCP 10\.0\.0\.1:5062;/);
    expect(headers.get('contact')).toBe('<sip:10.0.0.1:5062;transport=tcp>');
    peer.respond(peer.lastRequest('INVITE'), 200, {
      headers: { Contact: '<sip:callee@10.0.0.2;transport=tcp>' },
    });
    await w.settle();
    expect((await outbound.answered).dialog.listener).toBe(tcp);
    expect(peer.methods).toEqual(['INVITE', 'ACK']);
  });

  test.each([
    'sips:callee@10.0.0.2',
    'sip:callee@10.0.0.2;transport=tls',
    'sip:callee@10.0.0.2;transport=sctp',
    'mailto:callee@example.com',
    'callee',
    'sip:a b@10.0.0.2',
    'sip:callee@10.0.0.2\r\nX-A: b',
  ])('nowhere: %s is a TypeError', async (uri) => {
    const w = await world();
    expect(() => call(w, { uri })).toThrow(TypeError);
    expect(w.agent.census()).toMatchObject({ clientTransactions: 0, timers: 0 });
  });

  test('a destination does not excuse a URI with a line break, but takes one that is no SIP URI', async () => {
    const w = await world();
    const destination = { address: '10.0.0.2', port: 5060 };
    expect(() => call(w, { uri: 'sip:x@y\r\nX-A: b', destination })).toThrow(TypeError);
    call(w, { uri: 'tel:+15550100', destination });
    await w.settle();
    expect(w.peer.lastRequest('INVITE').uri).toBe('tel:+15550100');
  });
});

describe('headers of an owner', () => {
  test('are sent as given, byte by byte, in order, and come instead of ours', async () => {
    const w = await world();
    const headers = {
      'X-lower_Case': ' a, "b"; c=%20 ',
      'User-to-User': '00ab;encoding=hex',
      'user-agent': 'Mine',
    };
    call(w, { headers });
    await w.settle();
    const { lines } = w.peer.lastRequest('INVITE').headers;
    const names = lines.map(({ name }) => name);
    expect(names.filter((name) => /^(x-|user-)/i.test(name))).toEqual(Object.keys(headers));
    expect(lines.find(({ name }) => name === 'X-lower_Case')?.value).toBe('a, "b"; c=%20');
  });

  test.each(ACCIDENTS)('with %s are a TypeError on every way out', async (_, headers) => {
    const w = await world();
    expect(() => call(w, { headers })).toThrow(TypeError);
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    const invite = w.invites[0];
    if (!invite) throw new Error('no INVITE');
    expect(() => invite.respond(183, { headers })).toThrow(TypeError);
    expect(() => invite.accept(ANSWER, { headers })).toThrow(TypeError);
    expect(w.peer.statuses).toEqual([100]);
    const dialog = invite.accept(ANSWER);
    await w.settle();
    w.peer.request('ACK', { toTag: invite.localTag });
    await expect(dialog.request('INFO', { headers })).rejects.toThrow(TypeError);
    await expect(dialog.bye(headers)).rejects.toThrow(TypeError);
    expect(dialog.ended.aborted).toBe(false);
    dialog.onRequest = () => ({ status: 202, headers });
    w.peer.request('REFER', { toTag: invite.localTag, cseq: 2 });
    await w.settle();
    expect([w.peer.statuses.at(-1), w.peer.methods]).toEqual([500, []]);
    expect(w.errors).toHaveLength(1);
  });

  test('cannot come in by From or To either', async () => {
    const w = await world();
    for (const address of ['"a\r\nX-A: b" <sip:x@y>', '<sip:x@y>\r\nX-A: b'])
      for (const name of ['from', 'to']) expect(() => call(w, { [name]: address })).toThrow(TypeError);
  });
});

describe('REFER and NOTIFY, in a caller’s and in a callee’s dialog', () => {
  const SIPFRAG = 'SIP/2.0 200 OK\r\n';
  const NOTIFY = {
    headers: { Event: 'refer', 'Subscription-State': 'terminated;reason=noresource' },
    body: SIPFRAG,
    contentType: 'message/sipfrag;version=2.0',
  };

  async function dialogs(side: 'caller' | 'callee') {
    const w = await world();
    if (side === 'callee') {
      const { dialog, toTag } = await w.answeredCall();
      return { w, dialog, parts: { toTag } };
    }
    const outbound = call(w);
    await w.settle();
    const invite = w.peer.lastRequest('INVITE');
    w.peer.respond(invite, 200);
    await w.settle();
    const { dialog } = await outbound.answered;
    const toTag = tagOf(invite.headers.get('from') ?? '');
    return { w, dialog, parts: { callId: outbound.callId, fromTag: 'callee', toTag } };
  }

  test.each(['caller', 'callee'] as const)('a %s takes a REFER and tells of it', async (side) => {
    const { w, dialog, parts } = await dialogs(side);
    const referred: (string | undefined)[] = [];
    dialog.onRequest = ({ headers }) => {
      referred.push(headers.get('refer-to'));
      return { status: 202 };
    };
    w.peer.request('REFER', { ...parts, cseq: 5, headers: { r: '<sip:new@10.0.0.3>' } });
    await w.settle();
    expect([referred, w.peer.statuses.at(-1)]).toEqual([['<sip:new@10.0.0.3>'], 202]);
    const told = dialog.request('NOTIFY', NOTIFY);
    await w.settle();
    const notify = w.peer.lastRequest('NOTIFY');
    expect(notify.body).toBe(SIPFRAG);
    const names = ['event', 'subscription-state', 'content-type'];
    expect(names.map((name) => notify.headers.get(name))).toEqual([
      'refer',
      'terminated;reason=noresource',
      'message/sipfrag;version=2.0',
    ]);
    w.peer.respond(notify, 200);
    await w.settle();
    expect((await told).status).toBe(200);
  });

  test.each(['caller', 'callee'] as const)('a %s sends a REFER and hears of it', async (side) => {
    const { w, dialog, parts } = await dialogs(side);
    const heard: string[] = [];
    dialog.onRequest = ({ method, body }) => {
      heard.push(`${method} ${body}`);
      return { status: 200 };
    };
    const accepted = dialog.request('REFER', { headers: { 'Refer-To': '<sip:new@10.0.0.3>' } });
    await w.settle();
    const refer = w.peer.lastRequest('REFER');
    expect(refer.headers.get('refer-to')).toBe('<sip:new@10.0.0.3>');
    w.peer.respond(refer, 202);
    w.peer.request('NOTIFY', { ...parts, cseq: 5, body: SIPFRAG, headers: NOTIFY.headers });
    await w.settle();
    expect((await accepted).status).toBe(202);
    expect([heard, w.peer.statuses.at(-1)]).toEqual([[`NOTIFY ${SIPFRAG}`], 200]);
  });

  test('without a handler both are 405, and the Allow leaves them out', async () => {
    const { w, parts } = await dialogs('caller');
    for (const [n, method] of ['REFER', 'NOTIFY'].entries()) {
      w.peer.request(method, { ...parts, cseq: 5 + n });
      await w.settle();
      expect(w.peer.lastResponse().status).toBe(405);
      expect(w.peer.lastResponse().headers.get('allow')?.split(', ')).not.toContain(method);
    }
  });
});
