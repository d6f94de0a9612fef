import { beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../../src/core/diagnostic.ts';
import type { Leg } from '../../../src/leg/port.ts';
import { createDialer } from '../../../src/runtime/dialer.ts';
import { goOnAlone } from '../../../src/runtime/document-run.ts';
import type { DialOrder, DialTarget } from '../../../src/twiml/verbs/ports.ts';
import { createWorker, type FakeInbound, type TestWorker } from './worker-in-memory.ts';

const PROGRESS = 'https://example.com/progress';
const ALL = ['initiated', 'ringing', 'answered', 'completed'] as const;
const sip = (fields: Partial<Extract<DialTarget, { kind: 'sip' }>> = {}): DialTarget => ({
  kind: 'sip',
  uri: 'sip:kate@example.com',
  headers: {},
  credentials: undefined,
  edge: undefined,
  connectionSid: undefined,
  ...fields,
});

let worker: TestWorker;
let parent: { link: FakeInbound; leg: Leg };
let dialer: ReturnType<typeof createDialer>;

/** A call that was taken in, of which only its leg and its facts matter here. */
function dialling(fields: Parameters<TestWorker['inbound']>[0] = {}) {
  const link = worker.inbound(fields);
  const leg = worker.parts.legs.inbound(link);
  const { job } = link;
  parent = { link, leg };
  dialer = createDialer({
    parent: {
      facts: { ...job, parentCallSid: null },
      leg,
      timeline: { add() {} },
      process: link.process,
      chain: job.chain,
    },
    parts: worker.parts,
    goOn: goOnAlone(worker.parts),
  });
}

const order = (fields: Partial<DialOrder> = {}): DialOrder => ({
  target: sip(),
  callerId: undefined,
  statusCallback: { url: PROGRESS, method: 'POST', events: ALL },
  ...fields,
});

beforeEach(async () => {
  worker = createWorker();
  await worker.startEdge();
  dialling();
});

describe('a call made by <Dial>', () => {
  it('has a record, a timeline and callbacks of its own', async () => {
    const child = dialer.dial(order());
    await worker.settle();
    const link = worker.link();
    expect(await worker.record(child.callSid)).toMatchObject({
      direction: 'outbound-dial',
      parent_call_sid: parent.link.job.callSid,
      status: 'queued',
      egress_edge: 'dublin',
      from: '+353861234567',
      to: 'sip:kate@example.com',
      sip_call_id: link.sipCallId,
      worker: 'worker-1',
    });
    link.ring(183, true);
    link.ring(180);
    await worker.settle();
    expect((await worker.record(child.callSid)).status).toBe('ringing');
    link.answer({ 'X-Queue': 'sales' });
    await worker.clock.advance(65_000);
    expect((await worker.record(child.callSid)).status).toBe('in-progress');
    link.end('peer-hangup', undefined, { 'X-Why': 'done' });
    const end = await worker.clock.run(child.end);
    expect(end).toEqual({
      status: 'completed',
      sipStatus: 200,
      sipCallId: link.sipCallId,
      headers: { 'X-Why': 'done' },
      duration: 65,
    });
    expect(worker.ended).toHaveLength(1);
    expect(worker.ended[0]).toMatchObject({
      status: 'completed',
      duration: '65',
      cause: 'the callee hung up',
    });
    expect(worker.storage.added).toContainEqual({ kind: 'archive-call', callSid: child.callSid });
    expect(link.released).toBe(true);
    expect(await worker.timeline(child.callSid)).toEqual([
      'call-placed',
      'progress',
      'progress',
      'answered',
      'hangup',
      'call-ended',
    ]);
    expect(worker.told()).toEqual(['0 initiated', '1 ringing', '2 in-progress', '3 completed 200']);
    const [initiated, , , completed] = worker.callbacks.added;
    expect(initiated?.params).toMatchObject({
      CallSid: child.callSid,
      ParentCallSid: parent.link.job.callSid,
      Direction: 'outbound-dial',
      CallbackSource: 'call-progress-events',
      Timestamp: 'Tue, 03 Nov 2026 09:30:00 +0000',
      Called: 'sip:kate@example.com',
    });
    expect(initiated?.params['CallDuration']).toBeUndefined();
    expect(completed?.params).toMatchObject({ CallDuration: '65', Duration: '2' });
  });

  it('tells what was asked for, counted from 0', async () => {
    const statusCallback = { url: PROGRESS, method: 'GET', events: ['ringing', 'completed'] } as const;
    const child = dialer.dial(order({ statusCallback }));
    await worker.settle();
    worker.link().ring();
    worker.link().answer();
    worker.link().end('peer-hangup');
    await worker.clock.run(child.end);
    expect(worker.told()).toEqual(['0 ringing', '1 completed 200']);
    expect(worker.callbacks.added[0]?.method).toBe('GET');
  });

  it('tells nothing when nothing was asked for', async () => {
    const child = dialer.dial(order({ statusCallback: null }));
    await worker.settle();
    worker.link().end('rejected', 486);
    expect((await worker.clock.run(child.end)).status).toBe('busy');
    expect(worker.callbacks.added).toEqual([]);
  });

  it.each([
    ['rejected', 486, 'busy', 'the callee refused the call with 486'],
    ['rejected', 600, 'busy', 'the callee refused the call with 600'],
    ['rejected', 603, 'busy', 'the callee refused the call with 603'],
    ['rejected', 480, 'no-answer', 'the callee refused the call with 480'],
    ['rejected', 408, 'failed', 'the callee refused the call with 408'], // it never rang
    ['rejected', 404, 'failed', 'the callee refused the call with 404'],
    ['rejected', 503, 'failed', 'the callee refused the call with 503'],
    ['unreachable', undefined, 'failed', 'the callee could not be reached: no response'],
    ['edge-lost', undefined, 'failed', 'the edge process that held the call is gone'],
  ] as const)('ended by %s %s is %s', async (cause, sipStatus, status, says) => {
    const child = dialer.dial(order());
    await worker.settle();
    worker.link().end(cause, sipStatus);
    expect(await worker.clock.run(child.end)).toMatchObject({ status, sipStatus, duration: 0 });
    expect(worker.ended[0]).toMatchObject({ status, cause: says, duration: '0', start_time: null });
    expect(worker.told().at(-1)).toBe(`1 ${status}${sipStatus === undefined ? '' : ` ${sipStatus}`}`);
  });

  it.each([
    ['timeout', 'no-answer'],
    ['elsewhere', 'canceled'],
    ['caller-gone', 'canceled'],
    ['api', 'canceled'],
  ] as const)('withdrawn for %s is %s', async (why, status) => {
    const child = dialer.dial(order());
    await worker.settle();
    worker.link().ring();
    child.withdraw(why);
    expect(await worker.clock.run(child.end)).toMatchObject({ status, sipStatus: 487 });
    expect(worker.link().commands).toEqual([{ verb: 'hangup' }]);
    expect(worker.told()).toEqual(['0 initiated', '1 ringing', `2 ${status} 487`]);
  });

  it('withdrawn before the edge has answered is still ended there', async () => {
    const child = dialer.dial(order());
    child.withdraw('elsewhere');
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'canceled' });
    await worker.settle();
    expect(worker.link().commands).toEqual([{ verb: 'hangup' }]);
    expect(worker.link().released).toBe(true);
    expect(worker.told().map((line) => line.slice(0, 10))).toEqual(['0 canceled']);
  });

  it('an answer counts however late a withdrawal is', async () => {
    const child = dialer.dial(order());
    await worker.settle();
    worker.link().answer();
    child.withdraw('timeout');
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'completed', sipStatus: 200 });
  });

  it('that the edge does not make fails with its diagnostic', async () => {
    worker.refusal = failure(13224, 'no carrier');
    const child = dialer.dial(order({ target: { kind: 'number', number: '+15005550006' } }));
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'failed', sipCallId: '' });
    expect(worker.ended[0]).toMatchObject({
      status: 'failed',
      cause: 'the call was not placed: no carrier',
      diagnostics: [{ code: 13224 }],
    });
    expect(worker.told()).toEqual(['0 failed']);
  });
});

