import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf, sampleOf } from '../../src/media/g711.ts';
import { JitterBuffer } from '../../src/media/stream/jitter-buffer.ts';

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const tag = (index: number) => 1_000 + (index % 200) * 100;
const heard = (index: number) => sampleOf('PCMU', codeOf('PCMU', tag(index)));

describe('the jitter buffer', () => {
  it('takes any packets and always gives a frame', () => {
    const packet = fc.record({
      source: fc.nat(2),
      timestamp: fc.oneof(uint32, fc.nat(5_000)),
      marker: fc.boolean(),
      length: fc.nat(1_700),
      pulls: fc.nat(5),
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 60 }), (packets) => {
        const buffer = new JitterBuffer();
        for (const { source, timestamp, marker, length, pulls } of packets) {
          buffer.insert(source, timestamp, marker, 'PCMA', new Uint8Array(length).fill(3));
          for (let i = 0; i < pulls; i++) {
            const frame = new Int16Array(160).fill(12_345);
            expect(['audio', 'concealed', 'nothing']).toContain(buffer.pull(frame));
            expect(frame.includes(12_345)).toBe(false);
          }
          expect(buffer.delay).toBeGreaterThanOrEqual(320);
          expect(buffer.delay).toBeLessThanOrEqual(1_600);
        }
      }),
    );
  });

  it('plays every packet once and in order when none is later than 20 ms, whatever else happens to them', () => {
    const disorder = fc.array(fc.record({ lateMs: fc.nat(19), twice: fc.boolean() }), {
      minLength: 20,
      maxLength: 100,
    });
    fc.assert(
      fc.property(disorder, uint32, (packets, start) => {
        const buffer = new JitterBuffer();
        const arrivals = packets
          .flatMap(({ lateMs, twice }, index) => {
            const at = index * 20 + (index === 0 ? 0 : lateMs);
            return twice
              ? [
                  { at, index },
                  { at: at + 1, index },
                ]
              : [{ at, index }];
          })
          .sort((a, b) => a.at - b.at);
        const played: number[] = [];
        for (let turn = 0; turn < packets.length + 5; turn++) {
          const now = turn * 20 + 10;
          for (let next = arrivals[0]; next && next.at <= now; next = arrivals[0]) {
            arrivals.shift();
            const payload = new Uint8Array(160).fill(codeOf('PCMU', tag(next.index)));
            buffer.insert(1, (start + next.index * 160) >>> 0, next.index === 0, 'PCMU', payload);
          }
          const frame = new Int16Array(160);
          if (buffer.pull(frame) === 'audio') played.push(frame[0] ?? 0);
        }
        expect(played).toEqual(packets.map((_, index) => heard(index)));
        expect(buffer.late).toBe(0);
      }),
    );
  });
});
