import { SAMPLE_RATE, samplesOfMs } from './frame.ts';

const RAMP_MS = 4; // our choice: long enough that a tone neither starts nor ends with a click

/**
 * The sum of sine waves, as PCM at 8 kHz. `amplitude` is the peak of each one, out of 32,767; the first and last
 * milliseconds fade in and out.
 */
export function tone(frequencies: readonly number[], ms: number, amplitude: number): Int16Array {
  return faded(ms, (i) => amplitude * frequencies.reduce((sum, frequency) => sum + sine(frequency, i), 0));
}

/**
 * A sine wave whose loudness swells and fades `by` times a second, wholly (modulation depth 100 %). `amplitude` is
 * the peak of the sine alone; the loudest moment is twice that. Fades in and out like `tone`.
 */
export function modulatedTone(frequency: number, by: number, ms: number, amplitude: number): Int16Array {
  return faded(ms, (i) => amplitude * sine(frequency, i) * (1 + sine(by, i)));
}

function sine(frequency: number, sample: number): number {
  return Math.sin((2 * Math.PI * frequency * sample) / SAMPLE_RATE);
}

function faded(ms: number, at: (sample: number) => number): Int16Array {
  const pcm = new Int16Array(samplesOfMs(ms));
  const ramp = Math.min(samplesOfMs(RAMP_MS), pcm.length / 2);
  for (let i = 0; i < pcm.length; i++) {
    const fade = Math.min(1, (i + 1) / ramp, (pcm.length - i) / ramp);
    pcm[i] = Math.max(-32_768, Math.min(32_767, Math.round(at(i) * fade)));
  }
  return pcm;
}

/** The beep before a recording: 1 kHz for half a second (our choice; the documentation only calls it a beep). */
export function recordBeep(): Int16Array {
  return tone([1_000], 500, 8_000);
}

const ROWS = [697, 770, 852, 941] as const;
const COLUMNS = [1_209, 1_336, 1_477, 1_633] as const;
const PAD = '123A456B789C*0#D';

/** The two frequencies of a key, or `undefined` when there is no such key. ITU-T Q.23. */
export function dtmfFrequencies(key: string): readonly [number, number] | undefined {
  const index = key.length === 1 ? PAD.indexOf(key) : -1;
  const row = ROWS[index >> 2];
  const column = COLUMNS[index & 3];
  return index < 0 || row === undefined || column === undefined ? undefined : [row, column];
}

/** A key as audio, each frequency at −8 dB of full scale, inside what Q.24 receivers accept. */
export function dtmfTone(key: string, ms: number): Int16Array {
  const frequencies = dtmfFrequencies(key);
  if (!frequencies) throw new RangeError(`"${key}" is not a telephone key: expected one of 0-9 * # A-D`);
  return tone(frequencies, ms, 8_000);
}
