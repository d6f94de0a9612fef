import { beforeEach, describe, expect, it } from 'vitest';
import type { Binding } from '../../../src/config/registrations.ts';
import { type Diagnostic, failure, warning } from '../../../src/core/diagnostic.ts';
import type { Leg } from '../../../src/leg/port.ts';
import { createDialer } from '../../../src/runtime/dialer.ts';
import { goOnAlone } from '../../../src/runtime/document-run.ts';
import { binding, sipDomain } from '../../support/registrations.ts';
import { createWorker, type FakeInbound, type FakeOutgoing, type TestWorker } from './worker-in-memory.ts';

const PROGRESS = 'https://example.com/progress';
const ADDRESS = 'sip:alice@acme.sip.twilio.com';

let worker: TestWorker;
let parent: { link: FakeInbound; leg: Leg };
let dialer: ReturnType<typeof createDialer>;

beforeEach(async () => {
  worker = createWorker();
  await worker.startEdge();
  const link = worker.inbound();
  const leg = worker.parts.legs.inbound(link);
  parent = { link, leg };
  dialer = createDialer({
    parent: {
      facts: { ...link.job, parentCallSid: null },
      leg,
      timeline: { add() {} },
      process: link.process,
    },
    parts: worker.parts,
    goOn: goOnAlone(worker.parts),
  });
  const { accountSid } = link.job;
  await worker.config.records.domains.create(sipDomain({ accountSid, name: 'acme' }));
});

/** Registers devices of alice, one after the other. */
async function registered(...devices: Parameters<typeof binding>[0][]): Promise<readonly Binding[]> {
  const all = devices.map((fields) => binding(fields));
  return worker.config.registrations.change('alice@acme', () => all);
}

function dial(uri = ADDRESS, edge?: 'tokyo', barred?: Diagnostic) {
  const target = {
    kind: 'sip',
    uri,
    headers: { 'X-A': 'b' },
    credentials: undefined,
    edge,
    connectionSid: undefined,
    ...(barred && { barred }),
  } as const;
  const statusCallback = {
    url: PROGRESS,
    method: 'POST',
    events: ['initiated', 'ringing', 'answered', 'completed'],
  } as const;
  return dialer.dial({ target, callerId: undefined, statusCallback });
}

/** The legs of the call at the edge, by the order in which their devices registered. */
const legs = (): readonly FakeOutgoing[] => worker.links;
const verbs = (link: FakeOutgoing) => link.commands.map(({ verb }) => verb);

