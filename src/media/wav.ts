import type { Codec } from './format.ts';
import { SAMPLE_RATE } from './frame.ts';
import { sampleOf } from './g711.ts';
import { to8k } from './resample.ts';

/** Length of the header that {@link wavHeader} makes. */
export const WAV_HEADER_BYTES = 44;

/** Audio as everything inside wants it (PCM 16 bit, mono, 8 kHz), or what is wrong with the file. */
export type WavReading = { readonly pcm: Int16Array } | { readonly problem: string };

/** Format tags of the Microsoft Multimedia Standards Update, rev. 3.0. */
const TAG = { pcm: 1, float: 3, alaw: 6, ulaw: 7, extensible: 0xfffe } as const;

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

/**
 * Reads a RIFF WAVE file: PCM of 8, 16, 24 or 32 bit, 32-bit float, µ-law or A-law, plain or
 * WAVE_FORMAT_EXTENSIBLE, any number of channels (averaged) at 1 to 192 kHz. Unknown chunks are passed over, and a
 * data chunk cut short (or of unknown length, as streaming writers leave it) is read as far as it goes.
 */
export function readWav(bytes: Uint8Array): WavReading {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || fourCC(view, 0) !== 'RIFF' || fourCC(view, 8) !== 'WAVE') {
    return { problem: 'this is not a WAV file: it does not begin with RIFF … WAVE' };
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = fourCC(view, at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (id === 'fmt ') {
      format = readFormat(view, body, Math.min(size, bytes.length - body));
      if (!format) return { problem: 'the "fmt " chunk of this WAV file is cut short' };
    } else if (id === 'data') {
      if (!format) return { problem: 'this WAV file has audio before any "fmt " chunk' };
      return readSamples(view, body, Math.min(size, bytes.length - body), format);
    }
    at = body + size + (size & 1); // chunks are padded to an even length
  }
  return { problem: 'this WAV file has no "data" chunk' };
}

function fourCC(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint8(at),
    view.getUint8(at + 1),
    view.getUint8(at + 2),
    view.getUint8(at + 3),
  );
}

function readFormat(view: DataView, at: number, size: number): Format | undefined {
  if (size < 16) return undefined;
  const tag = view.getUint16(at, true);
  return {
    // the first two bytes of an extensible file's sub-format GUID are the tag it stands for
    tag: tag === TAG.extensible && size >= 26 ? view.getUint16(at + 24, true) : tag,
    channels: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

type ReadSample = (view: DataView, at: number) => number;

const companded =
  (codec: Codec): ReadSample =>
  (view, at) =>
    sampleOf(codec, view.getUint8(at));

/** How one sample is read as a number on the scale of 16 bits, by tag and bits. */
const READERS: Readonly<Record<string, ReadSample>> = {
  [`${TAG.pcm}/8`]: (view, at) => (view.getUint8(at) - 128) << 8, // 8-bit PCM is unsigned
  [`${TAG.pcm}/16`]: (view, at) => view.getInt16(at, true),
  [`${TAG.pcm}/24`]: (view, at) => view.getInt16(at + 1, true) + view.getUint8(at) / 256,
  [`${TAG.pcm}/32`]: (view, at) => view.getInt32(at, true) / 65_536,
  [`${TAG.float}/32`]: (view, at) =>
    (Number.isFinite(view.getFloat32(at, true)) ? view.getFloat32(at, true) : 0) * 32_767,
  [`${TAG.ulaw}/8`]: companded('PCMU'),
  [`${TAG.alaw}/8`]: companded('PCMA'),
};

function readSamples(view: DataView, at: number, size: number, format: Format): WavReading {
  const { tag, channels, rate, bits } = format;
  const read = READERS[`${tag}/${bits}`];
  if (!read) {
    return {
      problem: `WAV format ${tag} with ${bits} bits is not supported: expected PCM of 8, 16, 24 or 32 bit, µ-law or A-law`,
    };
  }
  if (channels < 1) return { problem: 'this WAV file says it has no channels' };
  if (rate < 1_000 || rate > 192_000) {
    return { problem: `this WAV file says ${rate} samples a second: expected 1000 to 192000` };
  }
  const width = bits / 8;
  const mono = new Float32Array(Math.floor(size / (width * channels)));
  for (let i = 0; i < mono.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++)
      sum += read(view, at + (i * channels + channel) * width);
    mono[i] = sum / channels;
  }
  return { pcm: to8k(mono, rate) };
}

/** The header of a WAV file of `dataBytes` bytes of PCM 16 bit at 8 kHz; the samples follow it, little-endian. */
export function wavHeader(dataBytes: number, channels: 1 | 2): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(WAV_HEADER_BYTES - 8 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(TAG.pcm, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(SAMPLE_RATE, 24);
  header.writeUInt32LE(SAMPLE_RATE * 2 * channels, 28);
  header.writeUInt16LE(2 * channels, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

/** Samples as little-endian bytes, whatever the machine's own order. */
export function pcmBytes(pcm: Int16Array): Buffer {
  const bytes = Buffer.from(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength)); // a copy
  return BIG_ENDIAN ? bytes.swap16() : bytes;
}

const BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** A whole mono WAV file. */
export function writeWav(pcm: Int16Array): Buffer {
  return Buffer.concat([wavHeader(pcm.byteLength, 1), pcmBytes(pcm)]);
}
