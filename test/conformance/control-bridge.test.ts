import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordOptions } from '../../src/leg/port.ts';
import { until } from '../support/until.ts';
import { ControlWorld, type EdgeCall, type FakeEdge } from './control-calls.ts';

// When an edge is told to relay a bridge directly, and when not.

const recording: RecordOptions = {
  recordingSid: `RE${'1'.repeat(32)}`,
  silenceMs: 0,
  maxLengthMs: 60_000,
  trim: false,
};
const deaf = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: undefined } as const;
const keyed = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 96 } as const;

describe('a bridge of remote legs', () => {
  let world: ControlWorld;
  let edge: FakeEdge;
  beforeEach(async () => {
    world = new ControlWorld();
    edge = await world.addEdge();
  });
  afterEach(() => world.close());

  /** Two answered legs. */
  const pair = async (second = edge) => {
    const caller = await world.inbound(edge);
    const callee = await world.outgoing(second);
    await caller.leg.answer();
    await callee.peer.answer();
    return { caller, callee };
  };

  /** What the edge has been told of bridges. */
  const told = async (...calls: { readonly call: EdgeCall }[]) => {
    await world.settled();
    const verbs = calls.flatMap(({ call }) => call.commands.map(({ verb }) => verb));
    return verbs.filter((verb) => verb === 'bridge' || verb === 'unbridge');
  };

  /** Which of these orders were to be carried out gently. */
  const gently = (...calls: { readonly call: EdgeCall }[]) =>
    calls.flatMap(({ call }) =>
      call.commands.flatMap((command) =>
        command.verb === 'bridge' || command.verb === 'unbridge' ? [command.gently === true] : [],
      ),
    );

  const joined = () => world.host.legs.filter((leg) => leg.other && !leg.closed).length;

  it('is relayed by the edge while nobody listens, and stays joined in the media host', async () => {
    const { caller, callee } = await pair();
    const bridge = caller.leg.bridge(callee.leg);
    expect(await told(caller, callee)).toEqual(['bridge']);
    expect(caller.call.commands).toContainEqual({ verb: 'bridge', with: callee.call.callSid });
    expect(caller.call.direct).toBe(callee.call);
    expect(joined()).toBe(2);
    await bridge.end();
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge']);
    expect(gently(caller, callee)).toEqual([false, false]);
    expect(caller.call.direct).toBeUndefined();
    expect(joined()).toBe(0);
  });

  it('changes over gently when somebody begins or stops to listen, and ends at once, tapped or not', async () => {
    const { caller, callee } = await pair();
    const bridge = caller.leg.bridge(callee.leg);
    const keys = caller.leg.keys();
    keys[Symbol.dispose]();
    const again = callee.leg.keys();
    await bridge.end();
    // the edge may still relay either direction
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge', 'bridge', 'unbridge', 'unbridge']);
    expect(gently(caller, callee)).toEqual([false, true, true, true, false]);
    again[Symbol.dispose]();
  });

  it('becomes direct gently when somebody has listened from the beginning', async () => {
    const { caller, callee } = await pair();
    const keys = caller.leg.keys();
    caller.leg.bridge(callee.leg);
    keys[Symbol.dispose]();
    expect(await told(caller, callee)).toEqual(['bridge']);
    expect(gently(caller, callee)).toEqual([true]);
  });

  it('ends with a frame from the worker to either peer, which is what the edge waits for', async () => {
    const { caller, callee } = await pair();
    const another = await world.outgoing(edge);
    await another.peer.answer();
    const frames = () => world.host.legs.map((leg) => leg.played.length);
    await caller.leg.bridge(callee.leg).end();
    expect(frames()).toEqual([1, 1, 0]);
    const keys = caller.leg.keys(); // this one is not relayed by the edge
    await caller.leg.bridge(callee.leg).end();
    keys[Symbol.dispose]();
    expect(frames()).toEqual([1, 1, 0]);
    const former = caller.leg.bridge(callee.leg);
    caller.leg.bridge(another.leg); // the frame to the caller would interrupt what it hears now
    await former.end();
    expect(frames()).toEqual([1, 2, 0]);
  });

  it('is at a worker as long as anybody listens, on either leg', async () => {
    const { caller, callee } = await pair();
    const before = callee.leg.keys();
    caller.leg.bridge(callee.leg);
    expect(await told(caller, callee)).toEqual([]);
    before[Symbol.dispose]();
    expect(await told(caller, callee)).toEqual(['bridge']);
    const active = callee.leg.record(recording);
    const keys = caller.leg.keys();
    active.pause('skip'); // it may go on at any moment
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge']);
    active.stop();
    await active.ended;
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge']);
    keys[Symbol.dispose]();
    keys[Symbol.dispose]();
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge', 'bridge']);
    expect(caller.call.direct).toBe(callee.call);
  });

  it('is told in the order in which somebody begins and stops to listen', async () => {
    const { caller, callee } = await pair();
    caller.leg.bridge(callee.leg);
    for (let n = 0; n < 3; n++) caller.leg.keys()[Symbol.dispose]();
    expect(await told(caller)).toEqual(['bridge', ...Array(3).fill(['unbridge', 'bridge']).flat()]);
    expect(caller.call.direct).toBe(callee.call);
  });

  it('is at the worker until both have answered', async () => {
    const caller = await world.inbound(edge);
    const callee = await world.outgoing(edge);
    await caller.leg.progress();
    await callee.peer.ring(183, true);
    caller.leg.bridge(callee.leg);
    expect(joined()).toBe(2);
    await callee.peer.answer();
    expect(await told(caller, callee)).toEqual([]);
    await caller.leg.answer();
    expect(await told(caller, callee)).toEqual(['bridge']);
    expect(gently(caller, callee)).toEqual([true]); // the callee may be in the middle of a word
  });

  it('is joined in the media host only when the edge relays it: no word is half heard from there', async () => {
    const { caller, callee } = await pair();
    const directWhenJoined: boolean[] = [];
    for (const leg of world.host.legs) leg.onBridged = () => directWhenJoined.push(!!caller.call.direct);
    caller.leg.bridge(callee.leg);
    await world.settled();
    expect(directWhenJoined).toEqual([true]);
  });

  it('is joined in the media host at once when somebody listens before the edge relays it', async () => {
    const { caller, callee } = await pair();
    caller.leg.bridge(callee.leg);
    using _keys = caller.leg.keys();
    expect(joined()).toBe(2);
  });

  it('is not joined in the media host when it has ended before the edge relays it', async () => {
    const { caller, callee } = await pair();
    await caller.leg.bridge(callee.leg).end();
    await world.settled();
    expect(joined()).toBe(0);
  });

  it('is at the worker when the legs are at different edge processes', async () => {
    const { caller, callee } = await pair(await world.addEdge());
    const bridge = caller.leg.bridge(callee.leg);
    expect(joined()).toBe(2);
    await bridge.end();
    expect(await told(caller, callee)).toEqual([]);
  });

  it('is at the worker while only one of the peers takes telephone events', async () => {
    const { caller, callee } = await pair();
    await callee.peer.format(deaf);
    caller.leg.bridge(callee.leg);
    expect(await told(caller, callee)).toEqual([]);
    await caller.peer.format(deaf);
    expect(await told(caller, callee)).toEqual(['bridge']);
    await callee.peer.format(keyed);
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge']);
    await caller.peer.format({ ...keyed, codec: 'PCMA', payloadType: 8 });
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge', 'bridge']);
    // gently to the edge, so that no word is cut; at once from it, where a key would be lost
    expect(gently(caller, callee)).toEqual([true, false, true]);
  });

  it('stays at the worker when the edge refuses, without asking again', async () => {
    const { caller, callee } = await pair();
    caller.call.answered = false; // the edge knows better
    caller.leg.bridge(callee.leg);
    await world.settled();
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge']);
    caller.leg.keys()[Symbol.dispose]();
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge']);
    expect(joined()).toBe(2);
  });

  it.each(['caller', 'callee'] as const)('is undone at the other leg when the %s hangs up', async (who) => {
    const both = await pair();
    both.caller.leg.bridge(both.callee.leg);
    await world.settled();
    const left = both[who === 'caller' ? 'callee' : 'caller'];
    await both[who].peer.hangup();
    expect(both[who].leg.state).toBe('ended');
    expect((await told(left)).at(-1)).toBe('unbridge');
    expect(left.leg.state).toBe('answered');
    expect(joined()).toBe(0);
  });

  it('is undone before a leg is in another one', async () => {
    const { caller, callee } = await pair();
    const another = await world.outgoing(edge);
    await another.peer.answer();
    caller.leg.bridge(callee.leg);
    caller.leg.bridge(another.leg);
    expect(await told(caller)).toEqual(['bridge', 'unbridge', 'bridge']);
    expect(caller.call.direct).toBe(another.call);
    expect(callee.call.direct).toBeUndefined();
    callee.leg.keys()[Symbol.dispose](); // no matter of this bridge any more
    expect(await told(caller, callee)).toEqual(['bridge', 'unbridge', 'bridge']);
  });

  it('of a call that rings at several devices is that of the one which answers', async () => {
    const elsewhere = await world.addEdge();
    const caller = await world.inbound(edge);
    const { leg, forks } = await world.forked(elsewhere, edge, edge);
    const [far, near, other] = forks;
    await caller.leg.answer();
    await far?.peer.ring(180, true);
    const bridge = caller.leg.bridge(leg);
    expect(joined()).toBe(0); // nobody has answered: there is nobody to hear
    await near?.peer.answer();
    expect(await told(caller)).toEqual(['bridge']);
    expect(caller.call.direct).toBe(near?.call);
    expect(joined()).toBe(2);
    await other?.peer.answer(); // too late
    await near?.peer.say('hello');
    expect(caller.peer.heard).toEqual(['hello']);
    await caller.peer.say('hi');
    expect([far, near, other].map((one) => one?.call.heard)).toEqual([[], ['hi'], []]);
    await bridge.end();
  });

  it('ends with the edge process that both legs are at', async () => {
    const { caller, callee } = await pair();
    const bridge = caller.leg.bridge(callee.leg);
    await world.settled();
    await edge.close();
    await until('the loss', () => caller.leg.ended.aborted && callee.leg.ended.aborted);
    await bridge.end();
    expect(joined()).toBe(0);
    for (const { leg } of [caller, callee]) expect(leg.ended.reason).toMatchObject({ cause: 'edge-lost' });
  });
});
