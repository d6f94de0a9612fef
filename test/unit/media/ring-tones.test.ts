import { describe, expect, it } from 'vitest';
import { rms } from '../../../src/media/mix.ts';
import {
  isRingToneCountry,
  RING_TONE_COUNTRIES,
  type RingToneCountry,
  ringTone,
} from '../../../src/media/ring-tones.ts';
import { shareOf } from './audio.ts';

/** Frequencies (`+` together, `×` modulated by) and milliseconds of tone and silence. */
const EXPECTED: Readonly<Record<RingToneCountry, readonly [string, ...number[]]>> = {
  at: ['420', 1_000, 5_000],
  au: ['413+438', 400, 200, 400, 2_000],
  be: ['425', 1_000, 3_000],
  bg: ['425', 1_000, 4_000],
  br: ['425', 1_000, 4_000],
  ch: ['425', 1_000, 4_000],
  cl: ['400', 1_000, 3_000],
  cn: ['450', 1_000, 4_000],
  cz: ['425', 1_000, 4_000],
  de: ['425', 1_000, 4_000],
  dk: ['425', 1_000, 4_000],
  ee: ['425', 1_000, 4_000],
  es: ['425', 1_500, 3_000],
  fi: ['425', 1_000, 4_000],
  fr: ['440', 1_500, 3_500],
  gr: ['425', 1_000, 4_000],
  hu: ['425', 1_250, 3_750],
  il: ['400', 1_000, 3_000],
  in: ['400×25', 400, 200, 400, 2_000],
  it: ['425', 1_000, 4_000],
  jp: ['400×16', 1_000, 2_000],
  lt: ['425', 1_000, 4_000],
  mx: ['425', 1_000, 4_000],
  my: ['425', 400, 200, 400, 2_000],
  nl: ['425', 1_000, 4_000],
  no: ['425', 1_000, 4_000],
  nz: ['400+450', 400, 200, 400, 2_000],
  ph: ['425+480', 1_000, 4_000],
  pl: ['425', 1_000, 4_000],
  pt: ['425', 1_000, 5_000],
  ru: ['425', 800, 3_200],
  se: ['425', 1_000, 5_000],
  sg: ['425×24', 400, 200, 400, 2_000],
  th: ['400', 1_000, 4_000],
  tw: ['440+480', 1_000, 2_000],
  uk: ['400+450', 400, 200, 400, 2_000],
  us: ['440+480', 2_000, 4_000],
  'us-old': ['420×40', 2_000, 4_000],
  ve: ['425', 1_000, 4_000],
  za: ['400×33', 400, 200, 400, 2_000],
};

/** Stretches of sound and of silence in turn, cut to blocks of 10 ms. */
function stretches(pcm: Int16Array): Int16Array[] {
  const found: { loud: boolean; from: number; to: number }[] = [];
  for (let at = 0; at < pcm.length; at += 80) {
    const loud = rms(pcm.subarray(at, at + 80)) > 10;
    const last = found.at(-1);
    if (last?.loud === loud) last.to = at + 80;
    else found.push({ loud, from: at, to: at + 80 });
  }
  return found.map(({ from, to }) => pcm.subarray(from, to));
}

describe('ring tones', () => {
  it('has every country of the reference, in its spelling', () => {
    const reference =
      'at au bg br be ch cl cn cz de dk ee es fi fr gr hu il in it lt jp mx my nl no nz ph pl pt ru se sg th uk us us-old tw ve za';
    expect([...RING_TONE_COUNTRIES].sort()).toEqual(reference.split(' ').sort());
    expect(isRingToneCountry('us-old')).toBe(true);
    expect(['UK', 'gb', '', 'constructor'].map(isRingToneCountry)).toEqual([false, false, false, false]);
  });

  it.each(Object.entries(EXPECTED).map(([country, [sound, ...cadence]]) => ({ country, sound, cadence })))(
    '$country rings with $sound Hz, $cadence ms',
    ({ country, sound, cadence }) => {
      if (!isRingToneCountry(country)) throw new Error(country);
      const { pcm } = ringTone(country);
      const parts = stretches(pcm);
      expect(parts.map((part) => part.length / 8)).toEqual(cadence);
      for (const part of parts.filter((_, index) => index % 2 === 0)) {
        const whole = part.subarray(0, Math.floor(part.length / 1_600) * 1_600); // of periods of multiples of 5 Hz
        const [carrier = 0, by] = sound.split('×').map(Number);
        if (by !== undefined) {
          // (1 + sin) × sin: two thirds of the power in the carrier, a sixth in each sideband
          expect(shareOf(carrier, whole)).toBeCloseTo(2 / 3, 1);
          for (const side of [carrier - by, carrier + by]) expect(shareOf(side, whole)).toBeCloseTo(1 / 6, 1);
        } else {
          const frequencies = sound.split('+').map(Number);
          for (const frequency of frequencies)
            expect(shareOf(frequency, whole)).toBeCloseTo(1 / frequencies.length, 1);
        }
        expect(20 * Math.log10(rms(part) / 32_768)).toBeCloseTo(-20, 0);
        expect(Math.abs(part[0] ?? 0)).toBeLessThan(200); // no click, neither here nor
        expect(Math.abs(part.at(-1) ?? 0)).toBeLessThan(200);
      }
    },
  );

  it('is made once, and names its content', () => {
    expect(ringTone('de')).toBe(ringTone('de'));
    const ids = RING_TONE_COUNTRIES.map((country) => ringTone(country).id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