describe('what is sent for a call', () => {
  it('names the child, its account and the headers that were given', async () => {
    const credentials = { username: 'kate', password: 'secret' };
    const child = dialer.dial(order({ target: sip({ headers: { 'X-Team': 'blue' }, credentials }) }));
    await worker.settle();
    expect(worker.asked[0]?.request).toMatchObject({
      party: { kind: 'sip', uri: 'sip:kate@example.com' },
      from: '+353861234567',
      onBehalfOf: [],
      headers: {
        'X-Team': 'blue',
        'X-Twilio-CallSid': child.callSid,
        'X-Twilio-AccountSid': parent.link.job.accountSid,
        'X-Twilio-ApiVersion': '2010-04-01',
      },
      credentials,
      job: { callSid: child.callSid, direction: 'outbound-dial', egressEdge: 'dublin' },
    });
  });

  it('counts on from the calls that the caller comes from, so that loops end', async () => {
    const chain = { origin: `CA${'e'.repeat(32)}`, forwards: 7 };
    dialling({ chain });
    dialer.dial(order());
    await worker.settle();
    expect(worker.asked[0]?.request.job.chain).toEqual(chain);
  });

  it('shows the numbers of a caller from the telephone network', async () => {
    dialer.dial(order({ target: { kind: 'number', number: '+35315550199' } }));
    await worker.settle();
    const { from, to } = parent.link.job;
    expect(worker.asked[0]?.request).toMatchObject({
      party: { kind: 'number', number: '+35315550199' },
      onBehalfOf: [from, to],
    });
  });

  it.each([
    ['sip:alice@pbx.example.com', undefined, 'alice'],
    ['sip:alice@pbx.example.com', 'front-desk', 'front-desk'],
    ['+353861234567', '+35315550100', '+35315550100'],
  ])('of %s with caller id %s comes from %s', async (from, callerId, shown) => {
    dialling({ from });
    dialer.dial(order({ callerId, target: { kind: 'number', number: '+35315550199' } }));
    await worker.settle();
    expect(worker.asked[0]?.request.from).toBe(shown);
    if (from.startsWith('sip:')) expect(worker.asked[0]?.request.onBehalfOf).toEqual([]);
  });
});

