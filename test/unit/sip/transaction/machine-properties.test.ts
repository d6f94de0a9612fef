import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Effect } from '../../../../src/sip/transaction/effect.ts';
import * as inviteClient from '../../../../src/sip/transaction/invite-client.ts';
import * as inviteServer from '../../../../src/sip/transaction/invite-server.ts';
import * as nonInviteClient from '../../../../src/sip/transaction/non-invite-client.ts';
import * as nonInviteServer from '../../../../src/sip/transaction/non-invite-server.ts';
import { RFC_TIMERS, type TimerName } from '../../../../src/sip/transaction/timers.ts';
import { response } from './support.ts';

interface Named {
  readonly name: string;
}
type Machine<S extends Named, E, T> = {
  readonly title: string;
  readonly start: (reliable: boolean) => readonly [S, readonly Effect<T>[]];
  readonly step: (state: S, event: E) => readonly [S, readonly Effect<T>[]];
  readonly events: fc.Arbitrary<E>;
  readonly timer: (timer: TimerName) => E;
  readonly told: (told: T) => string;
};

const status = fc.constantFrom(100, 180, 183, 200, 302, 401, 486, 503, 603);
const settings = (reliable: boolean) => ({ reliable, timers: RFC_TIMERS });
const timer = (name: TimerName) => ({ kind: 'timer', timer: name }) as const;
const responses = status.map(
  (code) => ({ kind: 'response', response: response(code), ack: Buffer.from('ACK') }) as const,
);
const failure = fc.constant({ kind: 'transport-error' } as const);
const answers = status.map(
  (code) => ({ kind: 'respond', status: code, message: Buffer.from(String(code)) }) as const,
);
const peer = fc.constantFrom({ kind: 'request' } as const, { kind: 'ack' } as const);

/** Runs events and the timers that are armed; a timer that is not armed cannot fire. */
function run<S extends Named, E, T>(machine: Machine<S, E, T>, reliable: boolean, script: (E | 'timer')[]) {
  const armed = new Set<TimerName>();
  const told: string[] = [];
  let [state, effects] = machine.start(reliable);
  const apply = () => {
    for (const effect of effects) {
      if (effect.kind === 'arm') armed.add(effect.timer);
      if (effect.kind === 'disarm') armed.delete(effect.timer);
      if (effect.kind === 'tell') told.push(machine.told(effect.event));
    }
  };
  apply();
  const feed = (event: E | 'timer') => {
    if (event === 'timer') {
      const [due] = armed;
      if (!due) return;
      armed.delete(due);
      [state, effects] = machine.step(state, machine.timer(due));
    } else {
      [state, effects] = machine.step(state, event);
    }
    apply();
  };
  for (const event of script) feed(event);
  return { feed, told, armed, name: () => state.name };
}

function properties<S extends Named, E, T>(machine: Machine<S, E, T>) {
  describe(machine.title, () => {
    const script = fc.array(fc.oneof(machine.events, fc.constant('timer' as const)), { maxLength: 40 });

    test('terminated holds no timer and says nothing more', () => {
      fc.assert(
        fc.property(fc.boolean(), script, script, (reliable, before, after) => {
          const ran = run(machine, reliable, before);
          if (ran.name() !== 'terminated') return;
          expect([...ran.armed]).toEqual([]);
          const said = ran.told.length;
          for (const event of after) ran.feed(event);
          expect(ran.told.length).toBe(said);
          expect([...ran.armed]).toEqual([]);
        }),
      );
    });

    test('the same event again is not told again', () => {
      fc.assert(
        fc.property(fc.boolean(), script, machine.events, (reliable, before, event) => {
          const ran = run(machine, reliable, [...before, event]);
          const said = ran.told.length;
          ran.feed(event);
          // provisional responses may repeat, and RFC 6026 hands every 2xx to the transaction user
          const more = ran.told.slice(said).filter((what) => !/^(1|2)\d\d$/.test(what));
          if (ran.name() !== 'accepted') expect(more).toEqual([]);
        }),
      );
    });
  });
}

const clientTold = (told: { kind: string; response?: { status: number } }) =>
  told.response ? String(told.response.status) : told.kind;

properties({
  title: 'INVITE client',
  start: (reliable) => inviteClient.start(Buffer.from('INVITE'), settings(reliable)),
  step: inviteClient.step,
  events: fc.oneof(responses, failure, fc.constant({ kind: 'cancelled' } as const)),
  timer,
  told: clientTold,
});
properties({
  title: 'non-INVITE client',
  start: (reliable) => nonInviteClient.start(Buffer.from('BYE'), settings(reliable)),
  step: nonInviteClient.step,
  events: fc.oneof(responses, failure),
  timer,
  told: clientTold,
});
properties({
  title: 'INVITE server',
  start: (reliable) => [inviteServer.start(settings(reliable)), []],
  step: inviteServer.step,
  events: fc.oneof(answers, peer, failure),
  timer,
  told: (told) => told.kind,
});
properties({
  title: 'non-INVITE server',
  start: (reliable) => [nonInviteServer.start(settings(reliable)), []],
  step: nonInviteServer.step,
  events: fc.oneof(answers, peer, failure),
  timer,
  told: (told) => told.kind,
});
