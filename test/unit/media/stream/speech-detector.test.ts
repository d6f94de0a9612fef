import { describe, expect, it } from 'vitest';
import type { SpeechEnd } from '../../../../src/leg/port.ts';
import { SpeechDetector } from '../../../../src/media/stream/speech-detector.ts';

const FRAME = 160;

const sound = (level: number) => Int16Array.from({ length: FRAME }, (_, i) => (i % 2 === 0 ? level : -level));
const VOICE = sound(2_000);
const NOISE = sound(100);
const SILENCE = new Int16Array(FRAME);

class Heard {
  readonly stretches: { samples: Int16Array; end: SpeechEnd | undefined }[] = [];
  readonly detector: SpeechDetector;

  constructor(options = { pauseMs: 500, maxMs: 5_000 }) {
    this.detector = new SpeechDetector(options, {
      began: () => this.stretches.push({ samples: new Int16Array(0), end: undefined }),
      audio: (pcm) => {
        const last = this.stretches.at(-1);
        if (!last || last.end) throw new Error('audio of no stretch');
        last.samples = Int16Array.of(...last.samples, ...pcm);
      },
      ended: (why) => {
        const last = this.stretches.at(-1);
        if (!last || last.end) throw new Error('the end of no stretch');
        last.end = why;
      },
    });
  }

  hear(frame: Int16Array, ms: number): this {
    for (let at = 0; at < ms; at += 20) this.detector.frame(frame);
    return this;
  }

  get summary() {
    return this.stretches.map(({ samples, end }) => ({ ms: samples.length / 8, end }));
  }
}

describe('speech is found by its loudness', () => {
  it('begins once sound has lasted, with what was heard shortly before', () => {
    const heard = new Heard().hear(SILENCE, 1_000).hear(VOICE, 100);
    expect(heard.stretches).toHaveLength(0);
    heard.hear(VOICE, 20);
    expect(heard.stretches).toHaveLength(1);
    heard.hear(SILENCE, 500);
    // 280 ms before it, 120 ms of voice, the pause of 500 ms
    expect(heard.summary).toEqual([{ ms: 900, end: 'pause' }]);
    expect(heard.stretches[0]?.samples.slice(280 * 8, 400 * 8).every((s) => Math.abs(s) === 2_000)).toBe(
      true,
    );
  });

  it('is no line noise, no click and no two knocks', () => {
    const heard = new Heard().hear(NOISE, 2_000);
    for (let knock = 0; knock < 5; knock++) heard.hear(VOICE, 40).hear(SILENCE, 260);
    expect(heard.stretches).toEqual([]);
  });

  it('goes on over a pause between two words', () => {
    const heard = new Heard().hear(VOICE, 300).hear(SILENCE, 480).hear(VOICE, 300).hear(SILENCE, 500);
    expect(heard.summary).toEqual([{ ms: 1_580, end: 'pause' }]);
  });

  it('is heard again after a pause', () => {
    const heard = new Heard().hear(VOICE, 300).hear(SILENCE, 1_000).hear(VOICE, 300).hear(SILENCE, 1_000);
    expect(heard.summary.map(({ end }) => end)).toEqual(['pause', 'pause']);
  });

  it('is cut where it is too long, and nothing of it is lost or heard twice', () => {
    const heard = new Heard({ pauseMs: 500, maxMs: 1_000 });
    const said = Array.from({ length: 140 }, (_, i) => sound(1_000 + i));
    for (const frame of said) heard.detector.frame(frame);
    heard.hear(SILENCE, 500);
    expect(heard.summary.map(({ end }) => end)).toEqual(['too-long', 'too-long', 'pause']);
    const all = heard.stretches.flatMap(({ samples }) => [...samples]);
    expect(all.slice(0, 140 * FRAME)).toEqual(said.flatMap((frame) => [...frame]));
  });

  it('ends with the leg, what was heard so far handed over', () => {
    const heard = new Heard().hear(VOICE, 220);
    heard.detector.close();
    expect(heard.summary).toEqual([{ ms: 220, end: 'hangup' }]);
    heard.detector.close();
    expect(heard.stretches).toHaveLength(1);
  });
});
