import { expect, it } from 'vitest';
import type { TimelineEntry, TimelineEvent } from '../../../src/call/timeline.ts';
import { firstDifference, strandsOf } from '../../../src/replay/comparable-timeline.ts';

const CHILD = `CA${'c'.repeat(32)}`;
const OTHER = `CA${'d'.repeat(32)}`;

/** Entries a second apart, from `start`. */
function timeline(entries: readonly TimelineEntry[], start = 0): readonly TimelineEvent[] {
  return entries.map((entry, index) => ({ at: new Date(start + index * 1_000).toISOString(), ...entry }));
}

const differ = (
  expected: readonly TimelineEntry[],
  found: readonly TimelineEntry[],
  text?: (written: string) => string,
) =>
  firstDifference(
    strandsOf('call', new Map([['call', timeline(expected)]])),
    strandsOf('call', new Map([['call', timeline(found, 500_000)]]), text),
  );

const said: TimelineEntry = { type: 'verb-started', verb: 'Say', line: 3, column: 3, detail: 'Hello.' };
const ended: TimelineEntry = { type: 'call-ended', status: 'completed', duration_s: 3, cause: 'a: b' };
const webhook = (url: string, purpose: 'document' | 'media' = 'document'): TimelineEntry => ({
  type: 'webhook',
  url,
  purpose,
  method: 'GET',
  attempt: 1,
  ms: 3,
  status: 200,
});

it('sees no difference in times, workers, callbacks, media requests and explanations', () => {
  const live: TimelineEntry[] = [
    { type: 'taken', worker: 'w', epoch: 1, waited_ms: 3 },
    { type: 'exchange', url: 'http://a.test/', parameters: {} },
    webhook('http://a.test/?CallSid=CA1'),
    webhook('http://a.test/a.wav', 'media'),
    { ...said, column: 9 },
    { type: 'recording-started', recording: 'REa' },
    { type: 'recording-ended', recording: 'REa', reason: 'silence', duration_ms: 5_012 },
    { ...ended, duration_s: 4, cause: 'a: c' },
  ];
  const replayed: TimelineEntry[] = [
    webhook('http://a.test/?CallSid=CA2'),
    said,
    { type: 'recording-started', recording: 'REb' },
    { type: 'recording-ended', recording: 'REb', reason: 'silence', duration_ms: 5_000 },
    ended,
  ];
  expect(differ(live, replayed)).toBeUndefined();
});

it.each<[string, TimelineEntry[], TimelineEntry[]]>([
  ['another verb', [said], [{ ...said, verb: 'Play' }]],
  [
    'another outcome',
    [{ type: 'verb-ended', verb: 'Say', outcome: 'a' }],
    [{ type: 'verb-ended', verb: 'Say', outcome: 'b' }],
  ],
  ['another key', [{ type: 'dtmf', digit: '1' }], [{ type: 'dtmf', digit: '2' }]],
  ['another status', [ended], [{ ...ended, status: 'failed' }]],
  ['another cause', [ended], [{ ...ended, cause: 'x: b' }]],
  ['another address', [webhook('http://a.test/x')], [webhook('http://a.test/y')]],
  ['another order', [said, { type: 'answered' }], [{ type: 'answered' }, said]],
  ['something missing', [said, ended], [said]],
  ['something more', [said], [said, ended]],
])('sees %s', (_what, expected, found) => {
  expect(differ(expected, found)).toMatch(/^call, event \d+: expected .*\n {2}found /);
});

it('names the event, in the words of the first world', () => {
  const translate = (text: string) => text.replace('http://127.0.0.1:8000', 'http://a.test');
  const found = [webhook('http://127.0.0.1:8000/x'), ended];
  expect(differ([webhook('http://a.test/x'), ended], found, translate)).toBeUndefined();
  expect(differ([webhook('http://a.test/x'), said], found, translate)).toBe(
    'call, event 2: expected verb-started line=3 verb=Say\n  found call-ended cause=a status=completed',
  );
});

it('follows each dialled party by itself: which of two ended first makes no difference', () => {
  const world = (order: readonly string[], status = 'busy') =>
    new Map([
      [
        'call',
        timeline([
          { type: 'dialled', call: CHILD, to: 'sip:a@b' },
          { type: 'dialled', call: OTHER, to: 'sip:c@d' },
          ...order.map((call): TimelineEntry => ({ type: 'dial-ended', call, status: 'busy' })),
        ]),
      ],
      [CHILD, timeline([{ type: 'progress', status: 180, early: false }])],
      [OTHER, timeline([{ type: 'call-ended', status, duration_s: 0, cause: 'it refused' }])],
    ]);
  const expected = strandsOf('call', world([CHILD, OTHER]));
  expect(firstDifference(expected, strandsOf('call', world([OTHER, CHILD])))).toBeUndefined();
  expect(firstDifference(expected, strandsOf('call', world([CHILD])))).toMatch(/^call, child 2, event 2/);
  expect(firstDifference(expected, strandsOf('call', world([CHILD, OTHER], 'failed')))).toMatch(
    /^child 2 of call, event 1/,
  );
});
