import { describe, expect, test } from 'vitest';
import { CountingIds } from '../../../../src/core/ids.ts';
import type { InboundInvite } from '../../../../src/sip/agent/port.ts';
import { tagOf } from '../../../../src/sip/message/name-addr.ts';
import { ANSWER, OFFER, reasonOf, type World, world } from './support.ts';

const EMPTY = { serverTransactions: 0, clientTransactions: 0, dialogs: 0, timers: 0, connections: 0 };
const CHALLENGE = { headers: { 'Proxy-Authenticate': 'Digest realm="x"' }, stateless: true } as const;

/** An owner that decides about each INVITE before it is told anything. */
async function screening(
  act: (invite: InboundInvite) => void = () => {},
  ids = new CountingIds(),
): Promise<World> {
  const w = await world({ agent: { ids } });
  w.agent.screens = true;
  w.agent.onInvite = (invite) => {
    w.invites.push(invite);
    act(invite);
  };
  return w;
}

const tags = ({ peer }: World) => peer.heard.map(({ headers }) => tagOf(headers.get('to') ?? ''));

describe('an INVITE that is screened', () => {
  test('a thousand challenges leave no transaction, no dialog, no timer; their ACKs are absorbed', async () => {
    const w = await screening((invite) => invite.respond(407, CHALLENGE));
    for (let n = 0; n < 1_000; n++)
      w.peer.request('INVITE', { body: OFFER, callId: `c${n}`, branch: `z9hG4bK${n}` });
    await w.settle();
    expect(w.peer.statuses).toEqual(Array.from({ length: 1_000 }, () => 407));
    expect(w.agent.census()).toEqual(EMPTY);
    expect(new Set(tags(w)).size).toBe(1_000);
    for (const [n, toTag] of tags(w).entries())
      w.peer.request('ACK', { callId: `c${n}`, branch: `z9hG4bK${n}`, toTag });
    await w.clock.advance(40_000);
    expect(w.peer.heard).toHaveLength(1_000);
    expect(w.agent.census()).toEqual(EMPTY);
    expect(w.errors).toEqual([]);
  });

  test('is told nothing until it is taken, and challenged again with the same To tag when it is repeated', async () => {
    const w = await screening();
    const invite = w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    w.peer.send(invite);
    await w.settle();
    expect([w.peer.statuses, w.invites.length]).toEqual([[], 1]); // one is enough to decide
    w.invites[0]?.respond(407, CHALLENGE);
    expect(w.invites[0] && reasonOf(w.invites[0].ended)).toBe('refused');
    await w.clock.advance(40_000);
    expect(w.peer.statuses).toEqual([407]);
    w.peer.send(invite);
    await w.settle();
    w.invites[1]?.respond(407, CHALLENGE);
    await w.settle();
    expect(w.peer.statuses).toEqual([407, 407]);
    expect(w.peer.heard[0]).toEqual(w.peer.heard[1]);
    expect(w.peer.lastResponse().headers.get('proxy-authenticate')).toBe('Digest realm="x"');
    expect(w.agent.census()).toEqual(EMPTY);
  });

  test('gets a tag that only this process can foretell', async () => {
    const of = async (first: number) => {
      const w = await screening((invite) => invite.respond(407, CHALLENGE), new CountingIds(first));
      w.peer.request('INVITE', { body: OFFER, branch: 'z9hG4bKsame' });
      await w.settle();
      return tags(w)[0];
    };
    const [one, same, other] = [await of(1), await of(1), await of(1_000)];
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect([same === one, other === one]).toEqual([true, false]);
  });

  test('that is taken has its 100, and a refusal from then on is repeated until its ACK', async () => {
    const w = await screening();
    const invite = w.peer.request('INVITE', { body: OFFER, branch: 'z9hG4bKt' });
    await w.settle();
    w.invites[0]?.trying();
    w.invites[0]?.trying();
    w.peer.send(invite);
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 100]);
    w.invites[0]?.respond(403, { stateless: true });
    await w.clock.advance(600);
    expect(w.peer.statuses).toEqual([100, 100, 403, 403]);
    w.peer.request('ACK', { branch: 'z9hG4bKt', toTag: w.invites[0]?.localTag });
    await w.clock.advance(40_000);
    expect(w.peer.statuses).toHaveLength(4);
    expect(w.agent.census()).toEqual(EMPTY);
  });

  test('is accepted without a 100 before', async () => {
    const w = await screening((invite) => invite.accept(ANSWER));
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    expect(w.peer.statuses).toEqual([200]);
  });

  test('and cancelled meanwhile is over at once, and leaves nothing', async () => {
    const w = await screening();
    w.peer.request('INVITE', { body: OFFER, branch: 'z9hG4bKc' });
    const cancel = w.peer.request('CANCEL', { branch: 'z9hG4bKc' });
    await w.settle();
    expect(w.peer.statuses).toEqual([200, 487]);
    expect(new Set(tags(w)).size).toBe(1); // RFC 3261 §9.2
    expect(w.invites[0] && reasonOf(w.invites[0].ended)).toBe('cancel');
    w.invites[0]?.trying();
    w.invites[0]?.respond(407, CHALLENGE);
    expect(w.agent.census()).toEqual(EMPTY);
    w.peer.send(cancel);
    await w.clock.advance(40_000);
    expect(w.peer.statuses).toEqual([200, 487, 481]);
  });
});

