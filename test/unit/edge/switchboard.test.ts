import { beforeEach, describe, expect, it } from 'vitest';
import { RING_LIMIT_MS } from '../../../src/edge/inbound-call.ts';
import type { RouteLookup } from '../../../src/routing/port.ts';
import { tagOf } from '../../../src/sip/message/name-addr.ts';
import { OFFER } from '../sip/agent/support.ts';
import { ACCOUNT, DISPATCH_MS, GRACE_MS, NUMBER, WORKER, type World, world } from './world.ts';

describe('an INVITE that gets no call', () => {
  it.each([
    ['from an address that may not call', { allow: '10.9.9.9' }, {}, 403],
    ['to a number that is nobody’s', {}, { uri: 'sip:+12025559999@10.0.0.1' }, 404],
    ['to no number at all', {}, { uri: 'sip:alice@10.0.0.1' }, 404],
    ['to a SIP domain that does not exist', {}, { uri: 'sip:alice@acme.sip.trunkline.localhost' }, 404],
  ])('%s', async (_what, overrides, parts, status) => {
    const w = await world(overrides);
    await w.dial(parts);
    expect(w.peer.statuses).toEqual([status]); // once, and without a 100: its repetition is asked anew
    expect(w.agent.census()).toMatchObject({ serverTransactions: 0, dialogs: 0, timers: 0 });
    expect(w.storage.added).toEqual([]);
    expect(w.relay.legs).toEqual([]);
  });

  it('is refused with 503, never guessed, when the route table cannot be read', async () => {
    const lookup: RouteLookup = {
      lookup: async () => {
        throw new Error('Redis is away');
      },
      close: async () => {},
    };
    const w = await world({ lookup });
    await w.dial();
    expect(w.peer.statuses).toEqual([503]);
    expect(await w.calls.waiting()).toBe(0);
  });

  it('is refused with 503 while too many wait for a Region, also those that were cancelled meanwhile', async () => {
    const waiting: (() => void)[] = [];
    const lookup: RouteLookup = {
      lookup: (_, key) =>
        new Promise((_resolve, reject) => waiting.push(() => reject(new Error(`no answer for ${key}`)))),
      close: async () => {},
    };
    const w = await world({ lookup, mostAtOnce: 2 });
    const call = async (n: number) => {
      w.peer.heard.length = 0;
      await w.dial({ callId: `c${n}`, branch: `z9hG4bK${n}` });
      w.peer.request('CANCEL', { callId: `c${n}`, branch: `z9hG4bK${n}` });
      await w.settle();
      return w.peer.statuses;
    };
    expect([await call(1), await call(2), await call(3)]).toEqual([
      [200, 487],
      [200, 487],
      [503, 481],
    ]);
    expect(w.agent.census()).toMatchObject({ serverTransactions: 0, dialogs: 0, timers: 0 });
    for (const answer of waiting.splice(0)) answer();
    await w.settle();
    expect(await call(4)).toEqual([200, 487]);
  });

  it.each(['suspended', 'closed'] as const)('is refused with 603 when its account is %s', async (status) => {
    const w = await world();
    w.statuses.set(ACCOUNT, status);
    await w.dial();
    expect(w.peer.statuses).toEqual([603]);
    expect(await w.calls.waiting()).toBe(0);
  });

  it('is refused with 488 and recorded when there is no common codec', async () => {
    const w = await world();
    await w.dial({ body: OFFER.replace('RTP/AVP 0', 'RTP/AVP 18') });
    expect(w.peer.statuses).toEqual([100, 488]);
    expect(w.ends()).toMatchObject([{ status: 'failed', diagnostics: [{ code: 32102 }] }]);
    expect(w.relay.legs.every((leg) => leg.closed)).toBe(true);
    expect(w.switchboard.live).toBe(0);
  });

  it('is refused with 503 and recorded when its Region’s queue cannot be reached', async () => {
    const w = await world({ refuseJobs: true });
    await w.dial();
    expect(w.peer.statuses).toEqual([100, 180, 503]);
    expect(w.ends()).toMatchObject([{ status: 'failed' }]);
    expect(w.switchboard.live).toBe(0);
  });
});

it('refuses a call for a Region that does not run here, and gives no other Region its record', async () => {
  const lookup: RouteLookup = {
    lookup: async () => ({ region: 'au1', record: 'explicit', sid: null, ageMs: 0 }),
    close: async () => {},
  };
  const w = await world({ lookup });
  await w.dial();
  await w.clock.advance(5_000);
  // Repeated until it is acknowledged, which this peer does not do.
  expect([...new Set(w.peer.statuses)]).toEqual([100, 180, 503]);
  expect(w.storage.added).toEqual([]);
  expect(w.dispatch.pending).toBe(0);
});

