import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { LentLeg } from '../../../src/leg/lent-leg.ts';
import { LegEnded } from '../../../src/leg/port.ts';
import { SimulatedLeg } from '../../../src/leg/simulated/simulated-leg.ts';
import { SimulatedOutgoingLeg } from '../../../src/leg/simulated/simulated-outgoing-leg.ts';
import { legConformance } from '../../conformance/leg.ts';

const NEVER = new AbortController().signal;
const clip = (ms: number) => ({ id: `${ms} ms`, pcm: new Int16Array(ms * 8) });

legConformance(
  'a leg lent by a simulated one',
  async () => {
    const clock = new VirtualClock();
    const lender = new SimulatedLeg(clock);
    const leg: LentLeg = new LentLeg(lender, () => {
      void lender.answer();
      leg.join('connected');
    });
    leg.onProgress = ({ early }) => {
      if (early) void lender.progress().then(() => leg.join('early'));
    };
    return {
      leg,
      peer: lender.peer,
      elapse: (ms) => clock.advance(ms),
      settle: (work) => clock.run(work),
      now: () => clock.monotonic(),
      close: async () => {},
    };
  },
  'virtual',
);

/** A caller's answered leg, and one that it lends. */
async function lent() {
  const clock = new VirtualClock();
  const lender = new SimulatedLeg(clock);
  await lender.answer();
  const told: string[] = [];
  const leg = new LentLeg(lender, () => told.push('answered'));
  return { clock, lender, leg, told };
}

describe('a lent leg', () => {
  it('is answered at once, and goes on when it is connected', async () => {
    const { lender, leg, told } = await lent();
    const order: string[] = [];
    void leg.answered.then(() => order.push('told'));
    const answering = leg.answer().then(() => order.push('goes on'));
    expect([leg.state, ...told]).toEqual(['answered', 'answered']);
    await leg.answered;
    leg.join('early');
    await new Promise(setImmediate);
    expect(order).toEqual(['told']);
    leg.join('connected');
    await answering;
    expect(order).toEqual(['told', 'goes on']);
    expect(lender.state).toBe('answered');
  });

  it('is not heard before it is joined', async () => {
    const { clock, lender, leg } = await lent();
    const playing = leg.play(clip(100), NEVER);
    await clock.advance(50);
    expect(lender.heard.filter(({ kind }) => kind === 'played')).toEqual([]);
    leg.join('early');
    await clock.run(playing);
    expect(lender.heard).toContainEqual({ at: 50, kind: 'played', clip: '100 ms', ms: 100, cut: false });
  });

  it('ends alone: what it plays, records and is bridged with ends, and its lender goes on', async () => {
    const { clock, lender, leg } = await lent();
    void leg.answer();
    leg.join('connected');
    const keys = leg.keys();
    const waiting = keys.next(NEVER).catch((error: unknown) => error);
    const playing = leg.play(clip(9_000), NEVER).catch((error: unknown) => error);
    const recording = leg.record({ recordingSid: 'RE1', silenceMs: 0, maxLengthMs: 60_000, trim: false });
    await clock.advance(1_000);
    const other = new SimulatedOutgoingLeg(clock, 'call-id');
    other.peer.answer();
    leg.bridge(other);
    await leg.hangup();
    const { reason } = leg.ended;
    expect(reason).toMatchObject({ cause: 'local-hangup' });
    expect(await waiting).toBe(reason);
    expect(await playing).toBe(reason);
    expect(await recording.ended).toMatchObject({ reason: 'hangup', durationMs: 1_000 });
    expect([leg.state, lender.state, other.state]).toEqual(['ended', 'answered', 'answered']);
    other.peer.speak(500, 'nobody hears this');
    expect(lender.heard.map(({ kind }) => kind)).not.toContain('voice');
    await clock.run(lender.play(clip(20), NEVER));
  });

  it('is listened to as much however many recordings run on it, and on the legs that it lends itself to', async () => {
    const { clock, lender, leg } = await lent();
    const listeners = () => [lender, leg, inner].map(({ ended }) => getEventListeners(ended, 'abort').length);
    const inner = new LentLeg(leg, () => {});
    const before = listeners();
    const recordings = [leg, inner].flatMap((on, leg) =>
      Array.from({ length: 10 }, (_, nth) =>
        on.record({ recordingSid: `RE${leg}${nth}`, silenceMs: 0, maxLengthMs: 60_000, trim: false }),
      ),
    );
    expect(listeners()).toEqual(before);
    await clock.advance(1_000);
    recordings[0]?.stop();
    await inner.hangup();
    await leg.hangup();
    const ends = await Promise.all(recordings.map(({ ended }) => ended));
    expect(ends.map(({ reason }) => reason)).toEqual(['stopped', ...Array(19).fill('hangup')]);
    expect(listeners()).toEqual([0, 0, 0]);
  });

  it('begins no bridge and no recording when it is over', async () => {
    const { clock, lender, leg } = await lent();
    await leg.hangup();
    const other = new SimulatedOutgoingLeg(clock, 'call-id');
    other.peer.answer();
    await leg.bridge(other).end();
    other.peer.speak(500, 'nobody hears this');
    expect(lender.heard.map(({ kind }) => kind)).not.toContain('voice');
    const recording = leg.record({ recordingSid: 'RE1', silenceMs: 0, maxLengthMs: 60_000, trim: false });
    expect(await recording.ended).toMatchObject({ reason: 'hangup', durationMs: 0 });
  });

  it('ends with its lender, and as that does', async () => {
    const { lender, leg } = await lent();
    lender.peer.end('epoch-lost');
    expect(leg.ended.reason).toBe(lender.ended.reason);
    expect(new LentLeg(lender, () => {}).ended.reason).toBe(lender.ended.reason);
    await expect(leg.answered).rejects.toBe(lender.ended.reason);
  });

  it('refuses without a word to the caller', async () => {
    const { lender, leg } = await lent();
    await leg.reject(486);
    expect(leg.ended.reason).toEqual(new LegEnded('rejected', 486));
    expect(lender.state).toBe('answered');
  });

  it('can be lent again', async () => {
    const { clock, lender, leg } = await lent();
    const inner = new LentLeg(leg, () => {});
    leg.join('connected');
    inner.join('connected');
    await inner.answer();
    await clock.run(inner.play(clip(40), NEVER));
    expect(lender.heard).toContainEqual({ at: 0, kind: 'played', clip: '40 ms', ms: 40, cut: false });
    await leg.hangup();
    expect(inner.state).toBe('ended');
  });
});
