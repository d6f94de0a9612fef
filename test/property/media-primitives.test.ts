import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, sampleOf } from '../../src/media/g711.ts';
import { innerFields, parseInner } from '../../src/media/inner-packet.ts';
import { parseRtcp } from '../../src/media/rtcp.ts';
import { parseEvent, writeEvent } from '../../src/media/rtp-event.ts';
import { parseRtp, rtpFields, writeRtpHeader } from '../../src/media/rtp-packet.ts';
import { readWav, writeWav } from '../../src/media/wav.ts';

const sample = fc.integer({ min: -32_768, max: 32_767 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

describe('G.711', () => {
  it.each(['PCMU', 'PCMA'] as const)('%s keeps order and stays within half a step', (codec) => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const decoded = (value: number) => sampleOf(codec, codeOf(codec, value));
        expect(decoded(low)).toBeLessThanOrEqual(decoded(high));
        // the largest step is 1024 (16-bit scale); µ-law clips at 32,635
        expect(Math.abs(decoded(a) - a)).toBeLessThanOrEqual(
          Math.max(16, Math.abs(a) / 16 + 8, Math.abs(a) - 32_124),
        );
      }),
    );
  });
});

describe('parsers take any bytes', () => {
  it('RTP, RTCP, events, inner packets', () => {
    fc.assert(
      fc.property(bytes, (packet) => {
        const fields = rtpFields();
        if (parseRtp(packet, fields)) {
          expect(fields.start).toBeGreaterThanOrEqual(12);
          expect(fields.end).toBeGreaterThanOrEqual(fields.start);
          expect(fields.end).toBeLessThanOrEqual(packet.length);
        }
        parseRtcp(packet);
        parseEvent(packet);
        parseInner(packet, innerFields());
      }),
    );
  });

  it('RTP that starts like RTP', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0x80, max: 0xbf }), (packet, first) => {
        if (packet.length > 0) packet[0] = first;
        const fields = rtpFields();
        if (parseRtp(packet, fields)) expect(fields.end).toBeGreaterThanOrEqual(fields.start);
      }),
    );
  });

  it('RTCP with a plausible head', () => {
    fc.assert(
      fc.property(
        bytes,
        fc.integer({ min: 0, max: 31 }),
        fc.integer({ min: 200, max: 204 }),
        (body, count, type) => {
          const words = Math.floor(body.length / 4);
          const head = Buffer.of(0x80 | count, type, words >> 8, words & 0xff);
          parseRtcp(Buffer.concat([head, body.subarray(0, words * 4)]));
        },
      ),
    );
  });

  it('WAV, from the first byte and after a good beginning', () => {
    fc.assert(
      fc.property(bytes, fc.nat(60), (noise, keep) => {
        expect(() => readWav(noise)).not.toThrow();
        const good = writeWav(Int16Array.of(1, 2, 3));
        expect(() => readWav(Buffer.concat([good.subarray(0, keep), noise]))).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

describe('round trips', () => {
  it('RTP header', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.nat(127),
        fc.nat(65_535),
        uint32,
        uint32,
        (marker, payloadType, sequence, timestamp, ssrc) => {
          const packet = Buffer.alloc(12);
          writeRtpHeader(packet, { marker, payloadType, sequence, timestamp, ssrc });
          const fields = rtpFields();
          expect(parseRtp(packet, fields)).toBe(true);
          expect(fields).toMatchObject({ marker, payloadType, sequence, timestamp, ssrc });
        },
      ),
    );
  });

  it('telephone event', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.boolean(), fc.nat(63), fc.nat(65_535), (event, end, volume, duration) => {
        const payload = new Uint8Array(4);
        writeEvent({ event, end, volume, duration }, payload);
        expect(parseEvent(payload)).toEqual({ event, end, volume, duration });
      }),
    );
  });

  it('WAV', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 500 }), (samples) => {
        expect(readWav(writeWav(Int16Array.from(samples)))).toEqual({ pcm: Int16Array.from(samples) });
      }),
    );
  });
});
