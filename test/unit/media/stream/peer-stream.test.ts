import { beforeEach, describe, expect, it } from 'vitest';
import type { MediaFormat } from '../../../../src/media/format.ts';
import { innerFields } from '../../../../src/media/inner-packet.ts';
import { PeerStream } from '../../../../src/media/stream/peer-stream.ts';

const PCMU: MediaFormat = { codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101 };

interface Sent {
  readonly at: number;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly first: number;
}

describe('PeerStream', () => {
  let now: number;
  let sent: Sent[];
  let stream: PeerStream;

  beforeEach(() => {
    now = 1_000;
    sent = [];
    stream = new PeerStream(
      { origin: 1_000, sequence: 65_534, timestamp: 2 ** 32 - 160 },
      (payloadType, marker, sequence, timestamp, payload) =>
        sent.push({ at: now, payloadType, marker, sequence, timestamp, first: payload[0] ?? -1 }),
    );
  });

  /** Turns at every deadline up to `end`, with the worker's frames at their times in between. */
  function run(end: number, frames: readonly number[] = []): void {
    const moments = [...frames.map((at) => ({ at, frame: true }))];
    for (let at = 1_000; at <= end; at += 20) if (at >= now) moments.push({ at, frame: false });
    for (const { at, frame } of moments.sort((a, b) => a.at - b.at)) {
      now = at;
      if (frame) stream.fromWorker(innerFields(), new Uint8Array(160).fill(1), now);
      else stream.fill(now);
    }
    now = end;
  }

  const kinds = () => sent.map(({ first }) => (first === 1 ? 'w' : '.')).join('');

  function expectContinuous(): void {
    for (const [index, packet] of sent.entries()) {
      const before = sent[index - 1];
      if (!before) continue;
      expect(packet.sequence).toBe((before.sequence + 1) & 0xffff);
      expect((packet.timestamp - before.timestamp) >>> 0).toBe(160);
    }
  }

  it('sends nothing before it is configured', () => {
    run(1_100);
    stream.fromWorker(innerFields(), new Uint8Array(160), now);
    expect(sent).toEqual([]);
  });

  it('fills every 20 ms with silence, in step with time and over both wraps', () => {
    stream.configure(PCMU, true, now);
    run(2_000);
    expect(sent.length).toBe(51);
    expect(sent.map(({ first }) => first)).toEqual(Array(51).fill(0xff));
    expect(sent.map(({ marker }) => marker)).toEqual([true, ...Array(50).fill(false)]);
    expectContinuous();
  });

  it.each([0, 3, 7, 10, 14, 19])(
    'takes the worker’s frames %i ms after a deadline without a hole or a jump',
    (phase) => {
      stream.configure(PCMU, true, now);
      const frames = Array.from({ length: 50 }, (_, i) => 1_101 + phase + i * 20);
      run(2_600, frames);
      expect(kinds()).toMatch(/^\.+w{50}\.+$/);
      expectContinuous();
      expect(Math.abs(sent.length - 81)).toBeLessThanOrEqual(1);
    },
  );

  it('bears the jitter of the inner hop inside a prompt', () => {
    stream.configure(PCMU, true, now);
    const frames = Array.from({ length: 50 }, (_, i) => 1_105 + i * 20 + (i % 3) * 7);
    run(2_600, frames);
    expect(kinds()).toMatch(/^\.+w{50}\.+$/);
  });

  it('stays in step over many prompts', () => {
    stream.configure(PCMU, true, now);
    const frames: number[] = [];
    for (let prompt = 0; prompt < 100; prompt++) {
      for (let i = 0; i < 3; i++) frames.push(1_100 + prompt * 207 + i * 20);
    }
    run(22_000, frames);
    expect(Math.abs(sent.length - 1_051)).toBeLessThanOrEqual(2);
    expectContinuous();
  });

  it('drops what a worker sends faster than time passes', () => {
    stream.configure(PCMU, true, now);
    run(1_200, Array(100).fill(1_110));
    expect(kinds().replaceAll('.', '').length).toBeLessThan(10);
    expectContinuous();
  });

  it('sends a key whole that it has begun, however fast its packets come', () => {
    stream.configure(PCMU, true, now);
    run(1_100);
    now = 1_110;
    const frame = (fields: object) =>
      stream.fromWorker({ ...innerFields(), ...fields }, new Uint8Array(160).fill(1), now);
    for (let i = 0; i < 2; i++) frame({});
    for (let i = 0; i < 8; i++) frame({ kind: 'event', timestamp: 77 });
    for (let i = 0; i < 4; i++) frame({});
    frame({ kind: 'event', timestamp: 99 });
    expect(sent.filter(({ first }) => first === 1).map(({ payloadType }) => payloadType)).toEqual([
      ...Array(2).fill(0),
      ...Array(8).fill(101),
    ]);
    expect(sent.map(({ sequence }) => sequence)).toEqual(sent.map((_, index) => (65_534 + index) & 0xffff));
  });

  it('says nothing on hold, and goes on with the marker at the time it then is', () => {
    stream.configure(PCMU, true, now);
    run(1_100);
    stream.configure(PCMU, false, now);
    const before = sent.length;
    run(2_100, [1_500]);
    expect(sent.length).toBe(before);
    stream.configure(PCMU, true, now);
    run(2_200);
    const [last, next] = [sent[before - 1], sent[before]];
    expect(next?.marker).toBe(true);
    expect(next?.sequence).toBe(((last?.sequence ?? 0) + 1) & 0xffff);
    const apart = ((next?.timestamp ?? 0) - (last?.timestamp ?? 0)) >>> 0;
    expect(Math.abs(apart / 8 - ((next?.at ?? 0) - (last?.at ?? 0)))).toBeLessThanOrEqual(20);
  });

  /** A worker that sends every 20 ms from 1,107 on, and a relay that reads nothing for `stall` ms from 1,500 on. */
  function standStill(stall: number, last = 2_000): void {
    stream.configure(PCMU, true, now);
    let timestamp = 0;
    const frame = () =>
      stream.fromWorker({ ...innerFields(), timestamp: timestamp++ * 160 }, new Uint8Array(160).fill(1), now);
    const moments = [
      ...Array.from({ length: 100 }, (_, i) => ({ at: 1_000 + i * 20, act: () => stream.fill(now) })),
      ...Array.from({ length: (last - 1_100) / 20 }, (_, i) => ({ at: 1_107 + i * 20, act: frame })),
    ].sort((a, b) => a.at - b.at);
    const stalled = moments.filter(({ at }) => at >= 1_500 && at <= 1_500 + stall);
    for (const { at, act } of moments) {
      now = at;
      if (!stalled.some((moment) => moment.at === at)) act();
      else if (at === stalled.at(-1)?.at) {
        now = 1_500 + stall;
        for (const moment of stalled) if (moment.act === frame) frame(); // what waited is read first
        stream.fill(now);
      }
    }
  }

  it.each([0, 15, 30, 60, 100, 180])(
    'sends what waited while it stood still for %i ms in its place',
    (stall) => {
      standStill(stall);
      expect(kinds()).toMatch(/^\.+w{45}\.+$/);
      expectContinuous();
      expect(sent.length).toBe(100); // and is neither late nor ahead of its time afterwards
    },
  );

  it('fills the slots for which nothing waited', () => {
    standStill(100, 1_540); // the worker stops meanwhile
    expect(kinds()).toMatch(/^\.+w{22}\.+$/);
    expectContinuous();
    expect(sent.length).toBe(100);
  });

  it('goes on at the present when what waited is too old, and keeps what fits ahead of time', () => {
    standStill(300);
    const gap = sent.findIndex(({ marker }, index) => marker && index > 0);
    expect(sent.filter(({ marker }) => marker)).toHaveLength(2);
    expect(((sent[gap]?.timestamp ?? 0) - (sent[gap - 1]?.timestamp ?? 0)) >>> 0).toBeGreaterThan(4 * 160);
    expect(kinds().slice(gap)).toMatch(/^\.?w+\.+$/);
  });

  it('goes on at the present after a long stall, without a burst', () => {
    stream.configure(PCMU, true, now);
    run(1_100);
    const before = sent.length;
    now = 3_000;
    stream.fill(now);
    expect(sent.length - before).toBeLessThanOrEqual(2);
    expect(sent[before]?.marker).toBe(true);
    expect(sent[before]?.sequence).toBe(((sent[before - 1]?.sequence ?? 0) + 1) & 0xffff);
  });

  it.each([
    ['one slot', 40],
    ['longer than is caught up', 200],
  ])('knows an event again after its worker stood still for %s', (_, stall) => {
    stream.configure(PCMU, true, 1_000);
    const key = (at: number, timestamp: number) => {
      now = at;
      stream.fromWorker({ ...innerFields(), kind: 'event', timestamp }, new Uint8Array(4), now);
    };
    key(1_010, 77);
    now = 1_010 + stall;
    stream.fill(now); // silence in between, or nothing
    key(1_020 + stall, 77);
    key(1_040 + stall, 99);
    const events = sent.filter(({ payloadType }) => payloadType === 101);
    expect(events.map(({ marker }) => marker)).toEqual([true, false, true]);
    expect(events[1]?.timestamp).toBe(events[0]?.timestamp);
    expect(events[2]?.timestamp).not.toBe(events[0]?.timestamp);
  });

  it('gives all packets of an event the timestamp of its beginning', () => {
    stream.configure(PCMU, true, now);
    run(1_100);
    for (let i = 0; i < 4; i++) {
      now += 20;
      const fields = { ...innerFields(), kind: 'event', timestamp: i < 3 ? 77 : 99 } as const;
      stream.fromWorker(fields, new Uint8Array(4).fill(1), now);
    }
    run(1_300);
    const events = sent.filter(({ payloadType }) => payloadType === 101);
    expect(events.map(({ marker }) => marker)).toEqual([true, false, false, true]);
    expect(new Set(events.slice(0, 3).map(({ timestamp }) => timestamp)).size).toBe(1);
    const last = sent.at(-1);
    const first = sent[0];
    expect(((last?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0).toBe((sent.length - 1) * 160);
  });

  it('rewrites the worker’s law into the peer’s', () => {
    stream.configure({ ...PCMU, codec: 'PCMA', payloadType: 8 }, true, now);
    run(1_040);
    stream.fromWorker(innerFields(), new Uint8Array(160).fill(0x80), 1_045);
    expect(sent.map(({ first, payloadType }) => [first, payloadType])).toContainEqual([0xaa, 8]);
    expect(sent[0]?.first).toBe(0xd5);
  });
});
