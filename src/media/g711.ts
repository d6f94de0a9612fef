import type { Codec } from './format.ts';

/**
 * G.711 by table: 256 entries to decode a law, 65,536 to encode it. Samples are linear PCM, 16 bit; µ-law uses
 * their upper 14 bits and A-law their upper 13.
 *
 * @see ITU-T G.711 (1988), tables 1 and 2, and G.191's `ulaw_*` and `alaw_*` for 16-bit alignment
 */

const ULAW_BIAS = 33; // G.711 table 2a: decision values are offset so that every segment starts at a power of two
const ULAW_LARGEST = 0x1fff; // 14-bit magnitude that still fits segment 8

function ulawOf(sample: number): number {
  const magnitude = Math.min(((sample < 0 ? ~sample : sample) >> 2) + ULAW_BIAS, ULAW_LARGEST);
  const segment = 31 - Math.clz32(magnitude) - 5;
  const step = (magnitude >> (segment + 1)) & 0x0f;
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | step) & 0xff; // all bits are sent inverted
}

function ofUlaw(code: number): number {
  const bits = ~code & 0xff;
  const segment = (bits >> 4) & 7;
  const magnitude = (((((bits & 0x0f) << 1) + ULAW_BIAS) << segment) - ULAW_BIAS) << 2;
  return bits & 0x80 ? -magnitude : magnitude;
}

const ALAW_EVEN_BITS = 0x55; // G.711 §3: even bits are inverted on the line

function alawOf(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4;
  const segment = magnitude < 16 ? 0 : 31 - Math.clz32(magnitude) - 3;
  const step = segment < 2 ? magnitude & 0x0f : (magnitude >> (segment - 1)) & 0x0f;
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | step) ^ ALAW_EVEN_BITS;
}

function ofAlaw(code: number): number {
  const bits = code ^ ALAW_EVEN_BITS;
  const segment = (bits >> 4) & 7;
  const step = (((bits & 0x0f) + (segment === 0 ? 0 : 16)) << 4) + 8;
  const magnitude = segment < 2 ? step : step << (segment - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

interface Law {
  /** Indexed by the code. */
  readonly decode: Int16Array;
  /** Indexed by the sample's 16 bits, taken as an unsigned number. */
  readonly encode: Uint8Array;
  /** The code of a zero sample. */
  readonly silence: number;
}

function tables(encode: (sample: number) => number, decode: (code: number) => number): Law {
  return {
    decode: Int16Array.from({ length: 256 }, (_, code) => decode(code)),
    encode: Uint8Array.from({ length: 65_536 }, (_, bits) => encode((bits << 16) >> 16)),
    silence: encode(0),
  };
}

const LAWS: Readonly<Record<Codec, Law>> = {
  PCMU: tables(ulawOf, ofUlaw),
  PCMA: tables(alawOf, ofAlaw),
};

/** Encodes all of `pcm` into the start of `into`, which must be at least as long. */
export function encodeG711(codec: Codec, pcm: Int16Array, into: Uint8Array): void {
  const table = LAWS[codec].encode;
  for (let i = 0; i < pcm.length; i++) into[i] = table[(pcm[i] ?? 0) & 0xffff] ?? 0;
}

/** Decodes all of `codes` into the start of `into`, which must be at least as long. */
export function decodeG711(codec: Codec, codes: Uint8Array, into: Int16Array): void {
  const table = LAWS[codec].decode;
  for (let i = 0; i < codes.length; i++) into[i] = table[codes[i] ?? 0] ?? 0;
}

/** The byte a silent stream consists of: 0xFF for µ-law, 0xD5 for A-law. */
export function silenceByte(codec: Codec): number {
  return LAWS[codec].silence;
}

/** One code of a law as a sample. */
export function sampleOf(codec: Codec, code: number): number {
  return LAWS[codec].decode[code & 0xff] ?? 0;
}

/** One sample as a code of a law. */
export function codeOf(codec: Codec, sample: number): number {
  return LAWS[codec].encode[sample & 0xffff] ?? 0;
}

/** Rewrites `codes` in place from one law into the other. */
export function convertG711(from: Codec, to: Codec, codes: Uint8Array): void {
  if (from === to) return;
  for (let i = 0; i < codes.length; i++) codes[i] = codeOf(to, sampleOf(from, codes[i] ?? 0));
}
