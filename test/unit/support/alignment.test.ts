import { describe, expect, it } from 'vitest';
import { decodeG711, encodeG711 } from '../../../src/media/g711.ts';
import { align, noise, share } from '../../support/alignment.ts';

const said = noise(2);

/** As it comes through a telephone network. */
function coded(pcm: Int16Array): Int16Array {
  const codes = new Uint8Array(pcm.length);
  encodeG711('PCMU', pcm, codes);
  const decoded = new Int16Array(pcm.length);
  decodeG711('PCMU', codes, decoded);
  return decoded;
}

const join = (...parts: Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));
const silence = (ms: number) => new Int16Array(ms * 8);
const piece = (fromMs: number, toMs: number) => coded(said).subarray(fromMs * 8, toMs * 8);

describe('the alignment of what was heard with what was said', () => {
  it('is complete for the same sound, late, quieter and coded', () => {
    const heard = join(silence(123), coded(said.map((sample) => sample / 4)), silence(50));
    expect(align(said, heard)).toEqual({
      from: 0,
      to: 2_000,
      found: 2_000,
      missing: 0,
      longest: 0,
      inserted: 0,
      foreign: 0,
    });
    expect(share(said, heard)).toBe(1);
  });

  it('takes pauses for pauses, wherever they are and whatever fades into them', () => {
    const faded = piece(480, 500).map((sample) => sample / 2);
    const heard = join(piece(0, 500), faded, silence(700), piece(500, 905), silence(33), piece(905, 2_000));
    const { found, missing, inserted, foreign } = align(said, heard);
    expect(missing + 2_000 - found).toBeLessThanOrEqual(20); // the block that a pause cuts in two
    expect(foreign).toBe(0);
    expect(inserted).toBeGreaterThan(740);
  });

  it('counts what is missing', () => {
    expect(align(said, join(piece(0, 600), piece(800, 2_000)))).toMatchObject({ found: 1_800, missing: 200 });
    expect(align(said, join(piece(0, 600), silence(200), piece(800, 2_000))).missing).toBe(200);
    const everyTenth = Array.from({ length: 100 }, (_, n) =>
      n % 10 === 5 ? silence(20) : piece(n * 20, n * 20 + 20),
    );
    expect(align(said, join(...everyTenth))).toMatchObject({ missing: 200, longest: 20 });
  });

  it('counts what was heard twice, or is another sound', () => {
    expect(align(said, join(piece(0, 600), piece(500, 2_000))).foreign).toBe(100);
    expect(align(said, join(piece(0, 600), noise(0.1, 7), piece(600, 2_000))).foreign).toBe(100);
  });

  it('knows order, and other sounds', () => {
    const { found } = align(said, join(piece(1_000, 2_000), piece(0, 1_000)));
    expect(found).toBeLessThan(1_100);
    expect(share(said, coded(noise(2, 7)))).toBe(0);
    expect(share(said, silence(2_000))).toBe(0);
  });

  it('says which part was heard', () => {
    expect(align(said, piece(505, 1_500))).toMatchObject({ from: 510, to: 1_500, missing: 0, foreign: 0 });
  });
});
