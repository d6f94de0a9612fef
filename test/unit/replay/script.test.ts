import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/core/clock.ts';
import { simulatedClip } from '../../../src/leg/simulated/simulated-clip.ts';
import { SimulatedLeg } from '../../../src/leg/simulated/simulated-leg.ts';
import { heardPattern } from '../../../src/replay/hearing.ts';
import { scheduleCaller } from '../../../src/replay/peers.ts';
import { callerAction } from '../../../src/replay/scenario-actions.ts';

const never = new AbortController().signal;

/** A caller who does this, on a leg that was answered at once. */
async function caller(...steps: readonly Readonly<Record<string, unknown>>[]) {
  const clock = new VirtualClock();
  const leg = new SimulatedLeg(clock);
  await leg.answer();
  const script = scheduleCaller(
    steps.map((step) => callerAction.parse(step)),
    leg.peer,
    clock,
  );
  const says = (text: string, ms: number) => void leg.play(simulatedClip(`kal: ${text}`, ms, text), never);
  const pressed = () =>
    leg.heard.flatMap((event) => (event.kind === 'pressed' ? [[event.at, event.key]] : []));
  return { clock, leg, script, says, pressed };
}

describe('a script', () => {
  it('does one step after the other, each when the one before it is done', async () => {
    const { clock, leg } = await caller(
      { wait: '2s' },
      { press: '12', every: '300ms' },
      { speak: '1s' },
      { press: 3 },
      { wait: '500ms' },
      { hangup: true },
    );
    await clock.advance(60_000);
    expect(leg.heard.map((event) => [event.at, event.kind])).toEqual([
      [0, 'answered'],
      [2_000, 'pressed'],
      [2_300, 'pressed'],
      [2_600, 'spoke'],
      [3_600, 'pressed'],
      [4_300, 'ended'],
    ]);
  });

  it('does steps with a time at their time, and others after the one before them', async () => {
    const { clock, pressed } = await caller(
      { at: '5s', press: '5' },
      { wait: '1s' },
      { press: '6' },
      { at: '1s', press: '1' },
    );
    await clock.advance(60_000);
    expect(pressed()).toEqual([
      [1_000, '1'],
      [5_000, '5'],
      [6_200, '6'],
    ]);
  });

  it('waits for words until they have been said, and reacts a moment later', async () => {
    const { clock, says, pressed, script } = await caller({ hears: 'press  1' }, { press: '1' });
    says('For sales, PRESS 1. For support, press 2.', 4_100);
    await clock.advance(2_000);
    expect(pressed()).toEqual([[2_000, '1']]); // 18 of 41 characters in 4.1 s, and 0.2 s
    expect(script.unheard).toBeUndefined();
  });

  it('does not hear what was cut short before', async () => {
    const { clock, leg, script } = await caller({ hears: 'support' }, { press: '2' }, { hangup: true });
    const stop = new AbortController();
    const playing = leg.play(simulatedClip('kal', 4_000, 'sales, then support'), stop.signal).catch(() => {});
    await clock.advance(1_000);
    stop.abort();
    await playing;
    await clock.advance(60_000);
    expect(leg.state).toBe('answered');
    expect(script.unheard).toEqual({
      step: 'hears: "support"',
      place: 1,
      after: ['press: "2"', 'hangup: true'],
    });
  });

  it('counts what was said since the last match, and nothing twice', async () => {
    const { clock, says, pressed } = await caller(
      { hears: 'one' },
      { wait: '10s' },
      { hears: 'two' },
      { press: '2' },
      { hears: 'one' },
      { press: '1' },
    );
    says('one', 300);
    await clock.advance(1_000);
    says('two', 300);
    await clock.advance(19_000);
    expect(pressed()).toEqual([[10_700, '2']]);
    says('one', 300);
    await clock.advance(5_000);
    expect(pressed().at(-1)).toEqual([20_500, '1']);
  });

  it('knows a file by its beginning', async () => {
    const { clock, leg, pressed } = await caller({ hears: 'menu.wav' }, { press: '1' });
    void leg.play(simulatedClip('http://app.test/menu.wav', 60_000), never, { loop: true }).catch(() => {});
    await clock.advance(1_000);
    expect(pressed()).toEqual([[200, '1']]);
  });
});

describe('a call on hold', () => {
  it('hears nothing, says nothing, and is not missed', async () => {
    const { clock, leg, says, script } = await caller(
      { hold: true },
      { press: '1' },
      { at: '200s', resume: true },
      { hears: 'welcome' },
    );
    await clock.advance(1_000);
    says('welcome', 1_000);
    await clock.advance(300_000);
    expect(leg.state).toBe('answered');
    expect(leg.heard).toEqual([
      { at: 0, kind: 'answered' },
      { at: 0, kind: 'held' },
      { at: 0, kind: 'pressed', key: '1', onHold: true },
      { at: 1_000, kind: 'played', clip: 'kal: welcome', ms: 1_000, cut: false, onHold: 1_000 },
      { at: 200_000, kind: 'resumed' },
    ]);
    expect(script.unheard?.step).toBe('hears: "welcome"');
  });

  it('counts as no silence of a recording', async () => {
    const { clock, leg } = await caller({ at: '500ms', hold: true }, { wait: '10s' }, { resume: true });
    const active = leg.record({ recordingSid: 'RE1', silenceMs: 1_000, maxLengthMs: 60_000, trim: false });
    expect(await clock.run(active.ended)).toMatchObject({ reason: 'silence', durationMs: 11_000 });
  });

  it('is something else than a telephone that sends nothing any more', async () => {
    const { clock, leg } = await caller({ at: '1s', vanish: '10m' });
    await clock.advance(600_000);
    expect(leg.heard.at(-1)).toMatchObject({ at: 121_000, kind: 'ended', cause: 'media-timeout' });
  });
});

describe('heardPattern', () => {
  it.each([
    ['Welcome to', 'you are WELCOME  to us', true],
    ['a.b', 'axb', false],
    ['/a.b$/', 'axb', true],
    ['/A.b/', 'axb', false],
    ['/A.b/i', 'axb', true],
  ])('%s in "%s": %s', (pattern, text, found) => {
    expect(heardPattern(pattern).test(text)).toBe(found);
  });
});