describe('the edge of a call', () => {
  it.each([
    [{}, 'dublin'],
    [{ edge: 'tokyo' }, 'tokyo'],
    [{ edge: 'london-ix' }, 'london-ix'],
  ] as const)('of %o is %s', async (fields, edge) => {
    dialer.dial(order({ target: sip(fields) }));
    await worker.settle();
    expect(worker.asked.map(({ request }) => request.edge)).toEqual([edge]);
  });

  it('of a connection is its exchange', async () => {
    const connection = (await worker.config.connections()).find(
      ({ exchange }) => exchange === 'frankfurt-ix',
    );
    dialer.dial(order({ target: sip({ connectionSid: connection?.sid }) }));
    await worker.settle();
    expect(worker.asked[0]?.request.edge).toBe('frankfurt-ix');
  });

  it.each([
    ['TX-not-a-sid', 32301],
    [`TX${'0'.repeat(32)}`, 32302],
    ['inactive', 32304],
  ])('a connection %s is refused with %i and nobody is called', async (connectionSid, code) => {
    const [first] = await worker.config.connections();
    if (!first) throw new Error('a Region has connections');
    await worker.config.saveConnection({ ...first, status: 'inactive' });
    const named = connectionSid === 'inactive' ? first.sid : connectionSid;
    const child = dialer.dial(order({ target: sip({ connectionSid: named }) }));
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'failed' });
    expect(worker.asked).toEqual([]);
    expect(worker.ended[0]?.diagnostics.map((diagnostic) => diagnostic.code)).toEqual([code]);
  });

  it('without an active connection is refused, private or not at all', async () => {
    for (const connection of await worker.config.connections()) {
      await worker.config.saveConnection({ ...connection, status: 'inactive' });
    }
    const child = dialer.dial(order({ target: sip({ edge: 'london-ix' }) }));
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'failed' });
    expect(worker.asked).toEqual([]);
    expect(worker.ended[0]?.diagnostics).toMatchObject([{ code: 32305 }]);
    const home = dialer.dial(order());
    await worker.settle();
    expect(home.leg.ended.aborted).toBe(false);
  });

  it('is the process of the parent where that serves it', async () => {
    await worker.startEdge('edge-0');
    await worker.startEdge('edge-2', ['tokyo']);
    await worker.clock.advance(5_000);
    dialer.dial(order());
    await worker.settle();
    expect(worker.asked[0]?.edge.process).toBe('edge-1');
  });

  it('is another process when the first cannot be reached', async () => {
    await worker.startEdge('edge-2');
    worker.unreachable.add('edge-1');
    dialer.dial(order());
    await worker.settle();
    expect(worker.asked.map(({ edge }) => edge.process)).toEqual(['edge-1', 'edge-2']);
    expect(worker.link().process).toBe('edge-2');
  });

  it('that nobody serves fails the call and says what to start', async () => {
    await worker.registry.withdraw('edge-1');
    const child = dialer.dial(order({ target: sip({ edge: 'sydney' }) }));
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'failed' });
    const [diagnostic] = worker.ended[0]?.diagnostics ?? [];
    expect(diagnostic?.code).toBe(12400);
    expect(diagnostic?.message).toContain('trunkline edge --edge sydney');
  });

  it('is remembered while the registry cannot be read', async () => {
    dialer.dial(order());
    await worker.settle();
    worker.registry.list = () => new Promise(() => {});
    await worker.clock.advance(60_000);
    dialer.dial(order());
    await worker.clock.advance(1_000);
    expect(worker.links).toHaveLength(2);
  });
});

