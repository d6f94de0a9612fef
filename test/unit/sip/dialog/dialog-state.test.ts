import { describe, expect, test } from 'vitest';
import {
  calleeDialog,
  callerDialog,
  glareDelay,
  nextRequest,
  received,
  refreshed,
  routeOf,
} from '../../../../src/sip/dialog/dialog-state.ts';
import { makeRequest, makeResponse } from '../../../../src/sip/message/build.ts';

const common = { From: '<sip:a@x>;tag=a', 'Call-ID': 'c', CSeq: '314 INVITE' };
const route = { 'Record-Route': ['<sip:p1;lr>, <sip:p2;lr>', '<sip:p3;lr>'] };
const invite = makeRequest('INVITE', 'sip:b@y', {
  ...common,
  To: '<sip:b@y>',
  Contact: '<sip:a@host>',
  ...route,
});
const ok = makeResponse(200, undefined, {
  ...common,
  To: '<sip:b@y>;tag=b',
  Contact: '<sip:b@host>',
  ...route,
});

describe('a dialog begins', () => {
  test('at the callee: routes in order, the target is the Contact (§12.1.1)', () => {
    expect(calleeDialog(invite, 'b')).toEqual({
      callId: 'c',
      localTag: 'b',
      remoteTag: 'a',
      local: '<sip:b@y>;tag=b',
      remote: '<sip:a@x>;tag=a',
      localSeq: 0,
      remoteSeq: 314,
      remoteTarget: 'sip:a@host',
      routeSet: ['<sip:p1;lr>', '<sip:p2;lr>', '<sip:p3;lr>'],
    });
  });

  test('at the caller: routes reversed, no number of the peer yet (§12.1.2)', () => {
    expect(callerDialog(invite, ok)).toEqual({
      callId: 'c',
      localTag: 'a',
      remoteTag: 'b',
      local: '<sip:a@x>;tag=a',
      remote: '<sip:b@y>;tag=b',
      localSeq: 314,
      remoteSeq: undefined,
      remoteTarget: 'sip:b@host',
      routeSet: ['<sip:p3;lr>', '<sip:p2;lr>', '<sip:p1;lr>'],
    });
  });

  test('a 200 without Contact leaves the Request-URI as target', () => {
    expect(callerDialog(invite, makeResponse(200, undefined, { To: '<sip:b@y>;tag=b' })).remoteTarget).toBe(
      'sip:b@y',
    );
  });
});

describe('routes of a request (§12.2.1.1)', () => {
  const target = 'sip:b@host';
  test('none: the target', () => {
    expect(routeOf({ remoteTarget: target, routeSet: [] })).toEqual({
      uri: target,
      routes: [],
      nextHop: target,
    });
  });
  test('loose: the target, by way of the set', () => {
    const routeSet = ['<sip:p1;lr>', '<sip:p2>'];
    expect(routeOf({ remoteTarget: target, routeSet })).toEqual({
      uri: target,
      routes: routeSet,
      nextHop: 'sip:p1;lr',
    });
  });
  test('strict: the first route is the Request-URI, without headers, the target comes last', () => {
    expect(routeOf({ remoteTarget: target, routeSet: ['<sip:p1?Subject=x>', '<sip:p2;lr>'] })).toEqual({
      uri: 'sip:p1',
      routes: ['<sip:p2;lr>', '<sip:b@host>'],
      nextHop: 'sip:p1',
    });
  });
});

describe('within a dialog', () => {
  const dialog = calleeDialog(invite, 'b');
  test('numbers go up by one on this side', () => {
    expect(nextRequest(nextRequest(dialog)).localSeq).toBe(2);
  });
  test('and never down on the other (§12.2.2)', () => {
    expect(received(dialog, 313)).toBeUndefined();
    expect(received(dialog, 400)?.remoteSeq).toBe(400);
    expect(received(callerDialog(invite, ok), 1)?.remoteSeq).toBe(1);
  });
  test('a target refresh changes the target alone', () => {
    const moved = makeResponse(200, undefined, { Contact: '<sip:new@host>' });
    expect(refreshed(dialog, moved)).toEqual({ ...dialog, remoteTarget: 'sip:new@host' });
    for (const Contact of [undefined, '<sip:new', '*', '<http://host/>'])
      expect(refreshed(dialog, makeResponse(200, undefined, { Contact }))).toBe(dialog);
  });
});

test('glare is retried in 2.1–4 s by the caller, within 2 s by the callee, in steps of 10 ms (§14.1)', () => {
  const delays = (caller: boolean) => Array.from({ length: 1000 }, (_, chance) => glareDelay(caller, chance));
  expect([Math.min(...delays(true)), Math.max(...delays(true))]).toEqual([2_100, 4_000]);
  expect([Math.min(...delays(false)), Math.max(...delays(false))]).toEqual([0, 2_000]);
  expect(delays(true).every((ms) => ms % 10 === 0)).toBe(true);
});
