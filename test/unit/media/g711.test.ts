import { describe, expect, it } from 'vitest';
import {
  codeOf,
  convertG711,
  decodeG711,
  encodeG711,
  sampleOf,
  silenceByte,
} from '../../../src/media/g711.ts';

/** µ-law by G.711's decision values: find the segment by logarithm, the step by division. */
function referenceUlaw(sample: number): number {
  const magnitude = Math.min(Math.floor((sample < 0 ? -sample - 1 : sample) / 4) + 33, 8191);
  const segment = Math.floor(Math.log2(magnitude + 0.5)) - 5;
  const step = Math.floor((magnitude - 2 ** (segment + 5)) / 2 ** (segment + 1));
  const code = segment * 16 + step;
  return (sample < 0 ? 0x7f : 0xff) - code;
}

function referenceAlaw(sample: number): number {
  const magnitude = Math.floor((sample < 0 ? -sample - 1 : sample) / 16);
  const segment = magnitude < 32 ? (magnitude < 16 ? 0 : 1) : Math.floor(Math.log2(magnitude + 0.5)) - 3;
  const step = segment === 0 ? magnitude : Math.floor(magnitude / 2 ** (segment - 1)) - 16;
  return ((sample < 0 ? 0 : 128) + segment * 16 + step) ^ 0x55;
}

describe('G.711', () => {
  it('encodes all 65,536 samples as the formula says', () => {
    const wrong: number[] = [];
    for (let sample = -32_768; sample <= 32_767; sample++) {
      if (codeOf('PCMU', sample) !== referenceUlaw(sample)) wrong.push(sample);
      if (codeOf('PCMA', sample) !== referenceAlaw(sample)) wrong.push(sample);
    }
    expect(wrong).toEqual([]);
  });

  it.each([
    // ITU-T G.711 tables 1 and 2: quantized values scaled to 16 bits
    ['PCMU', 0x80, 32_124],
    ['PCMU', 0x00, -32_124],
    ['PCMU', 0xff, 0],
    ['PCMU', 0xfe, 8],
    ['PCMU', 0xef, 132],
    ['PCMU', 0xdf, 396],
    ['PCMA', 0xd5, 8],
    ['PCMA', 0x55, -8],
    ['PCMA', 0xaa, 32_256],
    ['PCMA', 0x2a, -32_256],
    ['PCMA', 0xc5, 264],
  ] as const)('decodes %s %i as %i', (codec, code, sample) => {
    expect(sampleOf(codec, code)).toBe(sample);
  });

  it.each(['PCMU', 'PCMA'] as const)('%s survives decoding and encoding again', (codec) => {
    for (let code = 0; code < 256; code++) {
      // µ-law has two zeros; the negative one becomes the positive one
      const expected = codec === 'PCMU' && code === 0x7f ? 0xff : code;
      expect(codeOf(codec, sampleOf(codec, code))).toBe(expected);
    }
  });

  it('knows the bytes of silence', () => {
    expect([silenceByte('PCMU'), silenceByte('PCMA')]).toEqual([0xff, 0xd5]);
  });

  it('encodes and decodes whole frames into given buffers', () => {
    const codes = new Uint8Array(4).fill(1);
    encodeG711('PCMU', Int16Array.of(0, 32_767, -32_768), codes);
    expect([...codes]).toEqual([0xff, 0x80, 0x00, 1]);
    const pcm = new Int16Array(3);
    decodeG711('PCMU', codes.subarray(0, 3), pcm);
    expect([...pcm]).toEqual([0, 32_124, -32_124]);
  });

  it('converts one law into the other in place', () => {
    const codes = Uint8Array.of(0xff, 0x80);
    convertG711('PCMU', 'PCMA', codes);
    expect([...codes]).toEqual([0xd5, 0xaa]);
    convertG711('PCMA', 'PCMA', codes);
    expect([...codes]).toEqual([0xd5, 0xaa]);
  });
});
