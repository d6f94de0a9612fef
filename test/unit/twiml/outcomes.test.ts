import { expect, it } from 'vitest';
import type { LegEndCause } from '../../../src/leg/port.ts';
import { endOfLeg } from '../../../src/twiml/interpreter/outcomes.ts';

it.each<[LegEndCause, boolean, number | undefined, string, string]>([
  ['peer-cancelled', false, undefined, 'no-answer', 'peer'],
  ['peer-hangup', true, undefined, 'completed', 'peer'],
  ['local-hangup', true, undefined, 'completed', 'application'],
  ['rejected', false, 486, 'busy', 'application'],
  ['rejected', false, 600, 'busy', 'application'],
  ['rejected', false, 503, 'failed', 'application'],
  ['no-ack', true, undefined, 'failed', 'peer'],
  ['media-timeout', true, undefined, 'completed', 'platform'],
  ['edge-lost', false, undefined, 'failed', 'platform'],
  ['edge-lost', true, undefined, 'completed', 'platform'],
  ['shutdown', true, undefined, 'completed', 'platform'],
  ['unreachable', false, undefined, 'failed', 'peer'],
  ['not-placed', false, undefined, 'failed', 'platform'],
  ['transport-failed', false, undefined, 'failed', 'platform'],
])(
  'a leg that ends with %s (answered: %s, SIP %s) makes the call %s, by the %s',
  (cause, answered, sipStatus, status, by) => {
    expect(endOfLeg({ cause, answered, sipStatus, running: undefined, outgoing: false })).toMatchObject({
      status,
      by,
    });
  },
);

it('names the verb that was running', () => {
  const end = endOfLeg({
    cause: 'peer-hangup',
    answered: true,
    sipStatus: undefined,
    running: 'Say',
    outgoing: false,
  });
  expect(end.cause).toBe('the caller hung up during <Say>');
});

it('names the party that was called', () => {
  const ending = { cause: 'peer-hangup', answered: true, sipStatus: undefined, running: 'Say' } as const;
  expect(endOfLeg({ ...ending, outgoing: true }).cause).toBe('the called party hung up during <Say>');
});
