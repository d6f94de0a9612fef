/** Adds `from` to `into` sample by sample, clipping at the limits of 16 bits instead of wrapping round. */
export function mixInto(into: Int16Array, from: Int16Array): void {
  const length = Math.min(into.length, from.length);
  for (let i = 0; i < length; i++) {
    const sum = (into[i] ?? 0) + (from[i] ?? 0);
    into[i] = Math.max(-32_768, Math.min(32_767, sum));
  }
}

/** Writes the samples of both in turn: one of `left`, one of `right`. `into` is twice as long as `left`. */
export function interleave(left: Int16Array, right: Int16Array, into: Int16Array): void {
  for (let i = 0; i < left.length; i++) {
    into[2 * i] = left[i] ?? 0;
    into[2 * i + 1] = right[i] ?? 0;
  }
}

/** Root mean square of the samples, 0 to 32,768; 0 for none. */
export function rms(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return pcm.length === 0 ? 0 : Math.sqrt(sum / pcm.length);
}
