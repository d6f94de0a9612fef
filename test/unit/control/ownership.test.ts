import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstOffer,
  type Ownership,
  type OwnershipEvent,
  step,
  type Verdict,
} from '../../../src/control/ownership.ts';

const offered = (epoch: number): Ownership => ({ state: 'offered', epoch });
const held = (epoch: number, worker: string): Ownership => ({ state: 'held', epoch, worker });
const lost = (epoch: number, worker: string): Ownership => ({ state: 'lost', epoch, worker });
const over = (epoch: number): Ownership => ({ state: 'over', epoch });
const claim = (epoch: number, worker: string): OwnershipEvent => ({ type: 'claim', epoch, worker });
const command = (epoch: number, worker: string): OwnershipEvent => ({ type: 'command', epoch, worker });
const release = (epoch: number, worker: string): OwnershipEvent => ({ type: 'release', epoch, worker });
const loss = (worker: string): OwnershipEvent => ({ type: 'lost', worker });
const offer: OwnershipEvent = { type: 'offer' };
const end: OwnershipEvent = { type: 'end' };

const table: readonly [Ownership, OwnershipEvent, Ownership, Verdict][] = [
  [offered(1), claim(1, 'a'), held(1, 'a'), 'ok'],
  [offered(2), claim(1, 'a'), offered(2), 'superseded'],
  [offered(1), claim(2, 'a'), offered(1), 'gone'],
  [offered(1), command(1, 'a'), offered(1), 'superseded'],
  [offered(1), release(1, 'a'), offered(1), 'superseded'],
  [offered(1), loss('a'), offered(1), 'ignored'],
  [offered(1), offer, offered(1), 'ignored'],
  [offered(1), end, over(1), 'ok'],

  [held(1, 'a'), claim(1, 'b'), held(1, 'a'), 'taken'],
  [held(1, 'a'), claim(1, 'a'), held(1, 'a'), 'taken'],
  [held(2, 'a'), claim(1, 'b'), held(2, 'a'), 'superseded'],
  [held(1, 'a'), command(1, 'a'), held(1, 'a'), 'ok'],
  [held(1, 'a'), command(1, 'b'), held(1, 'a'), 'taken'],
  [held(2, 'a'), command(1, 'a'), held(2, 'a'), 'superseded'],
  [held(1, 'a'), release(1, 'a'), over(1), 'ok'],
  [held(2, 'b'), release(1, 'a'), held(2, 'b'), 'superseded'],
  [held(1, 'a'), release(1, 'b'), held(1, 'a'), 'taken'],
  [held(1, 'a'), loss('a'), lost(1, 'a'), 'ok'],
  [held(1, 'a'), loss('b'), held(1, 'a'), 'ignored'],
  [held(1, 'a'), offer, held(1, 'a'), 'ignored'],
  [held(1, 'a'), end, held(1, 'a'), 'ignored'],

  [lost(1, 'a'), claim(1, 'a'), lost(1, 'a'), 'superseded'],
  [lost(1, 'a'), claim(2, 'b'), lost(1, 'a'), 'gone'],
  [lost(1, 'a'), command(1, 'a'), lost(1, 'a'), 'superseded'],
  [lost(1, 'a'), release(1, 'a'), lost(1, 'a'), 'superseded'],
  [lost(1, 'a'), loss('a'), lost(1, 'a'), 'ignored'],
  [lost(1, 'a'), offer, offered(2), 'ok'],
  [lost(1, 'a'), end, over(1), 'ok'],

  [over(1), claim(1, 'a'), over(1), 'gone'],
  [over(1), claim(2, 'a'), over(1), 'gone'],
  [over(1), command(1, 'a'), over(1), 'gone'],
  [over(1), release(1, 'a'), over(1), 'gone'],
  [over(1), loss('a'), over(1), 'ignored'],
  [over(1), offer, over(1), 'ignored'],
  [over(1), end, over(1), 'ignored'],
];

describe('ownership of a call', () => {
  it.each(table)('%o on %o becomes %o: %s', (state, event, next, verdict) => {
    expect(step(state, event)).toEqual([next, verdict]);
  });

  it('grants every epoch at most once, in order, and lets only its holder command', () => {
    const worker = fc.constantFrom('a', 'b', 'c');
    const epoch = fc.integer({ min: 0, max: 4 });
    const event: fc.Arbitrary<OwnershipEvent> = fc.oneof(
      fc.record({ type: fc.constantFrom('claim', 'command', 'release'), epoch, worker }),
      fc.record({ type: fc.constant('lost'), worker }),
      fc.constant(offer),
      fc.constant(end),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = firstOffer(1);
        let granted = 0;
        let holder: string | undefined;
        for (const event of events) {
          const [next, verdict] = step(state, event);
          if (event.type === 'claim' && verdict === 'ok') {
            expect(event.epoch).toBeGreaterThan(granted);
            expect(holder).toBeUndefined();
            granted = event.epoch;
            holder = event.worker;
          }
          if (event.type === 'command' && verdict === 'ok') {
            expect([event.epoch, event.worker]).toEqual([granted, holder]);
          }
          if (next.state !== 'held') holder = undefined;
          if (state.state === 'over') expect(next).toEqual(state);
          state = next;
        }
      }),
    );
  });
});
