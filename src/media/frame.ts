/** Samples a second everywhere in Trunkline: the telephone network's rate. */
export const SAMPLE_RATE = 8_000;

/** Packet time of everything we send: RFC 3551 §4.2 names 20 ms the default. */
export const FRAME_MS = 20;

/** Samples of one frame; also its bytes in G.711 and its RTP timestamp increment. */
export const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1_000;

export function msOfSamples(samples: number): number {
  return (samples * 1_000) / SAMPLE_RATE;
}

export function samplesOfMs(ms: number): number {
  return Math.round((ms * SAMPLE_RATE) / 1_000);
}
