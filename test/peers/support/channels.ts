import { readFileSync } from 'node:fs';

/** The channels of a WAV file (PCM 16 bit), read by walking its chunks: independent of the product's reader. */
export function channelsOf(path: string): Int16Array[] {
  const file = readFileSync(path);
  let count = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    const body = file.subarray(at + 8, at + 8 + length);
    if (name === 'fmt ') count = body.readUInt16LE(2);
    if (name === 'data') {
      const frames = Math.floor(body.length / 2 / count);
      return Array.from({ length: count }, (_, channel) =>
        Int16Array.from({ length: frames }, (_, n) => body.readInt16LE(2 * (n * count + channel))),
      );
    }
    at += 8 + length + (length & 1);
  }
  throw new Error(`${path} has no data chunk`);
}
