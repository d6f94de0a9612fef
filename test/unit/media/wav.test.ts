import { describe, expect, it } from 'vitest';
import { encodeG711 } from '../../../src/media/g711.ts';
import { to8k } from '../../../src/media/resample.ts';
import { readWav, wavHeader, writeWav } from '../../../src/media/wav.ts';
import { locate, shareOf, sweep } from './audio.ts';

function chunk(id: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length & 1)]);
}

function fmt(tag: number, channels: number, rate: number, bits: number, extra = Buffer.alloc(0)): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt16LE(tag, 0);
  body.writeUInt16LE(channels, 2);
  body.writeUInt32LE(rate, 4);
  body.writeUInt32LE((rate * channels * bits) / 8, 8);
  body.writeUInt16LE((channels * bits) / 8, 12);
  body.writeUInt16LE(bits, 14);
  return chunk('fmt ', Buffer.concat([body, extra]));
}

function riff(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WAVE', 'latin1'), ...chunks]);
  return chunk('RIFF', body);
}

function pcmOf(file: Uint8Array): Int16Array {
  const reading = readWav(file);
  if ('problem' in reading) throw new Error(reading.problem);
  return reading.pcm;
}

function sineAt(rate: number, frequency: number, ms = 500): Int16Array {
  return Int16Array.from({ length: (rate * ms) / 1_000 }, (_, i) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * frequency * i) / rate)),
  );
}

const bytesOf = (pcm: Int16Array) => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);

describe('reading WAV', () => {
  it('reads the longest file that is played, 40 minutes, in a moment', () => {
    const pcm = new Int16Array(40 * 60 * 8_000).fill(1_234);
    const read = readWav(writeWav(pcm));
    expect('pcm' in read && Buffer.from(read.pcm.buffer).equals(Buffer.from(pcm.buffer))).toBe(true);
  });

  it('reads back what it writes', () => {
    const pcm = sweep(300);
    expect(pcmOf(writeWav(pcm))).toEqual(pcm);
  });

  it('passes over chunks of odd length before and between', () => {
    const file = riff(
      chunk('LIST', Buffer.from('abc')),
      fmt(1, 1, 8_000, 16),
      chunk('fact', Buffer.alloc(5)),
      chunk('data', Buffer.from('0100feff', 'hex')),
      chunk('junk', Buffer.alloc(1)),
    );
    expect([...pcmOf(file)]).toEqual([1, -2]);
  });

  it.each(['PCMU', 'PCMA'] as const)('reads %s', (codec) => {
    const pcm = sweep(100);
    const codes = new Uint8Array(pcm.length);
    encodeG711(codec, pcm, codes);
    const file = riff(fmt(codec === 'PCMU' ? 7 : 6, 1, 8_000, 8), chunk('data', codes));
    expect(locate(pcm, pcmOf(file)).correlation).toBeGreaterThan(0.999);
  });

  it('reads 8, 24 and 32 bit and float', () => {
    const read = (tag: number, bits: number, hex: string) => [
      ...pcmOf(riff(fmt(tag, 1, 8_000, bits), chunk('data', Buffer.from(hex, 'hex')))),
    ];
    expect(read(1, 8, '80ff00')).toEqual([0, 32_512, -32_768]);
    expect(read(1, 24, '000001ffffff')).toEqual([256, 0]);
    expect(read(1, 32, '00000100')).toEqual([1]);
    expect(read(3, 32, '0000803f000080bf0000c07f')).toEqual([32_767, -32_767, 0]);
  });

  it('reads WAVE_FORMAT_EXTENSIBLE by its sub-format', () => {
    const extra = Buffer.alloc(24);
    extra.writeUInt16LE(22, 0);
    extra.writeUInt16LE(7, 8);
    const file = riff(fmt(0xfffe, 1, 8_000, 8, extra), chunk('data', Buffer.of(0x80, 0xff)));
    expect([...pcmOf(file)]).toEqual([32_124, 0]);
  });

  it('averages stereo', () => {
    const file = riff(fmt(1, 2, 8_000, 16), chunk('data', bytesOf(Int16Array.of(100, 300, -50, 50))));
    expect([...pcmOf(file)]).toEqual([200, 0]);
  });

  it.each([11_025, 16_000, 22_050, 44_100, 48_000])('brings %i Hz to 8 kHz', (rate) => {
    const pcm = pcmOf(riff(fmt(1, 1, rate, 16), chunk('data', bytesOf(sineAt(rate, 1_000)))));
    expect(Math.abs(pcm.length - 4_000)).toBeLessThanOrEqual(1);
    expect(shareOf(1_000, pcm)).toBeGreaterThan(0.99);
    expect(Math.max(...pcm)).toBeGreaterThan(9_500);
    expect(Math.max(...pcm)).toBeLessThan(10_800);
  });

  it('lets nothing above 4 kHz fold back', () => {
    const folded = to8k(sineAt(16_000, 5_000), 16_000).subarray(200, -200); // would sound as 3 kHz
    expect(Math.max(...folded.map(Math.abs))).toBeLessThan(20);
    const kept = to8k(sineAt(16_000, 3_300), 16_000).subarray(200, -200);
    expect(Math.max(...kept)).toBeGreaterThan(9_000);
  });

  it('reads as far as a cut or unbounded data chunk goes', () => {
    const file = Buffer.concat([wavHeader(0xffff_ff00, 1), Buffer.from('0100020003', 'hex')]);
    expect([...pcmOf(file)]).toEqual([1, 2]);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'does not begin with RIFF'],
    ['MP3', Buffer.from('ID3\u0003 and so on, long enough'), 'does not begin with RIFF'],
    ['no data', riff(fmt(1, 1, 8_000, 16)), 'no "data" chunk'],
    ['data first', riff(chunk('data', Buffer.alloc(4))), 'before any "fmt " chunk'],
    ['a short format', riff(chunk('fmt ', Buffer.alloc(10))), 'cut short'],
    ['ADPCM', riff(fmt(2, 1, 8_000, 4), chunk('data', Buffer.alloc(4))), 'WAV format 2 with 4 bits'],
    ['no channels', riff(fmt(1, 0, 8_000, 16), chunk('data', Buffer.alloc(4))), 'no channels'],
    ['an absurd rate', riff(fmt(1, 1, 1, 16), chunk('data', Buffer.alloc(4))), '1 samples a second'],
  ])('says what is wrong with %s', (_, file, problem) => {
    const reading = readWav(file);
    expect('problem' in reading && reading.problem).toContain(problem);
  });
});

describe('the WAV header', () => {
  it('names one or two channels', () => {
    expect(wavHeader(8, 2).toString('hex')).toBe(
      '524946462c00000057415645666d74201000000001000200401f0000007d00000400100064617461' + '08000000',
    );
  });
});
