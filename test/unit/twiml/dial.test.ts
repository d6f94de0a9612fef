import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runCall } from '../../../src/twiml/interpreter/run-call.ts';
import { setUp, type TestChild } from './call-world.ts';

const NEVER = new AbortController().signal;
const URL = 'http://app.test/voice';
const NUMBERS = '<Number>+15005550009</Number><Number>+15005550010</Number>';

const dialing = (inside: string, onDial: (child: TestChild, index: number) => void, more = {}) =>
  setUp({ '/voice': `<Response>${inside}</Response>`, '/after': '<Response/>', ...more }, URL, onDial);

describe('Dial', () => {
  it('connects one of two that answer at the same moment, and hangs the other up', async () => {
    const { clock, world, children, timeline } = dialing(`<Dial>${NUMBERS}</Dial>`, () => {});
    clock.after(1_000, () => {
      for (const { leg } of children) leg.peer.answer();
    });
    clock.after(5_000, () => children[0]?.leg.peer.hangup());
    await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
    expect(timeline.filter(({ type }) => type === 'bridged')).toEqual([
      { type: 'bridged', call: 'CA2' },
      { type: 'bridged', call: 'CA1' }, // as the child tells it
    ]);
    expect(children.map(({ withdrawn }) => withdrawn)).toEqual([undefined, 'elsewhere']);
    expect(children[1]?.leg.peer.dismissed).toBe('bye');
  });

  it('connects nobody when the caller gives up at the moment of the answer', async () => {
    const { clock, world, leg, children, timeline } = dialing(
      `<Dial answerOnBridge="true">${NUMBERS}</Dial>`,
      (child) => {
        clock.after(1_000, () => {
          child.leg.peer.answer();
          leg.peer.hangup();
        });
      },
    );
    const end = await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
    expect(end.status).toBe('no-answer');
    expect(timeline.some(({ type }) => type === 'bridged')).toBe(false);
    expect(children.map(({ leg: { state } }) => state)).toEqual(['ended', 'ended']);
  });

  it('lets a child go that left while the caller hung up', async () => {
    const { clock, world, leg, children } = dialing('<Dial>+15005550009</Dial>', (child) => {
      clock.after(1_000, () => child.leg.peer.answer());
      clock.after(2_000, () => {
        child.leave({ kind: 'twiml', twiml: '<Response/>' });
        leg.peer.hangup();
      });
    });
    await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
    expect(children[0]).toMatchObject({ released: 1, withdrawn: undefined });
  });

  it.each(['true', 'false'])(
    'lets a child go that left as it was replaced (answerOnBridge %s)',
    async (early) => {
      const { clock, world, children } = dialing(
        `<Dial answerOnBridge="${early}" referUrl="/referred">+15005550009</Dial>`,
        (child, index) => {
          clock.after(1_000, () => child.leg.peer.answer());
          if (index > 0) return;
          clock.after(2_000, () => {
            child.leg.peer.refer('sip:carol@example.com');
            child.leave({ kind: 'twiml', twiml: '<Response/>' });
          });
        },
        { '/referred': '<Response><Dial timeLimit="3">+15005550011</Dial></Response>' },
      );
      await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
      expect(children[0]).toMatchObject({ released: 1, withdrawn: undefined });
    },
  );

  it('tells action nothing when the worker shuts down: nobody hung up', async () => {
    const { clock, world, requests, children } = dialing(
      '<Dial action="/after">+15005550009</Dial>',
      () => {},
    );
    const shutdown = new AbortController();
    clock.after(3_000, () => shutdown.abort(new Error('shutdown')));
    await expect(clock.run(runCall(world, { kind: 'fresh' }, shutdown.signal))).rejects.toThrow('shutdown');
    expect(requests).toHaveLength(1);
    expect(children[0]?.withdrawn).toBe('caller-gone');
  });

  it('passes on no more of Refer-To than 256 characters', async () => {
    const { clock, world, requests } = dialing('<Dial referUrl="/after">+15005550009</Dial>', ({ leg }) => {
      clock.after(1_000, () => leg.peer.answer());
      clock.after(2_000, () => leg.peer.refer('x'.repeat(300)));
    });
    await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
    expect(requests[1]?.params['ReferTransferTarget']).toBe('x'.repeat(256));
  });
});

