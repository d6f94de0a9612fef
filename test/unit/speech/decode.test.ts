import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeG711 } from '../../../src/media/g711.ts';
import { writeWav } from '../../../src/media/wav.ts';
import { decodeAudio } from '../../../src/speech/decode.ts';

/** Half a second of A at 44.1 kHz, two channels, 48 kbit/s, made with lame. */
const MP3 = readFileSync(new URL('tone-440.mp3', import.meta.url));

const tone = Int16Array.from({ length: 4_000 }, (_, i) =>
  Math.round(8_000 * Math.sin((2 * Math.PI * 440 * i) / 8_000)),
);

async function pcmOf(body: Uint8Array, contentType: string): Promise<Int16Array> {
  const decoded = await decodeAudio(body, contentType);
  if ('problem' in decoded) throw new Error(decoded.problem);
  return decoded.pcm;
}

/** Rising zero crossings a second, away from the ends. */
function pitch(pcm: Int16Array): number {
  const middle = pcm.subarray(800, pcm.length - 800);
  let crossings = 0;
  for (let i = 1; i < middle.length; i += 1)
    if ((middle[i - 1] ?? 0) < 0 && (middle[i] ?? 0) >= 0) crossings += 1;
  return (crossings * 8_000) / middle.length;
}

/** AIFF-C of one channel: header as the standard lays it out, samples as given. */
function aifc(encoding: string, bits: number, samples: Buffer): Buffer {
  const chunk = (id: string, body: Buffer) => {
    const head = Buffer.alloc(8);
    head.write(id, 0, 'latin1');
    head.writeUInt32BE(body.length, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length & 1)]);
  };
  const common = Buffer.alloc(24);
  common.writeUInt16BE(1, 0);
  common.writeUInt32BE(samples.length / (bits / 8), 2);
  common.writeUInt16BE(encoding === 'ulaw' ? 16 : bits, 6);
  common.writeUInt16BE(16_383 + 12, 8); // 8000 = 2^12 · 1.953125
  common.writeUInt32BE(0xfa000000, 10);
  common.write(encoding, 18, 'latin1');
  const body = Buffer.concat([
    Buffer.from('AIFC'),
    chunk('COMM', common),
    chunk('SSND', Buffer.concat([Buffer.alloc(8), samples])),
  ]);
  return chunk('FORM', body);
}

function bigEndian(pcm: Int16Array): Buffer {
  const bytes = Buffer.alloc(pcm.length * 2);
  for (const [i, sample] of pcm.entries()) bytes.writeInt16BE(sample, 2 * i);
  return bytes;
}

describe('decodeAudio', () => {
  it.each(['audio/mpeg', 'audio/mp3'])('makes 8 kHz mono of MP3 as %s', async (type) => {
    const pcm = await pcmOf(MP3, type);
    // The encoder pads to whole frames of 1152 samples, in front as well.
    expect(pcm.length / 8_000).toBeGreaterThanOrEqual(0.5);
    expect(pcm.length / 8_000).toBeLessThan(0.6);
    expect(pitch(pcm)).toBeGreaterThan(425);
    expect(pitch(pcm)).toBeLessThan(455);
    expect(Math.max(...pcm)).toBeGreaterThan(14_000); // recorded at half of full scale
    expect(Math.max(...pcm)).toBeLessThan(18_500);
  });

  it.each(['audio/wav', 'audio/wave', 'audio/x-wav', 'audio/vnd.wave'])('reads WAV as %s', async (type) => {
    expect(await pcmOf(writeWav(tone), type)).toEqual(tone);
  });

  it.each(['audio/ulaw', 'audio/basic'])('reads bare µ-law as %s', async (type) => {
    const codes = new Uint8Array(tone.length);
    encodeG711('PCMU', tone, codes);
    const pcm = await pcmOf(codes, type);
    expect(pcm.length).toBe(tone.length);
    expect(Math.max(...pcm.map((sample, i) => Math.abs(sample - (tone[i] ?? 0))))).toBeLessThan(260);
  });

  it.each(['audio/aiff', 'audio/x-aiff', 'audio/x-aifc'])('reads AIFF as %s', async (type) => {
    expect(await pcmOf(aifc('NONE', 16, bigEndian(tone)), type)).toEqual(tone);
    expect(
      (await pcmOf(aifc('ulaw', 8, Buffer.alloc(400, 0xff)), type)).every((sample) => sample === 0),
    ).toBe(true);
  });

  it.each([
    ['audio/mpeg', Buffer.from('<html>not found</html>')],
    ['audio/mpeg', Buffer.alloc(0)],
    ['audio/wav', MP3],
    ['audio/aiff', writeWav(tone)],
    ['audio/aiff', Buffer.from('FORM....AIFF')],
    ['audio/gsm', Buffer.alloc(33)],
    ['audio/x-gsm', Buffer.alloc(33)],
    ['audio/ogg', Buffer.alloc(33)],
    ['application/octet-stream', writeWav(tone)],
    ['', writeWav(tone)],
  ])('says what to do about %s that cannot be read', async (type, body) => {
    expect(await decodeAudio(body, type)).toEqual({
      problem: expect.stringMatching(/; (convert it to WAV or MP3|send audio\/mpeg)/),
    });
  });

  it('survives files cut short at any byte', async () => {
    const whole = aifc('NONE', 16, bigEndian(tone.subarray(0, 40)));
    for (let length = 0; length < whole.length; length += 1)
      await expect(decodeAudio(whole.subarray(0, length), 'audio/aiff')).resolves.toBeDefined();
    for (let length = 0; length < 200; length += 7)
      await expect(decodeAudio(MP3.subarray(0, length), 'audio/mpeg')).resolves.toBeDefined();
  });
});
