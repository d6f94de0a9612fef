import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { DialWorld } from './support/dial-world.ts';
import { answers, type Behaviour, RawCallee, refuses, rings } from './support/raw-callee.ts';

let world: DialWorld;
const callees: RawCallee[] = [];

async function callee(onInvite: Behaviour): Promise<RawCallee> {
  const one = await RawCallee.open(onInvite);
  callees.push(one);
  return one;
}

const sip = (...some: readonly RawCallee[]) => some.map(({ uri }) => `<Sip>${uri}</Sip>`).join('');

beforeAll(async () => {
  world = await DialWorld.start();
});

afterEach(() => {
  for (const one of callees.splice(0)) one.close();
});

afterAll(() => world.stop());

describe('nine parties at once', () => {
  it('the first that answers is connected, the others get CANCEL and their 487 an ACK', async () => {
    const nine = await Promise.all(Array.from({ length: 9 }, () => callee(rings)));
    const call = world.dial(sip(...nine));
    const invites = await Promise.all(nine.map((one) => one.waitFor('INVITE')));
    const [winner, ...others] = [...nine.slice(4), ...nine.slice(0, 4)];
    const [taken] = [...invites.slice(4)];
    if (!winner || !taken) throw new Error('nine were asked for');
    winner.reply(taken, 200);
    await Promise.all(others.map((one) => one.waitFor('ACK')));
    for (const one of others) expect(one.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
    await winner.waitFor('ACK');
    expect(winner.methods).toEqual(['INVITE', 'ACK']);
    winner.request('BYE', taken);
    await winner.waitFor('200');

    const form = await world.after(call.from);
    expect(form).toMatchObject({
      DialCallStatus: 'completed',
      DialBridged: 'true',
      DialSipResponseCode: '200',
    });
    expect(form['DialSipCallId']).toBe(taken.header('Call-ID'));
    const { parent, children, dialEnded } = await world.ended(call.from);
    const won = children.filter(({ sid }) => sid === form['DialCallSid']);
    const lost = children.filter(({ sid }) => sid !== form['DialCallSid']);
    expect(won).toMatchObject([{ status: 'completed', sip_call_id: taken.header('Call-ID') }]);
    expect(lost.map(({ status }) => status)).toEqual(Array(8).fill('canceled'));
    expect(lost.map(({ sid }) => dialEnded.get(sid)?.status)).toEqual(Array(8).fill('canceled'));
    expect(new Set(children.map((child) => child['parent_call_sid']))).toEqual(new Set([parent.sid]));
  });

  it('one that answers twice: the first answer counts, the dialog of the second is ended', async () => {
    const forked = await callee((invite, one) => {
      one.reply(invite, 200, { tag: 'first' });
      one.reply(invite, 200, { tag: 'second' });
    });
    const call = world.dial(sip(forked), 'timeLimit="1"');
    const form = await world.after(call.from);
    expect(form).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
    await forked.waitFor('BYE', 2);
    const tags = (method: string) =>
      forked.requests(method).map((one) => /;tag=(\w+)/.exec(one.header('To'))?.[1]);
    expect(new Set(tags('ACK'))).toEqual(new Set(['first', 'second']));
    expect(tags('BYE')).toEqual(['second', 'first']); // the first one talked for a second
  });

  it('two that answer at once: one is connected, the other is let go', async () => {
    const two = await Promise.all([callee(rings), callee(rings)]);
    const call = world.dial(sip(...two));
    const invites = await Promise.all(two.map((one) => one.waitFor('INVITE')));
    two.forEach((one, n) => {
      const invite = invites[n];
      if (invite) one.reply(invite, 200);
    });
    const leaver = await Promise.race(two.map((one) => one.waitFor('BYE').then(() => one)));
    const stayer = two.find((one) => one !== leaver);
    const invite = stayer?.requests('INVITE')[0];
    if (!stayer || !invite) throw new Error('two were called');
    expect(stayer.methods).toEqual(['INVITE', 'ACK']);
    stayer.request('BYE', invite);
    const form = await world.after(call.from);
    expect(form).toMatchObject({ DialCallStatus: 'completed', DialSipCallId: invite.header('Call-ID') });
    expect(leaver.methods.filter((method) => method !== 'CANCEL')).toEqual(['INVITE', 'ACK', 'BYE']);
  });

  it('all refuse: action is told of the last one', async () => {
    const [busy, gone, last] = await Promise.all([callee(refuses(486)), callee(refuses(404)), callee(rings)]);
    const call = world.dial(sip(busy, gone, last));
    await Promise.all([busy, gone].map((one) => one.waitFor('ACK')));
    last.reply(await last.waitFor('INVITE'), 480);
    expect(await world.after(call.from)).toMatchObject({
      DialCallStatus: 'no-answer',
      DialSipResponseCode: '480',
      DialBridged: 'false',
    });
    const { children } = await world.ended(call.from);
    expect(children.map(({ status }) => status)).toEqual(['busy', 'failed', 'no-answer']);
  });
});

it('one after the other: busy, not answering in time, answering; nobody is called before the one ahead is over', async () => {
  const order: string[] = [];
  const noted = (name: string, behave: Behaviour): Behaviour => {
    return (invite, one) => {
      order.push(name);
      behave(invite, one);
    };
  };
  const busy = await callee(noted('busy', refuses(486)));
  const late = await callee(noted('late', rings));
  late.onCancel = (cancel, one) => {
    order.push('cancelled');
    one.reply(cancel, 200);
    const [invite] = one.requests('INVITE');
    if (invite) one.reply(invite, 487);
  };
  const willing = await callee(noted('willing', answers));
  const never = await callee(noted('never', answers));
  const call = world.dial(sip(busy, late, willing, never), 'sequential="true" timeout="5"');
  await willing.waitFor('ACK');
  const [invite] = willing.requests('INVITE');
  if (!invite) throw new Error('it was invited');
  willing.request('BYE', invite);
  const form = await world.after(call.from);
  expect(form).toMatchObject({ DialCallStatus: 'completed', DialSipCallId: invite.header('Call-ID') });
  expect(order).toEqual(['busy', 'late', 'cancelled', 'willing']);
  expect(late.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
  const { children } = await world.ended(call.from);
  expect(children.map(({ status }) => status)).toEqual(['busy', 'no-answer', 'completed']);
});

it('timeout: CANCEL, 487, no-answer', async () => {
  const party = await callee(rings);
  const call = world.dial(sip(party), 'timeout="5"');
  await party.waitFor('ACK');
  expect(party.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
  const form = await world.after(call.from);
  expect(form).toMatchObject({
    DialCallStatus: 'no-answer',
    DialSipResponseCode: '487',
    DialBridged: 'false',
  });
  expect(form).toMatchObject({ DialCallDuration: '0', CallStatus: 'in-progress' });
  const { children } = await world.ended(call.from);
  expect(children).toMatchObject([{ status: 'no-answer', duration: '0' }]);
});

describe('a conversation', () => {
  it('timeLimit: the callee is hung up on, the caller goes on', async () => {
    const party = await callee(answers);
    const call = world.dial(sip(party), 'timeLimit="2"');
    await party.waitFor('BYE');
    const form = await world.after(call.from);
    expect(form).toMatchObject({
      DialCallStatus: 'completed',
      DialBridged: 'true',
      CallStatus: 'in-progress',
    });
    expect(Number(form['DialCallDuration'])).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ['', ['INVITE', 'ACK']],
    ['hangupOnStar="true"', ['INVITE', 'ACK', 'BYE']],
  ])('the caller presses * with %s', async (attribute, methods) => {
    const party = await callee(answers);
    const call = world.dial(sip(party), attribute, '--press', '12*', '--after', '1s');
    if (methods.length === 3) {
      const form = await world.after(call.from);
      expect(form).toMatchObject({
        DialCallStatus: 'completed',
        DialBridged: 'true',
        CallStatus: 'in-progress',
      });
    } else {
      // Three keys of telephone events: the callee gets them, the last with its end bit.
      await untilKeys(party, 3);
      expect(world.requests('/after', call.from)).toEqual([]);
    }
    expect(party.methods).toEqual(methods);
    call.hangUp();
    await call.code;
  });
});

async function untilKeys(party: RawCallee, count: number): Promise<void> {
  await until(`${count} keys`, () => {
    const ends = party.media.filter(
      ({ packet }) => (packet.readUInt8(1) & 0x7f) === 101 && (packet[13] ?? 0) & 0x80,
    );
    return new Set(ends.map(({ packet }) => packet.readUInt32BE(4))).size >= count;
  });
}

/** An answered caller says BYE, one that still rings says CANCEL. */
describe.each([
  ['answered', 'answerOnBridge="false"', 'completed'],
  ['ringing', 'answerOnBridge="true"', 'no-answer'],
] as const)('the caller, %s, hangs up', (state, attribute, parentStatus) => {
  const hungUp = async (call: ReturnType<DialWorld['dial']>) => {
    if (state === 'answered') await call.says(/200 OK/);
    call.hangUp();
    await call.code;
  };

  it('before the callee has said anything: CANCEL when it does', async () => {
    const party = await callee(() => {});
    const call = world.dial(sip(party), attribute);
    const invite = await party.waitFor('INVITE');
    await hungUp(call);
    const { parent, children } = await world.ended(call.from);
    expect(parent.status).toBe(parentStatus);
    expect(children).toMatchObject([{ status: 'canceled', duration: '0' }]);
    expect(party.methods).toEqual(['INVITE']); // RFC 3261 §9.1: no CANCEL before a provisional response
    party.reply(invite, 180);
    await party.waitFor('ACK');
    expect(party.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
  });

  it.each([
    ['has said 100', (invite, one) => one.reply(invite, 100)],
    ['rings', rings],
    ['sends audio', (invite, one) => one.reply(invite, 183)],
  ] satisfies [string, Behaviour][])('while the callee %s: CANCEL, and ACK of its 487', async (_, behave) => {
    const party = await callee(behave);
    const call = world.dial(sip(party), attribute);
    await party.waitFor('INVITE');
    await hungUp(call);
    await party.waitFor('ACK');
    expect(party.methods).toEqual(['INVITE', 'CANCEL', 'ACK']);
    const { parent, children } = await world.ended(call.from);
    expect(parent.status).toBe(parentStatus);
    expect(children).toMatchObject([{ status: 'canceled', duration: '0', parent_call_sid: parent.sid }]);
  });

  it('as the callee answers: its 200 is acknowledged, then BYE', async () => {
    const party = await callee(rings);
    party.onCancel = (cancel, one) => {
      const [invite] = one.requests('INVITE');
      if (invite) one.reply(invite, 200);
      one.reply(cancel, 200);
    };
    const call = world.dial(sip(party), attribute);
    await party.waitFor('INVITE');
    await hungUp(call);
    await party.waitFor('BYE');
    expect(party.methods).toEqual(['INVITE', 'CANCEL', 'ACK', 'BYE']);
    const { children } = await world.ended(call.from);
    expect(children).toMatchObject([{ status: 'canceled', duration: '0' }]);
  });

  it('at any moment around the answer: whatever crossed, nothing is left of the callee', async () => {
    const party = await callee(answers);
    const call = world.dial(sip(party), attribute);
    await party.waitFor('INVITE');
    call.hangUp();
    await call.code;
    await party.waitFor('BYE');
    const { parent, children } = await world.ended(call.from);
    expect(['completed', 'no-answer']).toContain(parent.status);
    expect(['completed', 'canceled']).toContain(children[0]?.status);
  });

  it('while both talk: BYE', async () => {
    const party = await callee(answers);
    const call = world.dial(sip(party), attribute);
    await party.waitFor('ACK');
    await world.talking(call.from);
    call.hangUp();
    await party.waitFor('BYE');
    expect(party.methods).toEqual(['INVITE', 'ACK', 'BYE']);
    const { parent, children } = await world.ended(call.from);
    expect(parent.status).toBe('completed');
    expect(children).toMatchObject([{ status: 'completed' }]);
  });
});
