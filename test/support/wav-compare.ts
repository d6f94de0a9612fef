import { readFileSync, writeFileSync } from 'node:fs';

/** Telephone audio: samples a second of everything here. */
export const RATE = 8_000;

/** The first channel of a WAV file (PCM 16 bit), read by walking its chunks: independent of the product's reader. */
export function readPcm(path: string): Int16Array {
  const file = readFileSync(path);
  if (file.toString('latin1', 0, 4) !== 'RIFF' || file.toString('latin1', 8, 12) !== 'WAVE')
    throw new Error(`${path} is no WAV file: it begins with ${file.subarray(0, 12).toString('hex')}`);
  let channels = 1;
  for (let at = 12; at + 8 <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    // A recorder that was killed leaves the length of its last chunk at 0 or at its greatest value.
    const stated = file.readUInt32LE(at + 4);
    const length = name === 'data' && stated === 0 ? file.length : stated;
    const body = file.subarray(at + 8, Math.min(file.length, at + 8 + length));
    if (name === 'fmt ') {
      const [format, rate, bits] = [body.readUInt16LE(0), body.readUInt32LE(4), body.readUInt16LE(14)];
      channels = body.readUInt16LE(2);
      if (rate !== RATE || bits !== 16)
        throw new Error(
          `${path}: format ${format}, ${rate} Hz, ${bits} bit; expected PCM 16 bit at ${RATE} Hz`,
        );
    } else if (name === 'data') {
      const samples = new Int16Array(Math.floor(body.length / 2 / channels));
      for (let i = 0; i < samples.length; i++) samples[i] = body.readInt16LE(i * 2 * channels);
      return samples;
    }
    at += 8 + length + (length & 1);
  }
  throw new Error(`${path} has no data chunk`);
}

/** A WAV file: mono, PCM 16 bit, 8 kHz. */
export function wavOf(pcm: Int16Array): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + pcm.length * 2, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); // PCM
  head.writeUInt16LE(1, 22); // mono
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(pcm.length * 2, 40);
  return Buffer.concat([head, Buffer.from(pcm.buffer, pcm.byteOffset, pcm.length * 2)]);
}

export function writePcm(path: string, pcm: Int16Array): void {
  writeFileSync(path, wavOf(pcm));
}

/** Root mean square of the samples: 0 is digital silence, a quiet voice is some hundreds. */
export function loudness(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return Math.sqrt(sum / Math.max(1, pcm.length));
}

/** Seconds of sound, counted in pieces of 20 ms. */
export function soundSeconds(pcm: Int16Array): number {
  let loud = 0;
  for (let at = 0; at + 160 <= pcm.length; at += 160) if (loudness(pcm.subarray(at, at + 160)) > 100) loud++;
  return loud * 0.02;
}
