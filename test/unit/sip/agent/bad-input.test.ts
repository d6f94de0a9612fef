import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serialize } from '../../../../src/sip/message/serialize.ts';
import { ANSWER, LINGER, OFFER, world } from './support.ts';

/** One edit of a message: cut, doubled, or with bytes changed. */
const edit = fc.record({
  at: fc.nat({ max: 999 }),
  remove: fc.integer({ min: 0, max: 40 }),
  insert: fc.oneof(
    fc.constantFrom(
      '',
      '\r\n',
      ';',
      ',',
      '"',
      '<',
      '>',
      ':',
      ' ',
      '\0',
      '%',
      ';tag=',
      'Via: ',
      '99999999999',
    ),
    fc.string({ maxLength: 20 }),
  ),
});

test('whatever peers send, nothing is thrown, nothing stays, and calls go on', async () => {
  const w = await world();
  w.peer.lenient = true;
  w.agent.onInvite = (invite) => {
    invite.respond(180);
    invite.accept(ANSWER);
  };
  const methods = fc.constantFrom(
    'INVITE',
    'ACK',
    'BYE',
    'CANCEL',
    'INFO',
    'OPTIONS',
    'UPDATE',
    'REGISTER',
    'X',
  );
  await fc.assert(
    fc.asyncProperty(
      methods,
      fc.boolean(),
      fc.array(edit, { maxLength: 4 }),
      async (method, inDialog, edits) => {
        const parts = { body: OFFER, ...(inDialog ? { toTag: 'x' } : {}) };
        let text = serialize(w.peer.make(method, parts)).toString('latin1');
        for (const { at, remove, insert } of edits) {
          const from = Math.floor((at * text.length) / 1_000);
          text = text.slice(0, from) + insert + text.slice(from + remove);
        }
        w.peer.raw(text);
        w.peer.raw(text.replace(/^\S+ \S+ SIP\/2\.0/, 'SIP/2.0 200 OK'));
        await w.settle();
        expect(w.errors).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
  w.peer.request('OPTIONS', { callId: 'still-there' });
  await w.settle();
  expect(w.peer.lastResponse().headers.get('call-id')).toBe('still-there');
  await w.clock.advance(2 * LINGER);
  expect(w.agent.census()).toEqual({
    serverTransactions: 0,
    clientTransactions: 0,
    dialogs: 0,
    timers: 0,
    connections: 0,
  });
});