describe('a call to a registered device', () => {
  it('goes to its Contact by its flow and its path, as the address that was dialled', async () => {
    const path = ['<sip:proxy.example.com;lr>'];
    const [one] = await registered({ path, flow: { edge: 'tokyo', transport: 'tcp' } });
    const child = dial(ADDRESS, 'tokyo');
    await worker.settle();
    expect(worker.asked).toMatchObject([{ edge: { process: 'edge-1' } }]);
    const { request, id, sipCallId } = worker.link();
    expect(request).toMatchObject({
      edge: 'tokyo',
      party: {
        kind: 'device',
        accountSid: one?.accountSid,
        uri: one?.contact,
        address: ADDRESS,
        path,
        flow: one?.flow,
      },
      headers: { 'X-A': 'b', 'X-Twilio-CallSid': child.callSid },
      job: { callSid: child.callSid, egressEdge: 'tokyo' },
    });
    expect(request).not.toHaveProperty('fork');
    expect(id).toBe(child.callSid);
    expect(await worker.record(child.callSid)).toMatchObject({
      to: ADDRESS,
      egress_edge: 'tokyo',
      sip_call_id: sipCallId,
      diagnostics: [],
    });
    const timeline = await worker.store.timeline(child.callSid);
    expect(timeline).toContainEqual(
      expect.objectContaining({ type: 'call-placed', edge: 'tokyo', uri: one?.contact }),
    );
  });

  it('rings whatever private edge its address asks for; a host that has no devices is not called by it', async () => {
    await registered({});
    const barred = warning(32305, 'edge=mars-ix is no Interconnect edge.');
    const [child, stranger] = [
      dial(ADDRESS, undefined, barred),
      dial('sip:alice@pbx.sip.example.com', undefined, barred),
    ];
    await worker.settle();
    expect(worker.asked).toHaveLength(1);
    expect(await worker.record(child.callSid)).toMatchObject({ diagnostics: [] });
    expect(await stranger.end).toMatchObject({ status: 'failed' });
    expect(await worker.record(stranger.callSid)).toMatchObject({ diagnostics: [{ code: 32305 }] });
  });

  it('carries its early media, as there is nobody else to hear', async () => {
    await registered({});
    const heard: boolean[] = [];
    dial().leg.onProgress = ({ early }) => heard.push(early);
    await worker.settle();
    worker.link().ring(183, true);
    expect(heard).toEqual([true]);
  });

  it.each([
    ['udp', 'is called by another process of its edge when its own is gone', ['edge-2']],
    ['tcp', 'is lost with the process that had its connection', []],
  ] as const)('over %s %s', async (transport, _, asked) => {
    await worker.registry.withdraw('edge-1');
    await worker.startEdge('edge-2');
    await registered({ flow: { transport } });
    const child = dial();
    await worker.settle();
    expect(worker.asked.map(({ edge }) => edge.process)).toEqual(asked);
    if (asked.length > 0) return;
    expect((await worker.clock.run(child.end)).status).toBe('failed');
    expect((await worker.record(child.callSid)).diagnostics).toMatchObject([
      { code: 32011, level: 'warning' },
    ]);
  });

  it.each([
    ['sip:nobody@acme.sip.twilio.com', 32009],
    ['sip:alice@acme.sip.dublin.twilio.com', 32220],
    ['sip:alice@other.sip.twilio.com', 32002],
    ['sip:acme.sip.trunkline.localhost', 32223],
  ])('%s reaches nobody: it has failed, and its record says %i', async (uri, code) => {
    await registered({});
    const child = dial(uri);
    const end = await worker.clock.run(child.end);
    expect(end).toMatchObject({ status: 'failed', sipCallId: '', duration: 0 });
    expect(worker.asked).toEqual([]);
    expect((await worker.record(child.callSid)).diagnostics).toMatchObject([{ code }]);
    expect(worker.told()).toEqual(['0 failed']);
  });

  it('of a domain of another account is called when an edge says that the accounts are related', async () => {
    const other = `AC${'9'.repeat(32)}`;
    await worker.config.records.domains.create(sipDomain({ accountSid: other, name: 'parent' }));
    await worker.config.registrations.change('bob@parent', () => [binding({ aor: 'bob@parent' })]);
    const foreign = dial('sip:bob@parent.sip.twilio.com');
    await worker.clock.run(foreign.end);
    expect((await worker.record(foreign.callSid)).diagnostics).toMatchObject([{ code: 32214 }]);
    worker.related = (pair) => pair.includes(other) && pair.includes(parent.link.job.accountSid);
    dial('sip:bob@parent.sip.twilio.com');
    await worker.settle();
    expect(worker.links).toHaveLength(1);
  });

  it('is not rung any more when the Region took too long to say where it is', async () => {
    const [one] = await registered({});
    let say: (bindings: readonly Binding[]) => void = () => {};
    worker.config.registrations.bindings = () =>
      new Promise((resolve) => {
        say = resolve;
      });
    const child = dial();
    await worker.settle();
    child.withdraw('timeout');
    if (one) say([one]);
    expect((await worker.clock.run(child.end)).status).toBe('no-answer');
    await worker.settle();
    expect(worker.asked).toEqual([]);
  });

  it('is not made when the Region cannot be read', async () => {
    worker.config.registrations.bindings = () => Promise.reject(new Error('Redis is away'));
    const child = dial();
    await worker.clock.run(child.end);
    expect((await worker.record(child.callSid)).diagnostics).toMatchObject([
      { code: 12400, message: expect.stringContaining('Redis is away') },
    ]);
  });
});

