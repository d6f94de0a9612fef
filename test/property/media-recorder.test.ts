import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../../src/media/stream/recorder.ts';
import type { SpoolFile } from '../../src/media/stream/spool-file.ts';
import { channelsIn } from '../unit/media/audio.ts';

/** A spool in memory; the disk may fail at its `failAt`th write. */
function memory(failAt: number): { file: SpoolFile; bytes(): Buffer } {
  let bytes = Buffer.alloc(0);
  let writes = 0;
  return {
    bytes: () => bytes,
    file: {
      path: 'memory',
      async write(part, position) {
        if (position > 0 && ++writes === failAt) throw new Error('ENOSPC');
        if (bytes.length < position + part.length)
          bytes = Buffer.concat([bytes, Buffer.alloc(position + part.length - bytes.length)]);
        bytes.set(part, position);
      },
      async truncate(length) {
        bytes = bytes.subarray(0, length);
      },
      async close() {},
      async discard() {
        bytes = Buffer.alloc(0);
      },
    },
  };
}

type Step =
  | {
      readonly frames: number;
      readonly said: number;
      readonly told: number;
      readonly heard: 'audio' | 'nothing';
    }
  | 'skip'
  | 'silence'
  | 'resume';

const MARKS = 47; // prime: no number of frames is a multiple of it
const level = fc.constantFrom(0, 0, MARKS, 60 * MARKS, 400 * MARKS); // silence, noise too quiet for sound, sound
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      frames: fc.integer({ min: 1, max: 60 }),
      said: level,
      told: level,
      heard: fc.constantFrom('audio', 'audio', 'nothing'),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom('skip' as const, 'silence' as const, 'resume' as const) },
);

const options = fc.record({
  recordingSid: fc.constant('RE'),
  silenceMs: fc.constantFrom(0, 0, 500),
  maxLengthMs: fc.constantFrom(10, 1_010, 3_600_000),
  trim: fc.boolean(),
});

/** Each sample tells its place in time by its remainder, on both tracks; silence does not. */
const samples = (amplitude: number, frame: number) =>
  Int16Array.from({ length: 160 }, (_, i) => (amplitude === 0 ? 0 : amplitude + ((frame * 160 + i) % MARKS)));

describe('a recording of two channels', () => {
  it('has as many samples of each, and the n-th of both belong together', async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: 1, max: 40 }),
        async (given, steps, failAt) => {
          const spool = memory(failAt);
          const active = new Recorder({ ...given, track: 'both', channels: 2 }, async () => spool.file);
          let at = 0;
          for (const step of steps) {
            if (step === 'resume') active.resume();
            else if (typeof step === 'string') active.pause(step);
            else
              for (let i = 0; i < step.frames; i++, at++) {
                const [said, told] = [samples(step.said, at), samples(step.told, at)];
                active.frame(said, step.heard, told);
              }
            if (at % 3 === 0) await Promise.resolve();
          }
          active.stop('stopped');
          const end = await active.ended;
          expect(end.channels).toBe(2);
          expect(end.storedMs).toBeLessThanOrEqual(end.durationMs);
          expect(end.durationMs).toBeLessThanOrEqual(given.maxLengthMs);
          if (end.path === undefined) return;
          const [left, right] = channelsIn(spool.bytes().subarray(0, 44 + spool.bytes().readUInt32LE(40)));
          expect(left?.length).toBe(right?.length);
          expect(left?.length).toBe(end.storedMs * 8);
          // where both sound, they tell the same moment
          left?.forEach((sample, i) => {
            const other = right?.[i] ?? 0;
            if (sample !== 0 && other !== 0 && sample % MARKS !== other % MARKS)
              expect.unreachable(`sample ${i}: ${sample} beside ${other}`);
          });
        },
      ),
      { numRuns: 150 },
    );
  });
});