const moment = fc.integer({ min: 0, max: 40 }).map((tenths) => tenths * 250);
const calleeAct = fc.record({
  at: moment,
  does: fc.constantFrom('ring', 'early', 'answer', 'answer', 'refuse', 'hangup', 'star', 'refer', 'leave'),
});
const callerAct = fc.record({ at: moment, does: fc.constantFrom('hangup', 'star', 'refer', 'order') });
const attributes = fc.record({
  sequential: fc.boolean(),
  answerOnBridge: fc.boolean(),
  hangupOnStar: fc.boolean(),
  timeout: fc.constantFrom(5, 8),
  timeLimit: fc.constantFrom(2, 600),
  record: fc.constantFrom('false', 'true', 'record-from-ringing-dual'),
  action: fc.constantFrom('', '/after'),
  referUrl: fc.constantFrom('', '/referred'),
});

function act(child: TestChild, does: string): void {
  const { peer } = child.leg;
  if (does === 'ring') peer.ring(180, false);
  else if (does === 'early') peer.ring(183, true);
  else if (does === 'answer') peer.answer();
  else if (does === 'refuse') peer.refuse(486);
  else if (does === 'hangup') peer.hangup();
  else if (does === 'star') peer.press('*');
  else if (does === 'refer') peer.refer('sip:carol@example.com');
  else if (child.leg.state !== 'ended') child.leave({ kind: 'twiml', twiml: '<Response/>' });
}

describe('Dial, whatever its parties do', () => {
  it('leaves nobody, nothing and no timer behind', async () => {
    const scripts = fc.array(fc.array(calleeAct, { maxLength: 5 }), { minLength: 4, maxLength: 4 });
    const caller = fc.array(callerAct, { maxLength: 2 });
    const property = fc.asyncProperty(
      attributes,
      scripts,
      caller,
      fc.boolean(),
      async (values, all, own, screened) => {
        const written = Object.entries(values).map(([name, value]) => ` ${name}="${value}"`);
        const screen = screened ? ' url="/screen"' : '';
        const nouns = `<Number${screen}>+15005550009</Number><Sip>bob@example.com</Sip>`;
        const { clock, world, leg, children, timeline, begun, finished } = dialing(
          `<Dial${written.join('')}>${nouns}</Dial>`,
          (child, index) => {
            for (const { at, does } of all[index % all.length] ?? []) clock.after(at, () => act(child, does));
          },
          {
            '/referred': '<Response><Dial timeLimit="3">+15005550011</Dial></Response>',
            '/screen': '<Response><Pause length="1"/></Response>',
          },
        );
        for (const { at, does } of own) {
          clock.after(at, () => {
            if (does === 'hangup') leg.peer.hangup();
            else if (does === 'star') leg.peer.press('*');
            else if (does === 'refer') leg.peer.refer('sip:carol@example.com');
            else world.onRedirect?.({ kind: 'twiml', twiml: '<Response><Pause length="2"/></Response>' });
          });
        }
        const limit = clock.after(3_600_000, () => leg.peer.hangup());
        await clock.run(runCall(world, { kind: 'fresh' }, NEVER));
        expect(clock.monotonic()).toBeLessThan(3_600_000);
        limit.cancel();
        await clock.advance(60_000); // the rest of what everybody would have done
        expect(leg.state).toBe('ended');
        for (const child of children) {
          expect(child.leg.state).toBe('ended');
          if (child.departed.aborted) expect(child.released).toBeGreaterThan(0);
        }
        expect([...finished].sort()).toEqual([...begun].sort());
        const count = (type: string) => timeline.filter((entry) => entry.type === type).length;
        expect(count('bridged')).toBe(count('unbridged'));
        expect(clock.pending).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });
});
