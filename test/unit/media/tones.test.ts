import { describe, expect, it } from 'vitest';
import { interleave, mixInto, rms } from '../../../src/media/mix.ts';
import { dtmfFrequencies, dtmfTone, recordBeep, tone } from '../../../src/media/tones.ts';
import { shareOf } from './audio.ts';

describe('tones', () => {
  it('makes a sine of the asked frequency and length', () => {
    const pcm = tone([440], 100, 10_000);
    expect(pcm.length).toBe(800);
    expect(shareOf(440, pcm)).toBeGreaterThan(0.95);
    expect(rms(pcm)).toBeGreaterThan(6_500);
  });

  it('beeps at 1 kHz for half a second without a click', () => {
    const beep = recordBeep();
    expect(beep.length).toBe(4_000);
    expect(shareOf(1_000, beep)).toBeGreaterThan(0.95);
    expect(Math.abs(beep[0] ?? 0)).toBeLessThan(300);
    expect(Math.abs(beep.at(-1) ?? 0)).toBeLessThan(300);
  });

  it.each([
    ['1', 697, 1_209],
    ['5', 770, 1_336],
    ['#', 941, 1_477],
    ['D', 941, 1_633],
  ])('key %s is %i and %i Hz', (key, low, high) => {
    expect(dtmfFrequencies(key)).toEqual([low, high]);
    const pcm = dtmfTone(key, 120);
    expect(shareOf(low, pcm)).toBeGreaterThan(0.4);
    expect(shareOf(high, pcm)).toBeGreaterThan(0.4);
  });

  it('has no frequencies for what is not a key', () => {
    expect(['w', '', '12', 'a'].map(dtmfFrequencies)).toEqual([undefined, undefined, undefined, undefined]);
    expect(() => dtmfTone('x', 100)).toThrow('"x" is not a telephone key');
  });
});

describe('mixing', () => {
  it('adds and clips', () => {
    const into = Int16Array.of(1, 30_000, -30_000, 7);
    mixInto(into, Int16Array.of(2, 10_000, -10_000));
    expect([...into]).toEqual([3, 32_767, -32_768, 7]);
  });

  it('interleaves two channels', () => {
    const into = new Int16Array(4);
    interleave(Int16Array.of(1, 2), Int16Array.of(-1, -2), into);
    expect([...into]).toEqual([1, -1, 2, -2]);
  });

  it('measures loudness', () => {
    expect(rms(new Int16Array(0))).toBe(0);
    expect(rms(Int16Array.of(3, -3, 3, -3))).toBe(3);
  });
});
