import { describe, expect, it } from 'vitest';
import { codeOf, encodeG711, sampleOf } from '../../../../src/media/g711.ts';
import { type Heard, JitterBuffer } from '../../../../src/media/stream/jitter-buffer.ts';
import { locate, sweep } from '../audio.ts';

const SOURCE = 7;

/** Packet `index` of 20 ms carries the code of `value`, so that a frame tells where it came from. */
function packet(
  buffer: JitterBuffer,
  index: number,
  value = 1_000 + index * 100,
  start = 0,
  source = SOURCE,
  marker = false,
) {
  buffer.insert(
    source,
    (start + index * 160) >>> 0,
    marker,
    'PCMU',
    new Uint8Array(160).fill(codeOf('PCMU', value)),
  );
}

const heardAs = (value: number) => sampleOf('PCMU', codeOf('PCMU', value));

function pull(buffer: JitterBuffer): { heard: Heard; sample: number } {
  const frame = new Int16Array(160).fill(99);
  const heard = buffer.pull(frame);
  return { heard, sample: frame[80] ?? 0 };
}

/** The samples of `count` pulls. */
const pulls = (buffer: JitterBuffer, count: number) =>
  Array.from({ length: count }, () => pull(buffer).sample);

const value = (index: number) => heardAs(1_000 + index * 100);

describe('JitterBuffer', () => {
  it('is silent before anything arrives', () => {
    expect(pull(new JitterBuffer())).toEqual({ heard: 'nothing', sample: 0 });
  });

  it('plays 40 ms behind the first packet', () => {
    const buffer = new JitterBuffer();
    for (const index of [0, 1, 2]) packet(buffer, index);
    expect(pulls(buffer, 5)).toEqual([0, 0, value(0), value(1), value(2)]);
  });

  it('puts packets in order, takes duplicates once and covers a lost one', () => {
    const buffer = new JitterBuffer();
    for (const index of [0, 2, 1, 1, 2, 4]) packet(buffer, index);
    pulls(buffer, 2);
    expect(pulls(buffer, 3)).toEqual([value(0), value(1), value(2)]);
    const covered = pull(buffer);
    expect(covered.heard).toBe('concealed');
    expect(covered.sample).toBe(value(2) >> 1);
    expect(pull(buffer)).toEqual({ heard: 'audio', sample: value(4) });
  });

  it('falls silent when a loss lasts', () => {
    const buffer = new JitterBuffer();
    packet(buffer, 0);
    pulls(buffer, 3);
    const after = Array.from({ length: 5 }, () => pull(buffer).heard);
    expect(after).toEqual(['concealed', 'concealed', 'concealed', 'nothing', 'nothing']);
  });

  it('waits longer after late packets, to 200 ms and no more', () => {
    const buffer = new JitterBuffer();
    for (let index = 0; index < 200; index++) {
      packet(buffer, index + 20); // a good one ahead keeps the buffer from running dry
      packet(buffer, index); // and one that is late
      pull(buffer);
    }
    expect(buffer.late).toBeGreaterThan(0);
    expect(buffer.delay).toBe(200 * 8);
  });

  it.each([
    ['gives delay back in the silences of calm seconds', 0, 4],
    ['leaves nothing out of what is said', undefined, 8],
  ])('%s', (_what, sound, mostWaiting) => {
    const buffer = new JitterBuffer();
    let sent = 0;
    const send = () => packet(buffer, sent++, sound);
    for (let i = 0; i < 3; i++) send();
    for (let i = 0; i < 6; i++) pull(buffer); // the sender pauses: dry
    for (let i = 0; i < 6; i++) send(); // and makes up for it in a burst: 120 ms are waiting
    let audio = 0;
    for (let i = 0; i < 1_200; i++) {
      send();
      if (pull(buffer).heard === 'audio') audio++;
    }
    expect(audio).toBeGreaterThan(1_180);
    let waiting = 0;
    while (pull(buffer).heard === 'audio') waiting++;
    expect(waiting).toBeLessThanOrEqual(mostWaiting);
    expect(waiting).toBeGreaterThan(mostWaiting - 4);
  });

  it('goes on over the wrap of the timestamp', () => {
    const buffer = new JitterBuffer();
    const start = 2 ** 32 - 320;
    for (let index = 0; index < 6; index++) packet(buffer, index, undefined, start);
    pulls(buffer, 2);
    expect(pulls(buffer, 6)).toEqual([0, 1, 2, 3, 4, 5].map(value));
  });

  it('begins again with a new source', () => {
    const buffer = new JitterBuffer();
    for (const index of [0, 1, 2]) packet(buffer, index);
    pulls(buffer, 3);
    packet(buffer, 0, 5_000, 123_456_789, 8);
    expect(pulls(buffer, 3)).toEqual([0, 0, heardAs(5_000)]);
  });

  it('begins again at a far timestamp and at a talk spurt, with or without marker', () => {
    const buffer = new JitterBuffer();
    packet(buffer, 0);
    pulls(buffer, 4);
    packet(buffer, 0, 5_000, 1_000_000, SOURCE, true);
    expect(pulls(buffer, 3).at(-1)).toBe(heardAs(5_000));
    pulls(buffer, 10);
    packet(buffer, 0, 6_000, 1_000_160, SOURCE); // its clock stood still meanwhile
    expect(pulls(buffer, 3).at(-1)).toBe(heardAs(6_000));
  });

  it.each([80, 160, 240, 480])('takes packets of %i samples', (length) => {
    const speech = sweep(600);
    const codes = new Uint8Array(speech.length);
    encodeG711('PCMA', speech, codes);
    const buffer = new JitterBuffer();
    const out: number[] = [];
    let at = 0;
    for (let turn = 0; turn < 40; turn++) {
      for (; at < Math.min(speech.length, (turn + 1) * 160 + length); at += length) {
        buffer.insert(SOURCE, 50_000 + at, at === 0, 'PCMA', codes.subarray(at, at + length));
      }
      const frame = new Int16Array(160);
      buffer.pull(frame);
      out.push(...frame);
    }
    expect(locate(speech, Int16Array.from(out)).correlation).toBeGreaterThan(0.999);
  });

  it('ignores empty and oversized packets', () => {
    const buffer = new JitterBuffer();
    buffer.insert(SOURCE, 0, true, 'PCMU', new Uint8Array(0));
    buffer.insert(SOURCE, 0, true, 'PCMU', new Uint8Array(1_601));
    expect(pulls(buffer, 5)).toEqual([0, 0, 0, 0, 0]);
  });
});
