/** Power of `frequency` in `pcm` (Goertzel) as a part of all its power: near 1 for a pure tone, near 0 without it. */
export function shareOf(frequency: number, pcm: Int16Array, rate = 8_000): number {
  let real = 0;
  let imaginary = 0;
  let total = 0;
  for (const [i, sample] of pcm.entries()) {
    real += sample * Math.cos((2 * Math.PI * frequency * i) / rate);
    imaginary += sample * Math.sin((2 * Math.PI * frequency * i) / rate);
    total += sample * sample;
  }
  return total === 0 ? 0 : (2 * (real * real + imaginary * imaginary)) / (pcm.length * total);
}

/** Where in `haystack` `needle` fits best, and the normalized correlation there (1: the same up to loudness). */
export function locate(needle: Int16Array, haystack: Int16Array): { at: number; correlation: number } {
  let best = { at: -1, correlation: 0 };
  let needlePower = 0;
  for (const sample of needle) needlePower += sample * sample;
  for (let at = 0; at + needle.length <= haystack.length; at++) {
    let product = 0;
    let power = 0;
    for (let i = 0; i < needle.length; i++) {
      const sample = haystack[at + i] ?? 0;
      product += sample * (needle[i] ?? 0);
      power += sample * sample;
    }
    const correlation = power === 0 ? 0 : product / Math.sqrt(power * needlePower);
    if (correlation > best.correlation) best = { at, correlation };
  }
  return best;
}

/** A rising tone: unlike a steady one it fits at one place only. */
export function sweep(ms: number, from = 400, to = 2_000, amplitude = 8_000): Int16Array {
  const pcm = new Int16Array(ms * 8);
  for (let i = 0; i < pcm.length; i++) {
    const t = i / 8_000;
    const rate = (to - from) / (ms / 1_000);
    pcm[i] = Math.round(amplitude * Math.sin(2 * Math.PI * (from * t + (rate * t * t) / 2)));
  }
  return pcm;
}

/** The channels of a WAV file of 16-bit PCM with a header of 44 bytes, read independently of the product's reader. */
export function channelsIn(file: Buffer): Int16Array[] {
  const [channels, dataBytes] = [file.readUInt16LE(22), file.readUInt32LE(40)];
  if (dataBytes !== file.length - 44)
    throw new Error(`${dataBytes} bytes in the header, ${file.length - 44} there`);
  if (dataBytes % (2 * channels) !== 0)
    throw new Error(`${dataBytes} bytes do not fill ${channels} channels`);
  return Array.from({ length: channels }, (_, channel) =>
    Int16Array.from({ length: dataBytes / 2 / channels }, (_sample, i) =>
      file.readInt16LE(44 + 2 * (i * channels + channel)),
    ),
  );
}
