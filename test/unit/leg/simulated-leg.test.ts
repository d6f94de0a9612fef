import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { SimulatedLeg } from '../../../src/leg/simulated/simulated-leg.ts';
import { legConformance } from '../../conformance/leg.ts';

legConformance(
  'the simulated leg',
  async () => {
    const clock = new VirtualClock();
    const leg = new SimulatedLeg(clock);
    return {
      leg,
      peer: leg.peer,
      elapse: (ms) => clock.advance(ms),
      settle: (work) => clock.run(work),
      now: () => clock.monotonic(),
      close: async () => {},
    };
  },
  'virtual',
);

describe('SimulatedLeg', () => {
  it('tells what its peer heard', async () => {
    const clock = new VirtualClock();
    const leg = new SimulatedLeg(clock);
    await leg.answer();
    const stop = new AbortController();
    const playing = leg.play({ id: 'hello', pcm: new Int16Array(8_000) }, stop.signal).catch(() => {});
    await clock.advance(300);
    leg.peer.press('1');
    stop.abort();
    await playing;
    await leg.hangup();
    expect(leg.heard).toEqual([
      { at: 0, kind: 'answered' },
      { at: 0, kind: 'played', clip: 'hello', ms: 300, cut: true },
      { at: 300, kind: 'pressed', key: '1' },
      { at: 300, kind: 'ended', cause: 'local-hangup', sipStatus: undefined },
    ]);
  });

  it('does not count stretches without RTP as silence', async () => {
    const clock = new VirtualClock();
    const leg = new SimulatedLeg(clock);
    await leg.answer();
    const active = leg.record({ recordingSid: 'RE1', silenceMs: 1_000, maxLengthMs: 60_000, trim: false });
    await clock.advance(400);
    leg.peer.vanish(2_000);
    const end = await clock.run(active.ended);
    expect(end).toMatchObject({ reason: 'silence', durationMs: 3_000 });
  });

  it('leaves no timer behind', async () => {
    const clock = new VirtualClock();
    const leg = new SimulatedLeg(clock);
    await leg.answer();
    const active = leg.record({ recordingSid: 'RE1', silenceMs: 1_000, maxLengthMs: 60_000, trim: false });
    const playing = leg.play({ id: 'x', pcm: new Int16Array(8_000) }, new AbortController().signal);
    const over = expect(playing).rejects.toMatchObject({ cause: 'peer-hangup' });
    leg.peer.hangup();
    await over;
    await active.ended;
    expect(clock.pending).toBe(0);
  });
});