describe('what is refused before anybody is asked', () => {
  test.each([
    ['INVITE', { headers: { 'Max-Forwards': '0' } }, 483],
    ['INVITE', { uri: 'http://example.com/' }, 416],
    ['INVITE', { toTag: 'unknown' }, 481],
    ['BYE', {}, 481],
    ['CANCEL', {}, 481],
    ['OPTIONS', {}, 200],
    ['REGISTER', {}, 405],
    ['WIBBLE', {}, 501],
  ] as const)('%s %o: %i, as often as it comes, and nothing is kept', async (method, parts, status) => {
    const w = await world();
    const request = w.peer.request(method, { ...(method === 'INVITE' ? { body: OFFER } : {}), ...parts });
    await w.settle();
    expect(w.agent.census()).toEqual(EMPTY);
    w.peer.send(request);
    await w.settle();
    expect(w.peer.statuses).toEqual([status, status]);
    expect(w.peer.heard[0]).toEqual(w.peer.heard[1]);
    await w.clock.advance(40_000);
    expect(w.peer.statuses).toHaveLength(2);
  });

  test('an INVITE for an agent that stops or has no owner, too', async () => {
    const w = await world();
    w.agent.drain();
    w.peer.request('INVITE', { body: OFFER });
    await w.settle();
    expect(w.peer.statuses).toEqual([503]);
    expect(w.agent.census()).toEqual(EMPTY);
  });
});

test('a challenge of REGISTER keeps nothing, its 200 is kept for repetitions', async () => {
  const w = await world();
  let asked = 0;
  w.agent.onRequest = async ({ headers }) => {
    asked++;
    return headers.has('authorization') ? { status: 200 } : { status: 401, stateless: true };
  };
  const first = w.peer.request('REGISTER', { callId: 'r' });
  await w.settle();
  expect(w.agent.census()).toEqual(EMPTY);
  w.peer.send(first);
  await w.settle();
  expect([asked, w.peer.statuses]).toEqual([2, [401, 401]]);
  expect(w.peer.heard[0]).toEqual(w.peer.heard[1]);
  const second = w.peer.request('REGISTER', { callId: 'r', cseq: 2, headers: { Authorization: 'yes' } });
  await w.settle();
  w.peer.send(second);
  await w.settle();
  expect([asked, w.peer.statuses]).toEqual([3, [401, 401, 200, 200]]);
  expect(w.agent.census()).toMatchObject({ serverTransactions: 1 });
});
