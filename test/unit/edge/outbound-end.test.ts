import { beforeEach, describe, expect, it } from 'vitest';
import { sdp } from './callee.ts';
import { ACCOUNT, answered, CHILD, nothingIsLeft, outboundJob, type World, world } from './world.ts';

describe('hanging up', () => {
  let w: World;
  beforeEach(async () => {
    w = await world();
    await w.call();
  });
  const hangUp = () => w.switchboard.handler.command(CHILD, 1, { verb: 'hangup' });
  const ended = () => expect(w.told.ended).toEqual([[1, 'local-hangup']]);

  it('before anything was heard: CANCEL waits for the first response', async () => {
    await hangUp();
    await w.settle();
    expect(w.callee.methods).toEqual(['INVITE']);
    ended();
    expect(w.told.ends).toMatchObject([{ sipStatus: 487 }]);
    w.callee.respond(180);
    await w.settle();
    expect(w.callee.methods.at(-1)).toBe('CANCEL');
    w.callee.respond(487);
    await w.settle();
    ended();
    await nothingIsLeft(w);
  });

  it('while it rings: CANCEL; a 200 that crosses it is acknowledged and hung up on', async () => {
    w.callee.respond(180);
    await w.settle();
    await hangUp();
    w.callee.respond(200, { body: sdp() });
    await w.settle();
    expect(w.callee.methods.slice(1)).toEqual(expect.arrayContaining(['CANCEL', 'ACK', 'BYE']));
    expect(w.told.answered).toEqual([]);
    ended();
    w.callee.respond(200, {}, 'BYE');
    await nothingIsLeft(w);
  });

  it('while a refusal is on its way: one end', async () => {
    w.callee.respond(180);
    await w.settle();
    w.callee.respond(486);
    await hangUp();
    await w.settle();
    ended();
    await nothingIsLeft(w);
  });

  it('after the answer: BYE; one that crosses it is answered', async () => {
    await answered(w);
    await hangUp();
    w.callee.say('BYE');
    await w.settle();
    expect(w.callee.methods.at(-1)).toBe('BYE');
    expect(w.callee.response.status).toBe(200);
    w.callee.respond(200, {}, 'BYE');
    ended();
    await nothingIsLeft(w);
  });

  it('after its end is refused', async () => {
    w.callee.respond(486);
    await w.settle();
    await expect(hangUp()).rejects.toThrow(/has ended/);
  });

  it.each([
    ['with a signal to come', async () => {}, ['INVITE'], 'canceled'],
    [
      'while it rings',
      async () => {
        w.callee.respond(180);
        await w.settle();
      },
      ['INVITE', 'CANCEL'],
      'canceled',
    ],
    ['after the answer', async () => answered(w), ['INVITE', 'ACK', 'BYE'], 'completed'],
    [
      'after its end',
      async () => {
        w.callee.respond(486);
        await w.settle();
      },
      ['INVITE', 'ACK'],
      'busy',
    ],
  ])('because the worker is lost: the Region is told, %s', async (_when, before, methods, status) => {
    await before();
    w.switchboard.handler.lost('w2', [CHILD]);
    expect(w.switchboard.live).toBe(1);
    w.switchboard.handler.lost('w1', [CHILD]);
    w.switchboard.handler.lost('w1', [CHILD]);
    await w.settle();
    expect(w.callee.methods).toEqual(methods);
    expect(w.ends()).toMatchObject([
      {
        job: { callSid: CHILD, direction: 'outbound-dial', epoch: 1 },
        status,
        cause: expect.stringContaining('worker w1'),
      },
    ]);
    expect(w.switchboard.live).toBe(0);
  });

  it('because the edge stops, which waits for it first', async () => {
    await answered(w);
    const deadline = new AbortController();
    const drained = w.switchboard.drain(deadline.signal);
    const other = `CA${'e'.repeat(32)}`;
    expect(await w.call({ job: outboundJob({ callSid: other }) })).toMatchObject({
      notDialled: { code: 20503 },
    });
    await w.call({ job: outboundJob({ callSid: other, parentCallSid: CHILD }) }); // for a call that lives on
    expect(w.switchboard.live).toBe(2);
    deadline.abort();
    await drained;
    await w.settle();
    expect(w.callee.methods).toContain('BYE');
    expect(w.told.ended).toEqual([
      [1, 'shutdown'],
      [1, 'shutdown'],
    ]);
  });

  it('because the worker is done with it', async () => {
    await answered(w);
    w.switchboard.handler.release(CHILD, 1);
    await w.settle();
    expect(w.callee.methods.at(-1)).toBe('BYE');
    expect(w.switchboard.live).toBe(0);
    expect(w.ends()).toEqual([]);
  });
});

describe('a worker that goes while its call is being placed', () => {
  it.each([
    ['lost', 1],
    ['released', 0],
  ] as const)('%s: nobody is called', async (how, records) => {
    const w = await world();
    const placed = w.call();
    if (how === 'lost') w.switchboard.handler.lost('w1', [CHILD]);
    else w.switchboard.handler.release(CHILD, 1);
    expect(await placed).toMatchObject({ notDialled: { code: 20503 } });
    await w.settle();
    expect(w.callee.heard).toEqual([]);
    expect(w.ends()).toHaveLength(records);
    expect(await w.relay.census()).toMatchObject({ legs: 0 });
    expect(w.switchboard.live).toBe(0);
  });
});

describe('a bridge', () => {
  it('joins a call that came in and one that was made, for the worker that holds both', async () => {
    const w = await world();
    await w.dial();
    const { callSid } = await w.job();
    w.claim(callSid, 1);
    await w.call({ job: outboundJob({ parentCallSid: callSid }) });
    const command = w.switchboard.handler.command;
    await command(callSid, 1, { verb: 'bridge', with: CHILD });
    expect(w.relay.legs[0]?.bridgedWith).toBe(w.relay.legs[1]);
    await command(CHILD, 1, { verb: 'unbridge' });
    await expect(command(CHILD, 1, { verb: 'bridge', with: CHILD })).rejects.toThrow(/no other live call/);
    await expect(command(CHILD, 1, { verb: 'bridge', with: 'CA0' })).rejects.toThrow(/no other live call/);
  });

  it('is not made with a call of another worker', async () => {
    const w = await world();
    await w.dial();
    const { callSid } = await w.job();
    w.claim(callSid, 1, 'w2');
    await w.call();
    const bridge = w.switchboard.handler.command(CHILD, 1, { verb: 'bridge', with: callSid });
    await expect(bridge).rejects.toThrow(/no other live call/);
  });

  it('or an answer is no command to a call that we make', async () => {
    const w = await world();
    await w.call();
    await expect(w.switchboard.handler.command(CHILD, 1, { verb: 'answer' })).rejects.toThrow(/we made/);
  });
});

describe('a call for an account that is not active', () => {
  it.each(['suspended', 'closed'] as const)('%s: nobody is called', async (status) => {
    const w = await world();
    w.statuses.set(ACCOUNT, status);
    const message = expect.stringContaining(`${ACCOUNT} is ${status}`);
    expect(await w.call()).toMatchObject({ notDialled: { code: 10001, message } });
    expect(w.callee.methods).toEqual([]);
    expect(w.switchboard.live).toBe(0);
    expect(await w.relay.census()).toMatchObject({ legs: 0 });
  });
});
