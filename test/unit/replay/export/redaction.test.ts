import { expect, it } from 'vitest';
import type { TimelineEvent } from '../../../../src/call/timeline.ts';
import type { ExportedCall } from '../../../../src/replay/export/exported-call.ts';
import { redact, withoutStoredPasswords } from '../../../../src/replay/export/redaction.ts';

const SID = `CA${'7b'.repeat(16)}`;
const ACCOUNT = `AC${'5e'.repeat(16)}`;

function callWith(body: string, parameters: Readonly<Record<string, string>> = {}): ExportedCall {
  const url = `http://app.example/voice?from=%2B353861234567&call=${SID}`;
  const events: readonly TimelineEvent[] = [
    { at: '2026-01-01T00:00:00.000Z', type: 'exchange', url, parameters, body },
    { at: '2026-01-01T00:00:01.000Z', type: 'dialled', call: `CA${'8c'.repeat(16)}`, to: '+14155551234' },
  ];
  return {
    sid: SID,
    from: '+353861234567',
    to: '+35315550100',
    region: 'ie1',
    timelines: new Map([[SID, events]]),
  };
}

function bodyOf({ sid, timelines }: ExportedCall): string | undefined {
  const [event] = timelines.get(sid) ?? [];
  return event?.type === 'exchange' ? event.body : undefined;
}

it.each([
  [
    'numbers',
    '<Dial callerId="+353861234567">+14155551234</Dial>',
    '<Dial callerId="+15005550001">+15005550103</Dial>',
  ],
  ['numbers as people write them', '<Number>(415) 555-1234</Number>', '<Number>+15005550103</Number>'],
  ['numbers without their plus', '<Say>14155551234, 4155551234</Say>', '<Say>15005550103, 5005550103</Say>'],
  [
    'numbers in addresses',
    '<Redirect>/a?x=%2B14155551234</Redirect>',
    '<Redirect>/a?x=%2B15005550103</Redirect>',
  ],
  [
    'users of SIP',
    '<Sip username="mary">sip:mary@pbx.example</Sip>',
    '<Sip username="party1">sip:party1@pbx.example</Sip>',
  ],
  ['e-mail addresses', '<Say>Write to jo.do@mail.example</Say>', '<Say>Write to party1@mail.example</Say>'],
  ['logins', '<Play>https://jo:pw@a.example/b</Play>', '<Play>https://party1:***@a.example/b</Play>'],
  ['passwords', "<Sip password='x y'>a</Sip>", '<Sip password="***">a</Sip>'],
  ['names of callers', '<Say>Hello Jane Doe.</Say>', '<Say>Hello Caller Name 1.</Say>'],
  [
    'SIDs',
    `<Say>${SID} ${ACCOUNT}</Say>`,
    `<Say>CA${'1'.padStart(32, '0')} AC${'1'.padStart(32, '0')}</Say>`,
  ],
  [
    'private addresses',
    '<Sip>sip:10.1.2.3</Sip><Play>http://192.168.0.9/a</Play>',
    '<Sip>sip:192.0.2.1</Sip><Play>http://192.0.2.2/a</Play>',
  ],
  [
    'nothing of what is public or short',
    '<Say>Press 1 or wait 3.5 s.</Say><Play>http://127.0.0.1/a</Play>',
    '<Say>Press 1 or wait 3.5 s.</Say><Play>http://127.0.0.1/a</Play>',
  ],
])('replaces %s', (_what, body, expected) => {
  expect(bodyOf(redact(callWith(body, { CallerName: 'Jane Doe' })).call)).toBe(expected);
});

it('replaces the same by the same, in every text and key, and counts', () => {
  const { call, counts } = redact(callWith('<Dial>+14155551234</Dial>'));
  expect(call).toMatchObject({ from: '+15005550001', to: '+15005550006' });
  expect(JSON.stringify([...call.timelines])).not.toMatch(/353|4155551234|7b7b|8c8c/);
  const [exchange, dialled] = call.timelines.get(call.sid) ?? [];
  expect(exchange).toMatchObject({ url: `http://app.example/voice?from=%2B15005550001&call=${call.sid}` });
  expect(dialled).toMatchObject({ to: '+15005550103' });
  expect(counts).toEqual({ numbers: 3, users: 0, names: 0, sids: 2, addresses: 0 });
});

it('hides passwords of a call that is not redacted', () => {
  const body = '<Dial><Sip username="mary" password="secret">sip:mary@pbx.example</Sip></Dial>';
  const call = withoutStoredPasswords(callWith(body));
  expect(bodyOf(call)).toBe(body.replace('secret', '***'));
  expect(call.from).toBe('+353861234567');
});
