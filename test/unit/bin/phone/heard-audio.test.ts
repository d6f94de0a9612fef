import { describe, expect, it } from 'vitest';
import { HeardAudio } from '../../../../src/bin/phone/heard-audio.ts';
import { encodeG711 } from '../../../../src/media/g711.ts';

const SAMPLES = 160;

/** 20 ms of one level, as µ-law. */
function payload(level: number): Uint8Array {
  const codes = new Uint8Array(SAMPLES);
  encodeG711('PCMU', new Int16Array(SAMPLES).fill(level), codes);
  return codes;
}

/** The level of each 20 ms, to the nearest thousand. */
function levels(pcm: Int16Array): number[] {
  return Array.from({ length: pcm.length / SAMPLES }, (_, i) =>
    Math.round((pcm[i * SAMPLES + 80] ?? 0) / 1_000),
  );
}

function hear(
  heard: HeardAudio,
  sequence: number,
  timestamp: number,
  level: number,
  atMs: number,
  ssrc = 1,
): void {
  heard.packet(
    { ssrc, sequence: sequence & 0xffff, timestamp: timestamp >>> 0 },
    'PCMU',
    payload(level * 1_000),
    atMs,
  );
}

describe('what a caller heard', () => {
  it('lies where its timestamps put it, whatever the jitter and order of arrival', () => {
    const heard = new HeardAudio(10_000);
    hear(heard, 0, 4_294_967_200, 1, 100); // timestamps and sequence numbers wrap
    hear(heard, 2, 4_294_967_200 + 320, 3, 151);
    hear(heard, 1, 4_294_967_200 + 160, 2, 152);
    hear(heard, 3, 4_294_967_200 + 480, 4, 153);
    expect(levels(heard.pcm(220))).toEqual([0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0]);
    expect([heard.packets, heard.bytes, heard.lost]).toEqual([4, 640, 0]);
  });

  it('has silence where a packet was lost or the sender paused', () => {
    const heard = new HeardAudio(10_000);
    hear(heard, 65_535, 0, 1, 0);
    hear(heard, 65_537, 320, 3, 40);
    hear(heard, 65_538, 800, 6, 100); // silence suppressed by the sender
    expect(levels(heard.pcm(140))).toEqual([1, 0, 3, 0, 0, 6, 0]);
    expect(heard.lost).toBe(1);
  });

  it('counts the packets of a key neither as audio nor as lost', () => {
    const heard = new HeardAudio(10_000);
    hear(heard, 0, 0, 1, 0);
    for (const sequence of [1, 2, 3]) heard.key({ ssrc: 1, sequence });
    heard.key({ ssrc: 2, sequence: 900 });
    hear(heard, 4, 640, 5, 80);
    hear(heard, 6, 960, 7, 120);
    expect([heard.packets, heard.lost]).toEqual([3, 1]);
    expect(levels(heard.pcm(140))).toEqual([1, 0, 0, 0, 5, 0, 7]);
  });

  it('follows the clock when a sender stops its timestamps or starts anew', () => {
    const heard = new HeardAudio(10_000);
    hear(heard, 0, 0, 1, 0);
    hear(heard, 1, 160, 2, 1_000); // the timestamps stood still meanwhile
    hear(heard, 2, 320, 3, 1_020);
    hear(heard, 9, 77, 4, 1_040, 2); // another stream
    const all = levels(heard.pcm(1_080));
    expect(all.slice(0, 2)).toEqual([1, 0]);
    expect(all.slice(49)).toEqual([0, 2, 3, 4, 0]);
    expect(heard.lost).toBe(0);
  });

  it('keeps what was held up where it belongs, and follows a stream that stays late', () => {
    const heard = new HeardAudio(10_000);
    const level = (packet: number) => 1 + (packet % 9);
    for (let packet = 0; packet < 5; packet++) hear(heard, packet, packet * 160, level(packet), packet * 20);
    // The listener stood still for half a second: 25 packets at once, then the stream goes on in time.
    for (let packet = 5; packet < 30; packet++) hear(heard, packet, packet * 160, level(packet), 600);
    for (let packet = 30; packet < 40; packet++)
      hear(heard, packet, packet * 160, level(packet), packet * 20);
    expect(levels(heard.pcm(800))).toEqual(Array.from({ length: 40 }, (_, packet) => level(packet)));
    // From here on 300 ms late for good: within a second the time line moves, and nothing is written over.
    for (let packet = 40; packet < 140; packet++) {
      hear(heard, packet, packet * 160, level(packet), packet * 20 + 300);
    }
    const all = levels(heard.pcm(140 * 20 + 300));
    expect(all.filter((found) => found !== 0)).toHaveLength(140);
    expect(all.at(-1)).toBe(level(139));
  });

  it('counts a packet that came twice once, and keeps no more than its limit', () => {
    const heard = new HeardAudio(60);
    hear(heard, 0, 0, 1, 0);
    hear(heard, 0, 0, 1, 5);
    hear(heard, 1, 160, 2, 20);
    hear(heard, 2, 320, 3, 50);
    hear(heard, 3, 480, 4, 70);
    hear(heard, 500, 80_000, 5, 10_000);
    expect(levels(heard.pcm(60_000))).toEqual([1, 2, 3]);
  });

  it('is as long as the call, though nothing came', () => {
    expect(new HeardAudio(60_000).pcm(12_345)).toEqual(new Int16Array(12_345 * 8));
  });
});
