import { describe, expect, it } from 'vitest';
import { ACCOUNT, CHILD, FRANKFURT, NUMBER, OTHER_NUMBER, outboundJob, world } from './world.ts';

describe('a call to a number of ours', () => {
  it('comes back in at the edge it leaves from, although nobody is allowed in', async () => {
    const w = await world({ allow: '10.9.9.9' });
    await w.call({ number: NUMBER, edge: 'frankfurt', headers: { 'X-Secret': '1' } });
    const job = await w.job();
    expect(job).toMatchObject({
      direction: 'inbound',
      from: OTHER_NUMBER,
      to: NUMBER,
      accountSid: ACCOUNT,
      ingressEdge: 'frankfurt',
      callerName: null,
      sip: {
        requestUri: `sip:${NUMBER}@10.0.0.1:5062`,
        sourceIp: FRANKFURT.address,
        sourcePort: FRANKFURT.port,
        headers: {},
      },
      chain: { origin: CHILD, forwards: 69 },
    });
    expect(job.callSid).not.toBe(CHILD);
    expect(w.switchboard.live).toBe(2);
    w.claim(job.callSid, 1);
    await w.switchboard.handler.command(job.callSid, 1, { verb: 'answer' });
    await w.settle();
    expect(w.told.answered).toEqual([{}]);
    expect(w.relay.legs.map((leg) => leg.remote?.port)).toEqual([30_002, 30_000]);
    await w.switchboard.handler.command(job.callSid, 1, { verb: 'hangup' });
    await w.settle();
    expect(w.told.ends).toMatchObject([
      { callSid: job.callSid, cause: 'local-hangup' },
      { callSid: CHILD, cause: 'peer-hangup' },
    ]);
  });

  it('is refused by its own record, not by a diagnostic of the call that made it', async () => {
    const w = await world();
    await w.call({ number: NUMBER });
    const job = await w.job();
    w.claim(job.callSid, 1);
    await w.switchboard.handler.command(job.callSid, 1, { verb: 'reject', status: 404 });
    await w.settle();
    expect(w.told.ends[1]).toEqual({ callSid: CHILD, cause: 'rejected', sipStatus: 404 });
  });

  it('lets nobody else in who sends from another socket', async () => {
    const w = await world({ allow: '10.9.9.9' });
    await w.call({ number: NUMBER });
    await w.dial({ callId: 'strange' });
    expect(w.peer.statuses).toContain(403);
  });

  it.each([
    ['the worker hands the chain on', true],
    ['the edge finds it', false],
  ])('that dials itself comes to an end: %s', async (_how, handsOn) => {
    const w = await world();
    await w.dial();
    let made = 0;
    for (;;) {
      const { callSid, chain } = await w.job();
      w.claim(callSid, 1);
      const job = outboundJob({
        callSid: `CAf${made.toString(16).padStart(31, '0')}`,
        parentCallSid: callSid,
        ...(handsOn && chain ? { chain } : {}),
      });
      const answer = await w.call({ number: NUMBER, from: NUMBER, job });
      if ('notDialled' in answer) {
        expect(answer.notDialled).toMatchObject({ code: 32006, level: 'warning' });
        break;
      }
      made++;
      expect(made).toBeLessThan(100);
    }
    expect(made).toBe(32);
  });

  it('through somebody else’s equipment comes to an end, too: Max-Forwards goes down', async () => {
    const w = await world();
    await w.dial({ headers: { 'Max-Forwards': '2' } });
    const { callSid, chain } = await w.job();
    expect(chain).toEqual({ origin: callSid, forwards: 2 });
    await w.call({ job: outboundJob({ parentCallSid: callSid }) });
    expect(w.callee.request('INVITE').message.headers.get('Max-Forwards')).toBe('1');
    const next = outboundJob({ callSid: `CA${'e'.repeat(32)}`, chain: { origin: callSid, forwards: 1 } });
    expect(await w.call({ job: next })).toMatchObject({ notDialled: { code: 32006 } });
  });
});