describe('a call that no worker has', () => {
  let w: World;
  beforeEach(async () => {
    w = await world();
    await w.dial();
  });

  it('gets 503 and a record after the dispatch timeout, and its job is withdrawn', async () => {
    expect(w.peer.statuses).toEqual([100, 180]);
    await w.clock.advance(DISPATCH_MS);
    expect(w.peer.statuses).toEqual([100, 180, 503]);
    expect(w.ends()).toMatchObject([{ status: 'failed', cause: expect.stringContaining('within 10 s') }]);
    expect(await w.calls.waiting()).toBe(0);
    expect(w.relay.legs[0]?.closed).toBe(true);
    expect(w.switchboard.live).toBe(0);
  });

  it('ends as no-answer when the caller gives up', async () => {
    const invite = w.peer.heard.length;
    expect(invite).toBe(2);
    const branch =
      w.peer
        .lastResponse(180)
        .headers.get('Via')
        ?.match(/branch=([^;]+)/)?.[1] ?? '';
    w.peer.request('CANCEL', { uri: `sip:${NUMBER}@10.0.0.1`, branch });
    await w.clock.advance(20);
    expect(w.peer.statuses).toContain(487);
    expect(w.ends()).toMatchObject([{ status: 'no-answer', cause: expect.stringContaining('gave up') }]);
    expect(await w.calls.waiting()).toBe(0);
  });

  it('is granted once, to its Region, in its epoch', async () => {
    const { callSid, epoch } = await w.job();
    const claim = { callSid, worker: 'w1', media: WORKER };
    const link = { worker: 'w1', region: 'ie1' as const, remote: '' };
    expect(w.switchboard.handler.claim({ ...claim, epoch, region: 'ie1' }, link)).toEqual({
      refused: 'wrong-region',
    });
    expect(w.claim(callSid, 0)).toEqual({ refused: 'superseded' });
    expect(w.claim('CA-unknown', 1)).toEqual({ refused: 'gone' });
    expect(w.claim(callSid, epoch)).toMatchObject({ granted: { leg: { state: 'ringing' } } });
    expect(w.claim(callSid, epoch, 'w2')).toEqual({ refused: 'taken' });
    expect(w.relay.legs[0]?.attached).toEqual(WORKER);
  });
});

