import { describe, expect, test } from 'vitest';
import type { RequestReply, SipSource } from '../../../../src/sip/agent/port.ts';
import { LINGER, Peer, world } from './support.ts';

const EMPTY = { serverTransactions: 0, clientTransactions: 0, dialogs: 0, timers: 0, connections: 0 };

/** Answers when told to. */
function deferred() {
  let settle = { resolve: (_: RequestReply) => {}, reject: (_: Error) => {} };
  const reply = new Promise<RequestReply>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { reply, ...settle, resolve: (r: RequestReply) => settle.resolve(r) };
}

describe('a request outside of dialogs that is answered later', () => {
  test('the answer goes out once, and again when the request is repeated', async () => {
    const w = await world();
    const later = deferred();
    let asked = 0;
    w.agent.onRequest = () => {
      asked++;
      return later.reply;
    };
    const request = w.peer.request('REGISTER');
    await w.clock.advance(1_000);
    w.peer.send(request);
    await w.settle();
    expect([asked, w.peer.statuses]).toEqual([1, []]);
    later.resolve({ status: 403, phrase: 'Too Many Devices', headers: { 'X-Why': 'ten' } });
    await w.settle();
    w.peer.send(request);
    await w.settle();
    expect([asked, w.peer.statuses]).toEqual([1, [403, 403]]);
    expect(w.peer.lastResponse().phrase).toBe('Too Many Devices');
    expect(w.peer.lastResponse().headers.get('x-why')).toBe('ten');
    await w.clock.advance(LINGER);
    expect(w.agent.census()).toEqual(EMPTY);
  });

  test.each([
    ['rejects', (later: ReturnType<typeof deferred>) => later.reject(new Error('no store'))],
    [
      'cannot be sent',
      (later: ReturnType<typeof deferred>) => later.resolve({ status: 200, headers: { 'X-A': 'a\r\nb' } }),
    ],
  ])('one that %s is 500 and logged', async (_, act) => {
    const w = await world();
    const later = deferred();
    w.agent.onRequest = () => later.reply;
    w.peer.request('REGISTER');
    await w.settle();
    act(later);
    await w.settle();
    expect(w.peer.statuses).toEqual([500]);
    expect(w.errors).toHaveLength(1);
    await w.clock.advance(LINGER);
    expect(w.agent.census()).toEqual(EMPTY);
  });

  test('one that never comes holds nothing longer than the peer waits; one too late is not sent', async () => {
    const w = await world();
    const later = deferred();
    w.agent.onRequest = () => later.reply;
    w.peer.request('REGISTER');
    await w.clock.advance(32_100);
    expect(w.agent.census()).toEqual(EMPTY);
    later.resolve({ status: 200 });
    await w.clock.advance(LINGER);
    expect(w.peer.statuses).toEqual([]);
    expect(w.agent.census()).toEqual(EMPTY);
    // the table's count of open requests is right: new ones are taken
    w.agent.onRequest = () => ({ status: 200 });
    w.peer.request('REGISTER', { cseq: 2 });
    await w.settle();
    expect(w.peer.statuses).toEqual([200]);
  });

  test('an agent that closes leaves nothing behind', async () => {
    const w = await world();
    const later = deferred();
    w.agent.onRequest = () => later.reply;
    w.peer.request('REGISTER');
    await w.settle();
    await w.agent.close();
    later.resolve({ status: 200 });
    await w.settle();
    expect(w.agent.census()).toEqual(EMPTY);
    expect(w.errors).toEqual([]);
  });
});

test('a registrar’s extensions may be required of a REGISTER, and of nothing else', async () => {
  const w = await world();
  w.agent.onRequest = () => ({ status: 200 });
  w.peer.request('REGISTER', { headers: { Require: 'path, Outbound' } });
  w.peer.request('OPTIONS', { callId: 'two', headers: { Require: 'path' } });
  w.peer.request('REGISTER', { callId: 'three', headers: { Require: 'path, gruu' } });
  await w.settle();
  expect(w.peer.statuses).toEqual([200, 420, 420]);
  expect(w.peer.lastResponse().headers.get('unsupported')).toBe('gruu');
});

test('the owner hears of a connection that is over, and not of those it closes itself', async () => {
  const w = await world({ transport: 'tcp' });
  const seen: SipSource[] = [];
  const gone: SipSource[] = [];
  w.agent.onRequest = (_, source) => {
    seen.push(source);
    return { status: 200 };
  };
  w.agent.onDisconnected = (source) => gone.push(source);
  const other = await new Peer(w.clock, 'tcp').bind(w.network, { address: '10.0.0.9', port: 5060 });
  other.request('OPTIONS', { callId: 'other' });
  w.peer.request('OPTIONS');
  await w.settle();
  await other.close();
  expect(gone.map(({ address, port, listener }) => [address, port, listener])).toEqual([
    [seen[0]?.address, seen[0]?.port, w.listener],
  ]);
  await w.agent.close();
  expect(gone).toHaveLength(1);
});