describe('three devices', () => {
  let child: ReturnType<typeof dial>;
  let rung: number[];
  beforeEach(async () => {
    await registered({ flow: { edge: 'dublin' } }, { flow: { edge: 'tokyo' } }, { flow: { edge: 'sydney' } });
    child = dial();
    rung = [];
    child.leg.onProgress = ({ status, early }) => rung.push(early ? -status : status);
    await worker.settle();
  });

  it('are called at once, each through its edge, as one call with a leg for each', async () => {
    expect(legs().map(({ id, request: { edge } }) => [id, edge])).toEqual([
      [`${child.callSid}-1`, 'dublin'],
      [`${child.callSid}-2`, 'tokyo'],
      [`${child.callSid}-3`, 'sydney'],
    ]);
    for (const { request } of legs()) expect(request.job.callSid).toBe(child.callSid);
    const { types, notes } = await timeline();
    expect(types.filter((type) => type === 'call-placed')).toHaveLength(3);
    expect(notes).toEqual([expect.stringContaining('3 devices are registered')]);
    expect(worker.told()).toEqual(['0 initiated']);
  });

  it('ring when the first of them rings; none of them is heard before it answers', async () => {
    legs()[1]?.ring(183, true);
    legs()[0]?.ring(180);
    await worker.settle();
    expect(rung).toEqual([183, 180]);
    expect(worker.told()).toEqual(['0 initiated', '1 ringing']);
    expect(worker.media.played).toEqual([]);
  });

  it('registrations that expire while they ring end nothing: who answers has the call', async () => {
    for (const leg of legs()) leg.ring();
    await worker.config.registrations.change('alice@acme', () => []);
    await worker.settle();
    expect(legs().map(({ released }) => released)).toEqual([false, false, false]);
    legs()[2]?.answer();
    await worker.clock.run(child.leg.answered);
    await worker.settle();
    expect(await worker.record(child.callSid)).toMatchObject({ egress_edge: 'sydney', diagnostics: [] });
  });

  it('the first that answers has the call; the others are let go', async () => {
    const [one, two, three] = legs();
    one?.ring();
    two?.answer({ 'X-Desk': '7' });
    expect(await worker.clock.run(child.leg.answered)).toEqual({ headers: { 'X-Desk': '7' } });
    await worker.settle();
    expect([one?.released, two?.released, three?.released]).toEqual([true, false, true]);
    expect(child.leg.sipCallId).toBe(two?.sipCallId);
    expect(await worker.record(child.callSid)).toMatchObject({
      status: 'in-progress',
      sip_call_id: two?.sipCallId,
      egress_edge: 'tokyo',
    });
    one?.answer(); // crossed: its edge ends it
    three?.end('rejected', 603);
    await worker.settle();
    expect(child.leg.state).toBe('answered');
    two?.end('peer-hangup');
    expect(await worker.clock.run(child.end)).toMatchObject({
      status: 'completed',
      sipStatus: 200,
      sipCallId: two?.sipCallId,
    });
    expect(worker.told()).toEqual(['0 initiated', '1 ringing', '2 in-progress', '3 completed 200']);
    expect(two?.released).toBe(true);
    expect(worker.ended).toHaveLength(1);
  });

  it('once answered, is commanded, recorded and transferred as that leg', async () => {
    const [, two] = legs();
    two?.answer();
    await worker.settle();
    expect(worker.media.opened.slice(1)).toEqual([two?.leg.media.handle]); // the first is the caller's
    const referred: string[] = [];
    child.leg.onRefer = ({ referTo }) => void referred.push(referTo);
    two?.onRefer?.('<sip:bob@example.com>');
    child.leg.record({ recordingSid: 'RE1', silenceMs: 0, maxLengthMs: 1_000, trim: false });
    await child.leg.hangup();
    expect(referred).toEqual(['<sip:bob@example.com>']);
    expect(worker.media.recordings).toHaveLength(1);
    expect(two && verbs(two)).toEqual(['hangup']);
    expect(legs().map(({ commands }) => commands.length)).toEqual([0, 1, 0]);
  });

  it('all refuse: the best response says how it ended, and single refusals are noted', async () => {
    const [one, two, three] = legs();
    three?.end('rejected', 404);
    one?.end('rejected', 486, { 'X-Busy': 'yes' });
    two?.end('unreachable');
    expect(await worker.clock.run(child.end)).toMatchObject({
      status: 'busy',
      sipStatus: 486,
      headers: { 'X-Busy': 'yes' },
    });
    const { notes } = await timeline();
    expect(notes.slice(1)).toEqual([
      expect.stringContaining('it answered 404'),
      expect.stringContaining('it answered 486'),
    ]);
    expect(legs().every(({ released }) => released)).toBe(true);
    expect(worker.ended).toMatchObject([{ status: 'busy' }]);
  });

  it('one of them answers 603: nobody rings any more', async () => {
    const [one, two, three] = legs();
    two?.end('rejected', 603);
    expect((await worker.clock.run(child.end)).status).toBe('busy');
    expect([one?.released, three?.released]).toEqual([true, true]);
  });

  it('nobody answers in time: all are hung up, as one call', async () => {
    child.withdraw('timeout');
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'no-answer', sipStatus: 487 });
    expect(legs().map(verbs)).toEqual([['hangup'], ['hangup'], ['hangup']]);
    expect(legs().every(({ released }) => released)).toBe(true);
    expect(worker.told()).toEqual(['0 initiated', '1 no-answer 487']);
  });

  it('the caller hangs up: all are hung up', async () => {
    parent.link.end('peer-hangup');
    expect((await worker.clock.run(child.end)).status).toBe('canceled');
    expect(legs().map(verbs)).toEqual([['hangup'], ['hangup'], ['hangup']]);
  });

  it('the edge process of one is lost: the others ring on; of all: it has failed', async () => {
    const [one, two, three] = legs();
    one?.end('edge-lost');
    two?.ring();
    await worker.settle();
    expect(rung).toEqual([180]);
    two?.end('edge-lost');
    three?.end('edge-lost');
    expect((await worker.clock.run(child.end)).status).toBe('failed');
  });

  async function timeline() {
    await worker.settle();
    const events = await worker.store.timeline(child.callSid);
    const notes = events.flatMap((event) => (event.type === 'note' ? [event.message] : []));
    return { types: events.map(({ type }) => type), notes };
  }
});