describe('a call in the hands of a worker', () => {
  let w: World;
  let callSid: string;
  beforeEach(async () => {
    w = await world();
    await w.dial();
    callSid = (await w.job()).callSid;
    w.claim(callSid, 1);
  });

  async function answered(): Promise<string> {
    await w.switchboard.handler.command(callSid, 1, { verb: 'answer' });
    await w.clock.advance(20);
    const ok = w.peer.lastResponse(200);
    const toTag = tagOf(ok.headers.get('To') ?? '') ?? '';
    w.peer.request('ACK', { toTag });
    await w.clock.advance(20);
    return toTag;
  }

  it('is answered, held, resumed and ended by the peer', async () => {
    const toTag = await answered();
    expect(w.relay.legs[0]?.direction).toBe('sendrecv');
    w.peer.request('INVITE', { toTag, cseq: 2, body: `${OFFER}a=sendonly\r\n` });
    await w.clock.advance(20);
    expect(w.peer.lastResponse(200).body).toContain('a=recvonly');
    w.peer.request('ACK', { toTag, cseq: 2 });
    expect(w.relay.legs[0]?.direction).toBe('recvonly');
    w.peer.request('INVITE', { toTag, cseq: 3, body: OFFER.replace('RTP/AVP 0', 'RTP/AVP 8') });
    await w.clock.advance(20);
    w.peer.request('ACK', { toTag, cseq: 3 });
    expect(w.told.formats).toMatchObject([{ codec: 'PCMA' }]);
    w.peer.request('BYE', { toTag, cseq: 4 });
    await w.clock.advance(20);
    expect(w.told.ended).toEqual([[1, 'peer-hangup']]);
    w.switchboard.handler.release(callSid, 1);
    expect(w.switchboard.live).toBe(0);
    expect(w.ends()).toEqual([]); // the worker writes the record
  });

  it('is ended as one whose caller gave up when it has rung for longer than any Dial', async () => {
    await w.clock.advance(RING_LIMIT_MS - 1_000);
    expect(w.told.ended).toEqual([]);
    await w.clock.advance(1_000);
    expect(w.told.ends).toMatchObject([{ cause: 'peer-cancelled', sipStatus: 480 }]);
    expect(w.peer.statuses).toContain(480);
    expect(w.relay.legs[0]?.closed).toBe(true);
  });

  it('is not ended for having rung once it is answered', async () => {
    await answered();
    await w.clock.advance(RING_LIMIT_MS + 1_000);
    expect(w.told.ended).toEqual([]);
  });

  it('hears what is played before the answer, once', async () => {
    await w.switchboard.handler.command(callSid, 1, { verb: 'progress' });
    await w.switchboard.handler.command(callSid, 1, { verb: 'progress' });
    await w.settle();
    expect(w.peer.statuses).toEqual([100, 180, 183]);
    expect(w.peer.lastResponse(183).headers.get('Content-Type')).toBe('application/sdp');
    expect(w.peer.lastResponse(183).body).toContain('m=audio 30000');
    expect(w.relay.legs[0]).toMatchObject({ remote: { port: 4000 }, direction: 'sendrecv' });
    w.relay.legs[0]?.onSilent?.(); // a caller that waits may well be silent
    expect(w.told.ended).toEqual([]);
  });

  it('hands on the X- headers of the BYE that ended it', async () => {
    const toTag = await answered();
    const headers = { 'X-Reason': Buffer.from('später', 'utf8').toString('latin1'), Subject: 'no' };
    w.peer.request('BYE', { toTag, cseq: 2, headers });
    await w.settle();
    expect(w.told.ends).toMatchObject([{ cause: 'peer-hangup', headers: { 'X-Reason': 'später' } }]);
  });

  it('is referred, and told how that goes', async () => {
    const toTag = await answered();
    const asked = w.switchboard.handler.command(callSid, 1, {
      verb: 'refer',
      to: 'sip:carol@10.0.0.9?X-A=1',
    });
    await w.settle();
    const refer = w.peer.lastRequest('REFER');
    expect(refer.headers.get('Refer-To')).toBe('<sip:carol@10.0.0.9?X-A=1>');
    w.peer.respond(refer, 202);
    await w.settle();
    expect(await asked).toEqual({ status: 202 });
    const notify = (cseq: number, line: string, state: string) =>
      w.peer.request('NOTIFY', {
        toTag,
        cseq,
        headers: { Event: 'refer', 'Subscription-State': state },
        body: line,
      });
    notify(5, 'SIP/2.0 100 Trying\r\n', 'active;expires=60');
    await w.settle();
    notify(6, 'SIP/2.0 486 Busy Here\r\n', 'terminated;reason=noresource');
    await w.settle();
    expect(w.told.referred).toEqual([
      [100, false],
      [486, true],
    ]);
  });

  it('refuses to be referred to what is no SIP URI', async () => {
    await answered();
    const asked = w.switchboard.handler.command(callSid, 1, { verb: 'refer', to: 'sip:a b@c>' });
    await expect(asked).rejects.toThrow(/no SIP URI/);
  });

  it('is refused with the status the worker names', async () => {
    await w.switchboard.handler.command(callSid, 1, { verb: 'reject', status: 486 });
    await w.clock.advance(20);
    expect(w.peer.statuses).toEqual([100, 180, 486]);
  });

  it('obeys no older epoch and nobody after its end', async () => {
    await expect(w.switchboard.handler.command(callSid, 0, { verb: 'answer' })).rejects.toThrow(/epoch 0/);
    await w.switchboard.handler.command(callSid, 1, { verb: 'hangup' });
    await expect(w.switchboard.handler.command(callSid, 1, { verb: 'answer' })).rejects.toThrow(/has ended/);
  });

  it('is offered again with the next epoch when its worker is lost, still answered', async () => {
    await answered();
    w.switchboard.handler.lost('w1', [callSid]);
    expect(w.relay.legs[0]?.attached).toBeUndefined();
    await w.clock.advance(GRACE_MS);
    expect(await w.job()).toMatchObject({ callSid, epoch: 2 });
    expect(w.claim(callSid, 1, 'w1')).toEqual({ refused: 'superseded' });
    expect(w.claim(callSid, 2, 'w2')).toMatchObject({ granted: { leg: { state: 'answered' } } });
    await expect(w.switchboard.handler.command(callSid, 1, { verb: 'hangup' })).rejects.toThrow(/epoch 1/);
  });

  it('is hung up on and recorded when nobody takes it over', async () => {
    await answered();
    w.switchboard.handler.lost('w1', [callSid]);
    await w.clock.advance(GRACE_MS + DISPATCH_MS + 20);
    expect(w.peer.methods).toEqual(['BYE']);
    expect(w.ends()).toMatchObject([
      { status: 'completed', job: { epoch: 2 }, cause: expect.stringContaining('no other took it over') },
    ]);
    expect(w.switchboard.live).toBe(0);
  });

  it('is recorded when its worker is lost after the leg had ended', async () => {
    const toTag = await answered();
    w.peer.request('BYE', { toTag, cseq: 2 });
    await w.clock.advance(20);
    w.switchboard.handler.lost('w1', [callSid]);
    expect(w.ends()).toMatchObject([{ status: 'completed' }]);
    expect(w.switchboard.live).toBe(0);
  });

  it('is ended when the edge stops, and the edge waits for it first', async () => {
    await answered();
    const deadline = new AbortController();
    const drained = w.switchboard.drain(deadline.signal);
    await w.dial({ callId: 'another', fromTag: 'b' });
    expect(w.peer.statuses.at(-1)).toBe(503);
    deadline.abort();
    await drained;
    await w.clock.advance(20);
    expect(w.peer.methods).toContain('BYE');
    expect(w.told.ended).toEqual([[1, 'shutdown']]);
  });
});

it('notes a host that names another edge than the one it arrived at', async () => {
  const w = await world();
  await w.dial({ uri: `sip:${NUMBER}@sip.sydney.twilio.com` });
  const job = await w.job();
  expect(job).toMatchObject({ ingressEdge: 'dublin', region: 'us1', route: { record: 'default' } });
  expect(job.notes).toEqual([expect.stringContaining('sydney')]);
});
