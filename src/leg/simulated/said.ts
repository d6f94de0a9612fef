/** What a stretch of simulated audio says. */
export interface Said {
  readonly text: string;
  /** How sure a recogniser is of it, 0–1; undefined: it does not say. */
  readonly confidence: number | undefined;
}

const SAMPLES_PER_MS = 8;

/** Simulated audio holds no sound: what it says is known by the array itself. */
const said = new WeakMap<Int16Array, Said>();

/** Audio of this length that says so. */
export function voiceOf(ms: number, says?: Said): Int16Array {
  const pcm = new Int16Array(Math.round(ms * SAMPLES_PER_MS));
  if (says) said.set(pcm, says);
  return pcm;
}

/** What a piece of audio says; undefined: nothing that can be understood. */
export function saidIn(pcm: Int16Array): Said | undefined {
  return said.get(pcm);
}
