import { describe, expect, test } from 'vitest';
import type { ClientEvent } from '../../../../src/sip/transaction/effect.ts';
import * as inviteClient from '../../../../src/sip/transaction/invite-client.ts';
import * as nonInviteClient from '../../../../src/sip/transaction/non-invite-client.ts';
import { RFC_TIMERS, type TimerName } from '../../../../src/sip/transaction/timers.ts';
import { response, show } from './support.ts';

const udp = { reliable: false, timers: RFC_TIMERS };
const tcp = { reliable: true, timers: RFC_TIMERS };
const timer = (name: TimerName) => ({ kind: 'timer', timer: name }) as const;
const got = (status: number) =>
  ({ kind: 'response', response: response(status), ack: Buffer.from('ACK') }) as const;
const failed = { kind: 'transport-error' } as const;

describe('INVITE client transaction (RFC 3261 figure 5, RFC 6026)', () => {
  test('starts with the request, a retransmission over UDP only, and a deadline', () => {
    expect(show(inviteClient.start(Buffer.from('INVITE'), udp)[1])).toBe(
      'send INVITE, arm A 500, arm B 32000',
    );
    expect(show(inviteClient.start(Buffer.from('INVITE'), tcp)[1])).toBe('send INVITE, arm B 32000');
  });

  type Name = inviteClient.InviteClient['name'];
  const rows: [Name, typeof udp, ClientEvent, Name, string][] = [
    ['calling', udp, timer('A'), 'calling', 'send INVITE, arm A 1000'],
    ['calling', udp, timer('B'), 'terminated', 'disarm A, tell timeout, terminate'],
    ['calling', udp, got(180), 'proceeding', 'disarm A, disarm B, tell 180'],
    ['calling', udp, got(200), 'accepted', 'disarm A, disarm B, arm M 32000, tell 200'],
    ['calling', udp, got(486), 'completed', 'disarm A, disarm B, send ACK, arm D 32000, tell 486'],
    ['calling', tcp, got(486), 'terminated', 'disarm A, disarm B, send ACK, tell 486, terminate'],
    ['calling', udp, failed, 'terminated', 'disarm A, disarm B, tell transport-error, terminate'],
    ['calling', udp, { kind: 'cancelled' }, 'calling', ''],
    ['calling', udp, timer('D'), 'calling', ''],
    ['proceeding', udp, timer('A'), 'proceeding', ''],
    ['proceeding', udp, got(183), 'proceeding', 'tell 183'],
    ['proceeding', udp, got(200), 'accepted', 'disarm A, disarm B, arm M 32000, tell 200'],
    ['proceeding', udp, got(603), 'completed', 'disarm A, disarm B, send ACK, arm D 32000, tell 603'],
    ['proceeding', udp, { kind: 'cancelled' }, 'proceeding', 'arm B 32000'],
    ['proceeding', udp, timer('B'), 'terminated', 'disarm A, tell timeout, terminate'],
    ['completed', udp, got(486), 'completed', 'send ACK'],
    ['completed', udp, got(180), 'completed', ''],
    ['completed', udp, got(200), 'completed', ''],
    ['completed', udp, timer('D'), 'terminated', 'terminate'],
    ['completed', udp, failed, 'terminated', 'disarm D, terminate'],
    ['accepted', udp, got(200), 'accepted', 'tell 200'],
    ['accepted', udp, got(486), 'accepted', ''],
    ['accepted', udp, timer('M'), 'terminated', 'terminate'],
    ['accepted', udp, failed, 'accepted', ''],
    ['terminated', udp, got(200), 'terminated', ''],
  ];
  test.each(rows)('%s · %o · %o → %s', (name, settings, event, next, effects) => {
    const state = { name, settings, request: Buffer.from('INVITE'), interval: 500 };
    const [after, done] = inviteClient.step(state, event);
    expect([after.name, show(done)]).toEqual([next, effects]);
  });

  test('timer A doubles without limit', () => {
    let [state] = inviteClient.start(Buffer.from('INVITE'), udp);
    const intervals: string[] = [];
    for (let i = 0; i < 6; i++) {
      const [next, effects] = inviteClient.step(state, timer('A'));
      state = next;
      intervals.push(show(effects.slice(1)));
    }
    expect(intervals).toEqual([
      'arm A 1000',
      'arm A 2000',
      'arm A 4000',
      'arm A 8000',
      'arm A 16000',
      'arm A 32000',
    ]);
  });
});

describe('non-INVITE client transaction (RFC 3261 figure 6)', () => {
  test('starts with the request, a retransmission over UDP only, and a deadline', () => {
    expect(show(nonInviteClient.start(Buffer.from('BYE'), udp)[1])).toBe('send BYE, arm E 500, arm F 32000');
    expect(show(nonInviteClient.start(Buffer.from('BYE'), tcp)[1])).toBe('send BYE, arm F 32000');
  });

  type Name = nonInviteClient.NonInviteClient['name'];
  const rows: [Name, typeof udp, Parameters<typeof nonInviteClient.step>[1], Name, string][] = [
    ['trying', udp, timer('E'), 'trying', 'send BYE, arm E 1000'],
    ['trying', udp, timer('F'), 'terminated', 'disarm E, tell timeout, terminate'],
    ['trying', udp, got(100), 'proceeding', 'tell 100'],
    ['trying', udp, got(200), 'completed', 'disarm E, disarm F, arm K 5000, tell 200'],
    ['trying', tcp, got(200), 'terminated', 'disarm E, disarm F, tell 200, terminate'],
    ['trying', udp, failed, 'terminated', 'disarm E, disarm F, tell transport-error, terminate'],
    ['proceeding', udp, timer('E'), 'proceeding', 'send BYE, arm E 4000'],
    ['proceeding', udp, timer('F'), 'terminated', 'disarm E, tell timeout, terminate'],
    ['proceeding', udp, got(481), 'completed', 'disarm E, disarm F, arm K 5000, tell 481'],
    ['completed', udp, got(200), 'completed', ''],
    ['completed', udp, timer('K'), 'terminated', 'terminate'],
    ['terminated', udp, got(200), 'terminated', ''],
  ];
  test.each(rows)('%s · %o · %o → %s', (name, settings, event, next, effects) => {
    const state = { name, settings, request: Buffer.from('BYE'), interval: 500 };
    const [after, done] = nonInviteClient.step(state, event);
    expect([after.name, show(done)]).toEqual([next, effects]);
  });
});
