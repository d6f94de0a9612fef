import { describe, expect, test } from 'vitest';
import type { ServerEvent } from '../../../../src/sip/transaction/effect.ts';
import * as inviteServer from '../../../../src/sip/transaction/invite-server.ts';
import * as nonInviteServer from '../../../../src/sip/transaction/non-invite-server.ts';
import { RFC_TIMERS, type TimerName } from '../../../../src/sip/transaction/timers.ts';
import { show } from './support.ts';

const udp = { reliable: false, timers: RFC_TIMERS };
const tcp = { reliable: true, timers: RFC_TIMERS };
const timer = (name: TimerName) => ({ kind: 'timer', timer: name }) as const;
const respond = (status: number) =>
  ({ kind: 'respond', status, message: Buffer.from(String(status)) }) as const;
const request = { kind: 'request' } as const;
const ack = { kind: 'ack' } as const;
const failed = { kind: 'transport-error' } as const;

describe('INVITE server transaction (RFC 3261 figure 7, RFC 6026)', () => {
  type Name = inviteServer.InviteServer['name'];
  const rows: [Name, typeof udp, ServerEvent, Name, string][] = [
    ['proceeding', udp, respond(180), 'proceeding', 'send 180'],
    ['proceeding', udp, request, 'proceeding', 'send last'],
    ['proceeding', udp, respond(200), 'accepted', 'send 200, arm L 32000'],
    ['proceeding', tcp, respond(200), 'accepted', 'send 200, arm L 32000'],
    ['proceeding', udp, respond(486), 'completed', 'send 486, arm G 500, arm H 32000'],
    ['proceeding', tcp, respond(486), 'completed', 'send 486, arm H 32000'],
    ['proceeding', udp, failed, 'terminated', 'tell transport-error, terminate'],
    ['proceeding', udp, ack, 'proceeding', ''],
    ['completed', udp, request, 'completed', 'send last'],
    ['completed', udp, respond(500), 'completed', ''],
    ['completed', udp, timer('G'), 'completed', 'send last, arm G 1000'],
    ['completed', udp, timer('H'), 'terminated', 'disarm G, tell timeout, terminate'],
    ['completed', udp, ack, 'confirmed', 'disarm G, disarm H, arm I 5000, tell ack'],
    ['completed', tcp, ack, 'terminated', 'disarm G, disarm H, tell ack, terminate'],
    ['completed', udp, failed, 'terminated', 'disarm G, disarm H, tell transport-error, terminate'],
    ['confirmed', udp, ack, 'confirmed', ''],
    ['confirmed', udp, request, 'confirmed', ''],
    ['confirmed', udp, timer('I'), 'terminated', 'terminate'],
    ['accepted', udp, request, 'accepted', ''],
    ['accepted', udp, respond(200), 'accepted', 'send 200'],
    ['accepted', udp, respond(486), 'accepted', ''],
    ['accepted', udp, ack, 'accepted', 'tell ack'],
    ['accepted', udp, failed, 'accepted', 'tell transport-error'],
    ['accepted', udp, timer('L'), 'terminated', 'terminate'],
    ['terminated', udp, request, 'terminated', ''],
  ];
  test.each(rows)('%s · %o · %o → %s', (name, settings, event, next, effects) => {
    const state = { name, settings, last: Buffer.from('last'), interval: 500 };
    const [after, done] = inviteServer.step(state, event);
    expect([after.name, show(done)]).toEqual([next, effects]);
  });

  test('timer G doubles up to T2', () => {
    let state: inviteServer.InviteServer = {
      name: 'completed',
      settings: udp,
      last: Buffer.from('x'),
      interval: 500,
    };
    const intervals: string[] = [];
    for (let i = 0; i < 5; i++) {
      const [next, effects] = inviteServer.step(state, timer('G'));
      state = next;
      intervals.push(show(effects.slice(1)));
    }
    expect(intervals).toEqual(['arm G 1000', 'arm G 2000', 'arm G 4000', 'arm G 4000', 'arm G 4000']);
  });

  test('a repeated INVITE before any response is absorbed', () => {
    expect(inviteServer.step(inviteServer.start(udp), request)[1]).toEqual([]);
  });
});

describe('non-INVITE server transaction (RFC 3261 figure 8)', () => {
  type Name = nonInviteServer.NonInviteServer['name'];
  const rows: [Name, typeof udp, ServerEvent, Name, string][] = [
    ['trying', udp, respond(100), 'proceeding', 'send 100'],
    ['trying', udp, respond(200), 'completed', 'send 200, arm J 32000'],
    ['trying', tcp, respond(200), 'terminated', 'send 200, terminate'],
    ['trying', udp, failed, 'terminated', 'tell transport-error, terminate'],
    ['proceeding', udp, request, 'proceeding', 'send last'],
    ['proceeding', udp, respond(404), 'completed', 'send 404, arm J 32000'],
    ['completed', udp, request, 'completed', 'send last'],
    ['completed', udp, respond(500), 'completed', ''],
    ['completed', udp, timer('J'), 'terminated', 'terminate'],
    ['completed', udp, failed, 'terminated', 'disarm J, tell transport-error, terminate'],
    ['terminated', udp, request, 'terminated', ''],
  ];
  test.each(rows)('%s · %o · %o → %s', (name, settings, event, next, effects) => {
    const [after, done] = nonInviteServer.step({ name, settings, last: Buffer.from('last') }, event);
    expect([after.name, show(done)]).toEqual([next, effects]);
  });

  test('a repeated request before any response is absorbed', () => {
    expect(nonInviteServer.step(nonInviteServer.start(udp), request)[1]).toEqual([]);
  });
});
