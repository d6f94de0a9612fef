import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, FrameError, MAX_FRAME_BYTES } from '../../../src/control/frames.ts';
import { cpuMs } from '../../support/cpu-time.ts';

function decode(decoder: FrameDecoder, ...chunks: Buffer[]): unknown[] {
  return chunks.flatMap((chunk) => [...decoder.push(chunk)]);
}

const header = (length: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
};

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ type: fc.string(), text: fc.string({ unit: 'grapheme', maxLength: 300 }) }), {
          maxLength: 8,
        }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 50 }),
        (messages, cuts) => {
          const stream = Buffer.concat(messages.map(encodeFrame));
          const decoder = new FrameDecoder();
          const seen: unknown[] = [];
          for (let at = 0, cut = 0; at < stream.length; cut++) {
            const end = at + (cuts[cut % cuts.length] ?? 1);
            seen.push(...decoder.push(stream.subarray(at, end)));
            at = end;
          }
          expect(seen).toEqual(messages);
        },
      ),
    );
  });

  it('do not depend on the chunk they arrived in staying as it was', () => {
    const frame = encodeFrame({ type: 'a frame in two chunks' });
    const first = Buffer.from(frame.subarray(0, 10));
    const decoder = new FrameDecoder();
    expect(decode(decoder, first)).toEqual([]);
    first.fill(0);
    expect(decode(decoder, frame.subarray(10))).toEqual([{ type: 'a frame in two chunks' }]);
  });

  it('take the largest frame and refuse one byte more by its header alone', () => {
    const largest = encodeFrame({ text: 'x'.repeat(MAX_FRAME_BYTES - '{"text":""}'.length) });
    expect(largest.length).toBe(4 + MAX_FRAME_BYTES);
    expect(decode(new FrameDecoder(), largest)).toHaveLength(1);
    expect(() => decode(new FrameDecoder(), header(MAX_FRAME_BYTES + 1))).toThrow(FrameError);
    expect(() => encodeFrame({ text: 'x'.repeat(MAX_FRAME_BYTES) })).toThrow(FrameError);
  });

  it('keep to a lower limit until it is raised', () => {
    const decoder = new FrameDecoder(64);
    const long = encodeFrame({ text: 'x'.repeat(100) });
    expect(() => decode(decoder, long)).toThrow('announces 111 bytes, at most 64');
    const trusted = new FrameDecoder(64);
    trusted.limit = MAX_FRAME_BYTES;
    expect(decode(trusted, long)).toHaveLength(1);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no JSON', Buffer.from('{"type":')],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('refuse a body that is %s', (_, body) => {
    expect(() => decode(new FrameDecoder(), header(body.length), body)).toThrow('is not JSON');
  });

  it('cost the same per byte when a large one arrives byte by byte', () => {
    const time = (size: number) => {
      const frame = encodeFrame({ text: 'x'.repeat(size) });
      const decoder = new FrameDecoder();
      return cpuMs(() => {
        let frames = 0;
        for (let at = 0; at < frame.length; at++) {
          for (const _ of decoder.push(frame.subarray(at, at + 1))) frames++;
        }
        expect(frames).toBe(1);
      });
    };
    const small = time(20_000);
    const large = time(200_000);
    // Ten times the bytes: about ten times the work; a decoder that copies what it holds for every chunk takes 100.
    expect(large).toBeLessThan(Math.max(small, 10) * 40);
  });
});
