import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Conversation, numbers, upTo } from '../unit/media/threads/conversation.ts';

/** Frames on top of the worker's buffer: beyond it a word could be shorter than the delay is longer than a pause. */
const MOST_LAG = 2;

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('talk' as const), frames: fc.nat({ max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('pause' as const), frames: fc.nat({ max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('absent' as const), frames: fc.nat({ max: 80 }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('tap' as const), frames: fc.constant(0) }) },
);

describe('a tap of a bridge', () => {
  it('whenever it begins and ends, leaves out nothing that is said, and repeats nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), fc.nat({ max: MOST_LAG }), (steps, lag) => {
        const talk = new Conversation(lag);
        talk.alice.leg.bridge(talk.bob.leg);
        talk.run(3, () => ['quiet', 'quiet']);
        let tapped = false;
        let said = 0;
        for (const { type, frames } of steps) {
          if (type === 'talk') {
            talk.run(frames, () => [++said, 'quiet']);
          } else if (type === 'tap') {
            if (tapped) talk.bob.leg.bridge(talk.alice.leg, true);
            else talk.alice.leg.unbridge(true);
            tapped = !tapped;
          } else {
            const says = type === 'pause' ? 'quiet' : 'nothing';
            // a last quiet packet: a worker would make up for one that is missing in the middle of a sound
            talk.run(frames, (frame) => [frame === 1 ? 'quiet' : says, 'quiet']);
          }
        }
        talk.run(15 + lag, () => ['quiet', 'quiet']);
        expect(numbers(talk.bob)).toEqual(upTo(said));
      }),
    );
  });
});