describe('of three devices', () => {
  it('those that cannot be called are passed over', async () => {
    const [, , third] = await registered({ flow: { transport: 'tcp', process: 'gone' } }, {}, {});
    const child = dial();
    await worker.settle();
    expect(legs().map(({ id }) => id)).toEqual([`${child.callSid}-2`, `${child.callSid}-3`]);
    legs()[1]?.answer();
    await worker.clock.run(child.leg.answered);
    await worker.settle();
    expect(worker.link(1).request.party).toMatchObject({ uri: third?.contact });
    expect(legs()[0]?.released).toBe(true);
  });

  it('none can be called: the first one says why', async () => {
    worker.refusal = failure(20503, 'no port left');
    await registered({}, {}, {});
    const child = dial();
    expect((await worker.clock.run(child.end)).status).toBe('failed');
    expect((await worker.record(child.callSid)).diagnostics).toMatchObject([{ code: 20503 }]);
  });

  it('one whose edge is slow to answer is let go once another has answered', async () => {
    await registered({}, {});
    const { dial: real } = worker.parts;
    let arrive: () => void = () => {};
    const late = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    Object.assign(worker.parts, {
      dial: async (...[edge, request]: Parameters<typeof real>) => {
        if (request.fork === 2) await late;
        return real(edge, request);
      },
    });
    const child = dial();
    await worker.settle();
    legs()[0]?.answer();
    await worker.clock.run(child.leg.answered);
    arrive();
    await worker.settle();
    expect(legs().map(({ id, released }) => [id, released])).toEqual([
      [`${child.callSid}-1`, false],
      [`${child.callSid}-2`, true],
    ]);
  });
});
