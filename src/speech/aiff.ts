import { sampleOf } from '../media/g711.ts';
import { to8k } from '../media/resample.ts';
import type { DecodedAudio } from './port.ts';

interface Common {
  readonly channels: number;
  readonly bits: number;
  readonly rate: number;
  /** `NONE` for AIFF; AIFF-C's compression type otherwise. */
  readonly encoding: string;
}

type ReadSample = (view: DataView, at: number) => number;

/** How one sample is read as a number on the scale of 16 bits, by encoding and bits. */
const READERS: Readonly<Record<string, ReadSample>> = {
  'NONE/8': (view, at) => view.getInt8(at) << 8,
  'NONE/16': (view, at) => view.getInt16(at, false),
  'NONE/24': (view, at) => view.getInt16(at, false) + view.getUint8(at + 2) / 256,
  'sowt/16': (view, at) => view.getInt16(at, true),
  'ulaw/8': (view, at) => sampleOf('PCMU', view.getUint8(at)),
  'alaw/8': (view, at) => sampleOf('PCMA', view.getUint8(at)),
};

/**
 * Decodes AIFF and AIFF-C: PCM of 8, 16 or 24 bit, µ-law and A-law.
 * @see Apple's Audio Interchange File Format, version 1.3 (1989) and AIFF-C (1991)
 */
export function decodeAiff(body: Uint8Array): DecodedAudio {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 12 || text(view, 0) !== 'FORM' || !['AIFF', 'AIFC'].includes(text(view, 8)))
    return { problem: 'this is no AIFF file: it does not begin with FORM … AIFF' };
  let common: Common | undefined;
  let sound: { readonly at: number; readonly size: number } | undefined;
  for (let at = 12; at + 8 <= body.length; ) {
    const id = text(view, at);
    const size = Math.min(view.getUint32(at + 4, false), body.length - at - 8);
    if (id === 'COMM' && size >= 18)
      common = readCommon(view, at + 8, text(view, 8) === 'AIFC' && size >= 22);
    if (id === 'SSND' && size >= 8) sound = { at: at + 16, size: size - 8 }; // offset and block size first
    at += 8 + size + (size & 1);
  }
  if (!common || !sound) return { problem: 'this AIFF file has no "COMM" or no "SSND" chunk' };
  const { channels, bits, rate, encoding } = common;
  const read = READERS[`${encoding}/${bits}`];
  if (!read || channels < 1 || !(rate >= 1_000 && rate <= 192_000))
    return { problem: `AIFF with encoding ${encoding}, ${bits} bits and ${rate} Hz is not supported` };
  const width = bits / 8;
  const mono = new Float32Array(Math.floor(sound.size / (width * channels)));
  for (let i = 0; i < mono.length; i += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1)
      sum += read(view, sound.at + (i * channels + channel) * width);
    mono[i] = sum / channels;
  }
  return { pcm: to8k(mono, rate) };
}

function readCommon(view: DataView, at: number, compressed: boolean): Common {
  const encoding = compressed ? text(view, at + 18) : 'NONE';
  const g711 = /^(?:ulaw|alaw)$/i.test(encoding);
  return {
    channels: view.getUint16(at, false),
    // µ-law and A-law give the bits they decode to.
    bits: g711 ? 8 : view.getUint16(at + 6, false),
    rate: extended(view, at + 8),
    encoding: g711 ? encoding.toLowerCase() : encoding,
  };
}

/** An 80-bit IEEE 754 number: sign and exponent in 16 bits, then a mantissa of 64 with its integer bit. */
function extended(view: DataView, at: number): number {
  const exponent = (view.getUint16(at, false) & 0x7fff) - 16_383;
  const mantissa = view.getUint32(at + 2, false) * 2 ** -31 + view.getUint32(at + 6, false) * 2 ** -63;
  return mantissa * 2 ** exponent;
}

function text(view: DataView, at: number): string {
  return String.fromCharCode(...Array.from({ length: 4 }, (_, i) => view.getUint8(at + i)));
}
