import { describe, expect, it } from 'vitest';
import { parseEvent } from '../../../../src/media/rtp-event.ts';
import { clipFrames, loopedFrames } from '../../../../src/media/stream/clip-frames.ts';
import { digitFrames, wrongDigit } from '../../../../src/media/stream/digit-frames.ts';
import { type FrameSource, outgoingFrame } from '../../../../src/media/stream/outgoing-frame.ts';
import { Pacer } from '../../../../src/media/stream/pacer.ts';
import { Player } from '../../../../src/media/stream/player.ts';
import { shareOf } from '../audio.ts';

/** Every frame of a source, as text: `audio`, `pause`, or `key duration` with `!` at the end packets. */
function script(source: FrameSource): string[] {
  const frame = outgoingFrame();
  const lines: string[] = [];
  while (source.next(frame) !== 'none') {
    const event = frame.kind === 'event' ? parseEvent(frame.event) : undefined;
    lines.push(
      event
        ? `${frame.begins ? '>' : ''}${event.event} ${event.duration}${event.end ? '!' : ''}`
        : frame.kind,
    );
  }
  return lines;
}

describe('clipFrames', () => {
  it('fills the last frame up with silence and says which is last', () => {
    const frame = outgoingFrame();
    const source = clipFrames(new Int16Array(200).fill(5));
    expect(source.next(frame)).toBe('more');
    expect(frame.pcm.every((sample) => sample === 5)).toBe(true);
    expect(source.next(frame)).toBe('last');
    expect([...frame.pcm.subarray(38, 42)]).toEqual([5, 5, 0, 0]);
    expect(source.next(frame)).toBe('none');
  });

  it('has no frame for an empty clip', () => {
    expect(clipFrames(new Int16Array(0)).next(outgoingFrame())).toBe('none');
  });
});

describe('loopedFrames', () => {
  it('repeats without a gap, wherever in a frame the clip ends', () => {
    const clip = Int16Array.from({ length: 250 }, (_, i) => i + 1);
    const source = loopedFrames(clip);
    const frame = outgoingFrame();
    const heard: number[] = [];
    for (let i = 0; i < 40; i++) {
      expect(source.next(frame)).toBe('more');
      expect(frame.kind).toBe('audio');
      heard.push(...frame.pcm);
    }
    expect(heard).toEqual(Array.from({ length: 6_400 }, (_, i) => (i % 250) + 1));
  });

  it('fills a frame with several rounds of a very short clip', () => {
    const frame = outgoingFrame();
    loopedFrames(Int16Array.of(7, 8)).next(frame);
    expect([...frame.pcm]).toEqual(Array.from({ length: 160 }, (_, i) => 7 + (i % 2)));
  });

  it('is silent for ever with an empty clip', () => {
    const frame = outgoingFrame();
    const source = loopedFrames(new Int16Array(0));
    expect([source.next(frame), frame.kind]).toEqual(['more', 'pause']);
  });
});

describe('digitFrames', () => {
  it('sends an event with growing duration, three end packets and a gap', () => {
    expect(script(digitFrames('#', true))).toEqual([
      '>11 160',
      '11 320',
      '11 480',
      '11 640',
      '11 800',
      '11 960!',
      '11 960!',
      '11 960!',
      'pause',
      'pause',
      'pause',
    ]);
  });

  it('waits half a second for w and a whole one for W', () => {
    expect(script(digitFrames('wW', true))).toEqual(Array(75).fill('pause'));
  });

  it('knows A to D in either case', () => {
    expect(script(digitFrames('d', true))[0]).toBe('>15 160');
    expect(wrongDigit('0123456789*#ABCDabcdwW')).toBeUndefined();
    expect(wrongDigit('12,3')).toBe(',');
    expect(wrongDigit('')).toBeUndefined();
  });

  it('sends 120 ms of both tones and 100 ms of pause to peers without events', () => {
    const source = digitFrames('1', false);
    const frame = outgoingFrame();
    const pcm: number[] = [];
    const kinds: string[] = [];
    while (source.next(frame) !== 'none') {
      kinds.push(frame.kind);
      if (frame.kind === 'audio') pcm.push(...frame.pcm);
    }
    expect(kinds).toEqual([...Array(6).fill('audio'), ...Array(5).fill('pause')]);
    expect(shareOf(697, Int16Array.from(pcm)) + shareOf(1_209, Int16Array.from(pcm))).toBeGreaterThan(0.85);
  });
});

describe('Player', () => {
  const clip = (frames: number) => clipFrames(new Int16Array(frames * 160));

  it('plays one source after the other and tells when each is done', () => {
    const done: number[] = [];
    const player = new Player((id) => done.push(id));
    player.add(1, clip(2));
    player.add(2, clip(0));
    player.add(3, clip(1));
    const frame = outgoingFrame();
    expect(player.next(frame)).toBe(true);
    expect(done).toEqual([]);
    expect(player.next(frame)).toBe(true);
    expect(done).toEqual([1]);
    expect(player.next(frame)).toBe(true);
    expect(done).toEqual([1, 2, 3]);
    expect(player.next(frame)).toBe(false);
  });

  it('makes no further frame of what is cancelled', () => {
    const done: number[] = [];
    const player = new Player((id) => done.push(id));
    player.add(1, clip(5));
    player.add(2, clip(5));
    player.next(outgoingFrame());
    player.cancel(1);
    player.cancel(2);
    expect(player.next(outgoingFrame())).toBe(false);
    expect(done).toEqual([]);
  });
});

describe('Pacer', () => {
  it('gives everyone one turn in 20 ms, spread over four slots', () => {
    const pacer = new Pacer<string>(1_000);
    for (const name of ['a', 'b', 'c', 'd', 'e']) pacer.add(name);
    const turns: [string, number][] = [];
    for (let now = 1_000; now < 1_040; now++) pacer.run(now, (name) => turns.push([name, now]));
    expect(turns).toEqual([
      ['a', 1_000],
      ['e', 1_000],
      ['b', 1_005],
      ['c', 1_010],
      ['d', 1_015],
      ['a', 1_020],
      ['e', 1_020],
      ['b', 1_025],
      ['c', 1_030],
      ['d', 1_035],
    ]);
  });

  it('says when the first turn of a new member is due', () => {
    const pacer = new Pacer<string>(0);
    expect([pacer.add('a'), pacer.add('b'), pacer.add('c')]).toEqual([0, 5, 10]);
    pacer.run(12, () => {});
    expect(pacer.add('d')).toBe(15);
  });

  it('is late once, not for ever, and makes up for a stall', () => {
    const pacer = new Pacer<string>(0);
    pacer.add('a');
    const turns: [number, number][] = [];
    for (const now of [0, 23, 40, 101]) pacer.run(now, (_, dueAt) => turns.push([dueAt, now]));
    expect(turns).toEqual([
      [0, 0],
      [20, 23],
      [40, 40],
      [60, 101],
      [80, 101],
      [100, 101],
    ]);
    expect(pacer.dueAt).toBe(105);
  });

  it('does not make up for a machine that slept', () => {
    const pacer = new Pacer<string>(0);
    pacer.add('a');
    let turns = 0;
    pacer.run(3_600_000, () => turns++);
    expect(turns).toBeLessThanOrEqual(1);
    expect(pacer.dueAt).toBeGreaterThan(3_600_000);
  });

  it('forgets who left', () => {
    const pacer = new Pacer<string>(0);
    pacer.add('a');
    pacer.delete('a');
    pacer.run(100, () => expect.unreachable());
  });
});
