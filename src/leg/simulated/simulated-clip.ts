import type { AudioClip } from '../port.ts';

const SAMPLES_PER_MS = 8;

/** Audio that lasts and sounds like nothing; `text` is what is said in it. */
interface SimulatedClip extends AudioClip {
  readonly text?: string | undefined;
}

/** All clips are views of the same silence: an hour of it costs no more than a second. Nobody writes into it. */
let silence = new Int16Array(60_000 * SAMPLES_PER_MS);

export function simulatedClip(id: string, ms: number, text?: string): SimulatedClip {
  const samples = Math.round(ms * SAMPLES_PER_MS);
  if (samples > silence.length) silence = new Int16Array(2 * samples);
  return { id, pcm: silence.subarray(0, samples), text };
}

/** What is said in a clip; undefined when it is no speech, or nobody knows. */
export function textIn(clip: AudioClip): string | undefined {
  const { text }: Partial<SimulatedClip> = clip;
  return text;
}
