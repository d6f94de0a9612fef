import { describe, expect, it } from 'vitest';
import { writeEvent } from '../../../../src/media/rtp-event.ts';
import { KeyReceiver } from '../../../../src/media/stream/key-receiver.ts';
import { Reception, roundTripMs } from '../../../../src/media/stream/reception.ts';
import { SourceLatch } from '../../../../src/media/stream/source-latch.ts';

interface Packet {
  readonly event: number;
  readonly at: number;
  readonly duration?: number;
  readonly end?: boolean;
  readonly marker?: boolean;
  readonly source?: number;
}

function keysOf(packets: readonly Packet[]): string {
  const receiver = new KeyReceiver();
  return packets
    .map(({ event, at, duration = 160, end = false, marker = false, source = 1 }) => {
      const payload = new Uint8Array(4);
      writeEvent({ event, end, volume: 10, duration }, payload);
      return receiver.packet(source, at, marker, payload) ?? '';
    })
    .join('');
}

describe('KeyReceiver', () => {
  it('hears one key in many packets', () => {
    const packets = [160, 320, 480].map((duration) => ({
      event: 5,
      at: 1_000,
      duration,
      marker: duration === 160,
    }));
    expect(
      keysOf([...packets, ...[0, 1, 2].map(() => ({ event: 5, at: 1_000, duration: 640, end: true }))]),
    ).toBe('5');
  });

  it('hears a key of which only one end packet came', () => {
    expect(keysOf([{ event: 11, at: 1_000, duration: 800, end: true }])).toBe('#');
  });

  it('hears the same key twice although the first never ended', () => {
    expect(
      keysOf([
        { event: 1, at: 1_000, duration: 160, marker: true },
        { event: 1, at: 1_000, duration: 800 },
        { event: 1, at: 3_000, duration: 160 },
      ]),
    ).toBe('11');
  });

  it('knows stragglers of earlier keys', () => {
    expect(
      keysOf([
        { event: 1, at: 1_000, end: true },
        { event: 2, at: 3_000, end: true },
        { event: 1, at: 1_000, end: true },
        { event: 2, at: 3_000, end: true },
      ]),
    ).toBe('12');
  });

  it('takes the segments of a long press for one', () => {
    expect(
      keysOf([
        { event: 9, at: 1_000, duration: 160, marker: true },
        { event: 9, at: 1_000, duration: 0xffff },
        { event: 9, at: 1_000 + 0xffff, duration: 160 },
        { event: 9, at: 1_000 + 0xffff, duration: 480, end: true },
      ]),
    ).toBe('9');
  });

  it('bears senders that advance the timestamp with every update', () => {
    expect(
      keysOf([
        { event: 3, at: 1_000, duration: 160, marker: true },
        { event: 3, at: 1_160, duration: 320 },
        { event: 3, at: 1_320, duration: 480, end: true },
        { event: 3, at: 1_320, duration: 480, end: true },
      ]),
    ).toBe('3');
  });

  it('ignores what is no key and begins again with a new source', () => {
    expect(keysOf([{ event: 16, at: 0 }])).toBe('');
    expect(new KeyReceiver().packet(1, 0, true, new Uint8Array(3))).toBeUndefined();
    expect(
      keysOf([
        { event: 4, at: 1_000, source: 1 },
        { event: 4, at: 1_000, source: 2 },
      ]),
    ).toBe('44');
  });
});

describe('SourceLatch', () => {
  it('believes the first source, and another only after a silence', () => {
    const latch = new SourceLatch();
    expect(latch.source).toBeUndefined();
    expect(latch.accepts('192.0.2.1', 4_000, 0)).toBe(true);
    expect(latch.accepts('192.0.2.66', 4_000, 10)).toBe(false);
    expect(latch.accepts('192.0.2.1', 4_002, 20)).toBe(false);
    expect(latch.accepts('192.0.2.1', 4_000, 2_000)).toBe(true);
    expect(latch.accepts('192.0.2.66', 4_000, 4_999)).toBe(false);
    expect(latch.accepts('192.0.2.66', 4_000, 5_000)).toBe(true);
    expect(latch.source).toEqual({ address: '192.0.2.66', port: 4_000 });
    latch.reset();
    expect(latch.accepts('192.0.2.1', 4_000, 5_001)).toBe(true);
  });
});

describe('Reception', () => {
  it('counts losses over the wrap, not duplicates or reordering', () => {
    const reception = new Reception();
    for (const sequence of [65_534, 65_535, 1, 0, 0, 4]) reception.packet(9, sequence, 0, 0);
    expect([reception.packets, reception.lost]).toEqual([6, 1]); // 7 expected, 6 came, one of them twice
    expect(reception.report(0)).toMatchObject({ ssrc: 9, highestSequence: 65_540, lost: 1 });
  });

  it('has no jitter when packets come as they were sent, and some when not', () => {
    const steady = new Reception();
    const shaky = new Reception();
    for (let i = 0; i < 200; i++) {
      steady.packet(1, i, i * 160, 1_000 + i * 20);
      shaky.packet(1, i, i * 160, 1_000 + i * 20 + (i % 2) * 8);
    }
    expect(steady.jitterMs).toBe(0);
    expect(shaky.jitterMs).toBeGreaterThan(7);
    expect(shaky.jitterMs).toBeLessThan(8.1);
  });

  it('reports the fraction lost since the last report', () => {
    const reception = new Reception();
    for (const sequence of [0, 1, 2, 3]) reception.packet(1, sequence, 0, 0);
    expect(reception.report(0)?.fractionLost).toBe(0);
    for (const sequence of [5, 7]) reception.packet(1, sequence, 0, 0);
    expect(reception.report(0)?.fractionLost).toBe(128);
  });

  it('keeps the losses of an earlier source', () => {
    const reception = new Reception();
    reception.packet(1, 10, 0, 0);
    reception.packet(1, 13, 0, 0);
    reception.packet(2, 5_000, 0, 0);
    expect([reception.packets, reception.lost]).toEqual([3, 2]);
  });

  it('returns the time since the last sender report, from which the peer computes the round trip', () => {
    const reception = new Reception();
    reception.packet(1, 10, 0, 0);
    reception.senderReport(0xabcd_0000, 1_000);
    const report = reception.report(1_500);
    expect(report).toMatchObject({ lastReport: 0xabcd_0000, delaySinceLastReport: 32_768 });
    const sent = Date.UTC(2026, 0, 1);
    const block = { ssrc: 1, fractionLost: 0, lost: 0, highestSequence: 0, jitter: 0 };
    const middle = ((sent / 1_000 + 2_208_988_800) % 65_536) * 65_536;
    expect(roundTripMs({ ...block, lastReport: middle, delaySinceLastReport: 65_536 }, sent + 1_250)).toBe(
      250,
    );
    expect(roundTripMs({ ...block, lastReport: 0, delaySinceLastReport: 0 }, sent)).toBeUndefined();
  });
});
