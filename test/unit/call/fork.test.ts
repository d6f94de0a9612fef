import { describe, expect, it } from 'vitest';
import { STANDARD_CHOICES } from '../../../src/call/choices.ts';
import {
  type BranchEnd,
  type Fork,
  type ForkEffect,
  type ForkEvent,
  newFork,
  step,
} from '../../../src/call/fork.ts';
import { outcomeOfOutgoing } from '../../../src/call/outcomes.ts';

type Event = ForkEvent<BranchEnd>;

const refused = (branch: number, sipStatus: number): Event => ({
  type: 'ended',
  branch,
  end: { cause: 'rejected', sipStatus },
});
const answered = (branch: number): Event => ({ type: 'answered', branch });
const silent = (branch: number): Event => ({
  type: 'ended',
  branch,
  end: { cause: 'unreachable' } as BranchEnd,
});

function run(branches: number, ...events: readonly Event[]) {
  let fork: Fork<BranchEnd> = newFork(branches);
  const effects: ForkEffect<BranchEnd>[][] = [];
  for (const event of events) {
    const [after, some] = step(fork, event);
    fork = after;
    effects.push([...some]);
  }
  return { fork, effects };
}

/** How a call of so many devices ended that answered like this, in this order; 0: with nothing at all. */
function best(...statuses: readonly number[]): BranchEnd | undefined {
  const events = statuses.map((status, branch) => (status === 0 ? silent(branch) : refused(branch, status)));
  const last = run(statuses.length, ...events)
    .effects.at(-1)
    ?.at(-1);
  return last?.type === 'end' ? last.end : undefined;
}

describe('a fork, RFC 3261 §16.7', () => {
  it('the first 2xx is the call, the others are let go (step 10)', () => {
    const { fork, effects } = run(3, refused(0, 486), answered(2));
    expect(fork.state).toBe('answered');
    expect(effects).toEqual([
      [],
      [
        { type: 'choose', branch: 2 },
        { type: 'let-go', branch: 1 },
      ],
    ]);
  });

  it('a second 2xx and whatever comes later changes nothing', () => {
    const { fork, effects } = run(3, answered(1), answered(0), refused(2, 487), { type: 'withdrawn' });
    expect(fork.state).toBe('answered');
    expect(effects.slice(1)).toEqual([[], [], []]);
  });

  it('6xx ends all of it at once (step 5)', () => {
    const { fork, effects } = run(4, refused(0, 404), refused(2, 603), answered(1));
    expect(fork.state).toBe('over');
    expect(effects[1]).toEqual([
      { type: 'let-go', branch: 1 },
      { type: 'let-go', branch: 3 },
      { type: 'end', end: { cause: 'rejected', sipStatus: 603 } },
    ]);
    expect(effects[2]).toEqual([]);
  });

  it('waits for every branch before it is over (step 6)', () => {
    const { fork, effects } = run(3, refused(0, 486), refused(1, 486), refused(1, 480));
    expect(fork.state).toBe('ringing');
    expect(effects).toEqual([[], [], []]);
  });

  it('given up: all that ring are let go, and nothing more is told', () => {
    const { fork, effects } = run(3, refused(1, 486), { type: 'withdrawn' }, refused(0, 487), answered(2));
    expect(fork.state).toBe('over');
    expect(effects).toEqual([
      [],
      [
        { type: 'let-go', branch: 0 },
        { type: 'let-go', branch: 2 },
      ],
      [],
      [],
    ]);
  });

  it.each([
    [[486, 486, 486], 486, 'busy'],
    [[480, 486], 486, 'busy'], // somebody is there
    [[486, 480], 486, 'busy'],
    [[404, 480], 480, 'no-answer'],
    [[404, 408, 410], 408, 'no-answer'],
    [[503, 486], 486, 'busy'], // the lower class (step 6)
    [[500, 503], 500, 'failed'], // of equals the first
    [[486, 302], 302, 'failed'], // the lower class, which is not followed: 32219
    [[486, 415], 415, 'failed'], // what tells how to try again (step 6)
    [[407, 486], 407, 'failed'],
    [[486, 600], 600, 'busy'], // 6xx before all others
    [[486, 604], 604, 'failed'],
    [[0, 486], 486, 'busy'], // silence says nothing of the callee
    [[503, 0], 503, 'failed'],
  ])('%j ends as %i, %s', (statuses, sipStatus, status) => {
    const end = best(...statuses);
    expect(end).toEqual({ cause: 'rejected', sipStatus });
    expect(end && outcomeOfOutgoing(end, false, undefined, true, STANDARD_CHOICES)).toBe(status);
  });

  it('nobody responds at all: it failed', () => {
    const end = best(0, 0);
    expect(end).toEqual({ cause: 'unreachable' });
    expect(end && outcomeOfOutgoing(end, false, undefined, true, STANDARD_CHOICES)).toBe('failed');
  });
});