describe('when the parent hangs up', () => {
  it.each(['placing', 'silent', 'ringing', 'early'] as const)('a %s child is canceled', async (state) => {
    const child = dialer.dial(order());
    if (state !== 'placing') await worker.settle();
    if (state === 'ringing') worker.link().ring();
    if (state === 'early') worker.link().ring(183, true);
    parent.link.end('peer-cancelled');
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'canceled' });
    await worker.settle();
    expect(worker.link().commands).toEqual([{ verb: 'hangup' }]);
    expect(worker.ended[0]?.cause).toContain('the call that dialled it was over');
  });

  it('an answered child is left to its verb, and ended with the dialer at the latest', async () => {
    const child = dialer.dial(order());
    await worker.settle();
    worker.link().answer();
    parent.link.end('peer-hangup');
    await worker.settle();
    expect(child.leg.ended.aborted).toBe(false);
    await worker.clock.run(dialer.close());
    expect(worker.ended[0]).toMatchObject({ status: 'completed' });
    expect(worker.calls.size).toBe(0);
  });

  it('a call dialled afterwards is canceled at once', async () => {
    parent.link.end('peer-hangup');
    const child = dialer.dial(order());
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'canceled' });
  });
});

describe('a child while Redis is away', () => {
  it('does not hold up its <Dial>, and its end is stored when Redis is back', async () => {
    const child = dialer.dial(order());
    await worker.settle();
    const { update } = worker.store;
    worker.store.update = async () => {
      throw new Error('Redis is away');
    };
    worker.link().answer();
    worker.link().end('peer-hangup');
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'completed' });
    expect(worker.storage.added).toEqual([]);
    worker.store.update = update;
    await worker.clock.run(dialer.close());
    expect(await worker.record(child.callSid)).toMatchObject({ status: 'completed' });
    expect(worker.storage.added).toEqual([{ kind: 'archive-call', callSid: child.callSid }]);
  });
});

describe('a child that leaves', () => {
  const document = { kind: 'twiml', twiml: '<Response><Say>alone</Say></Response>' } as const;

  it('goes on with its own document once it is released, and ends by itself', async () => {
    const child = dialer.dial(order());
    await worker.settle();
    worker.link().answer();
    await worker.clock.advance(3_000);
    child.leave?.(document);
    expect(child.departed.aborted).toBe(true);
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'completed', duration: 3 });
    child.withdraw('caller-gone'); // it is nobody's child any more
    await worker.settle();
    expect(worker.media.played).toEqual([]);
    child.release();
    await worker.clock.run(Promise.all(worker.adopted));
    expect(worker.media.played).toEqual(['alone']);
    expect(worker.ended).toMatchObject([{ status: 'completed', cause: 'the TwiML ended' }]);
    expect(worker.told().at(-1)).toBe('2 completed 200');
  });

  it('is released with its parent at the latest', async () => {
    const child = dialer.dial(order());
    await worker.settle();
    worker.link().answer();
    child.leave?.(document);
    parent.link.end('peer-hangup');
    await worker.clock.run(dialer.close());
    await worker.clock.run(Promise.all(worker.adopted));
    expect(worker.media.played).toEqual(['alone']);
  });

  it('and hangs up before it is released leaves a whole record', async () => {
    const child = dialer.dial(order());
    await worker.settle();
    worker.link().answer();
    child.leave?.(document);
    worker.link().end('peer-hangup');
    await worker.clock.run(Promise.all(worker.adopted));
    expect(worker.media.played).toEqual([]);
    expect(worker.ended).toMatchObject([{ status: 'completed', cause: 'the callee hung up' }]);
    expect(worker.clock.pending).toBe(0);
  });
});

describe('the world of a child', () => {
  it('is its own, and nobody is dialled from it', async () => {
    const child = dialer.dial(order());
    await worker.settle();
    worker.link().answer();
    expect(child.world.facts).toMatchObject({
      callSid: child.callSid,
      parentCallSid: parent.link.job.callSid,
      direction: 'outbound-dial',
    });
    const nested = child.world.dialer.dial(order());
    expect(await worker.clock.run(nested.end)).toMatchObject({ status: 'failed' });
    expect(worker.asked).toHaveLength(1);
    expect(worker.ended[0]?.diagnostics).toMatchObject([{ code: 13201 }]);
  });
});
