import { beforeEach, describe, expect, it } from 'vitest';
import type { Application } from '../../../src/config/applications.ts';
import type { Leg } from '../../../src/leg/port.ts';
import { createDialer } from '../../../src/runtime/dialer.ts';
import { goOnAlone } from '../../../src/runtime/document-run.ts';
import type { ApplicationTarget, ChildCall, DialOrder } from '../../../src/twiml/verbs/ports.ts';
import { createWorker, type FakeInbound, type TestWorker } from './worker-in-memory.ts';

const SID = `AP${'a'.repeat(32)}`;
const VOICE = 'https://their.example/voice';
const PROGRESS = 'https://example.com/progress';
const ALL = ['initiated', 'ringing', 'answered', 'completed'] as const;

let worker: TestWorker;
let parent: { link: FakeInbound; leg: Leg };
let dialer: ReturnType<typeof createDialer>;

const target = (fields: Partial<ApplicationTarget> = {}): ApplicationTarget => ({
  kind: 'application',
  sid: SID,
  copyParentTo: false,
  customerId: undefined,
  parameters: { queue: 'sales' },
  document: undefined,
  at: { url: 'https://example.com/voice', line: 3, column: 5 },
  ...fields,
});

/** Dials it as `<Dial>` does: who answers is connected at once. */
function dial(fields: Partial<DialOrder> = {}): ChildCall {
  const child = dialer.dial({
    target: target(),
    callerId: undefined,
    statusCallback: { url: PROGRESS, method: 'POST', events: ALL },
    ...fields,
  });
  void child.leg.answered.then(
    () => child.join?.('connected'),
    () => {},
  );
  return child;
}

async function create(fields: Partial<Application> = {}): Promise<void> {
  await worker.config.records.applications.create({
    sid: SID,
    accountSid: parent.link.job.accountSid,
    friendlyName: 'theirs',
    createdAt: 0,
    updatedAt: 0,
    voiceUrl: VOICE,
    voiceMethod: 'POST',
    voiceFallbackUrl: '',
    voiceFallbackMethod: 'POST',
    statusCallback: '',
    statusCallbackMethod: 'POST',
    voiceCallerIdLookup: false,
    publicApplicationConnectEnabled: false,
    smsUrl: '',
    smsMethod: 'POST',
    smsFallbackUrl: '',
    smsFallbackMethod: 'POST',
    smsStatusCallback: '',
    messageStatusCallback: '',
    ...fields,
  });
}

beforeEach(async () => {
  worker = createWorker();
  await worker.startEdge();
  const link = worker.inbound();
  const leg = worker.parts.legs.inbound(link);
  const { job } = link;
  parent = { link, leg };
  await leg.answer();
  dialer = createDialer({
    parent: { facts: { ...job, parentCallSid: null }, leg, timeline: { add() {} }, process: link.process },
    parts: worker.parts,
    goOn: goOnAlone(worker.parts),
  });
});

// https://www.twilio.com/docs/voice/twiml/dial/application
describe('the call of an application that <Dial> called', () => {
  it('has a record, a timeline and callbacks of its own, and gives parameters back', async () => {
    await create();
    worker.documents.set(
      VOICE,
      '<Response><Say>Hi</Say><Pause length="60"/><Hangup><Parameter name="a" value="1"/></Hangup></Response>',
    );
    const child = dial();
    await worker.settle();
    const { job } = parent.link;
    expect(await worker.record(child.callSid)).toMatchObject({
      direction: 'outbound-dial',
      parent_call_sid: job.callSid,
      account_sid: job.accountSid,
      status: 'in-progress',
      from: job.from,
      to: SID,
      egress_edge: null,
      worker: 'worker-1',
    });
    expect(worker.media.played).toEqual(['Hi']);
    expect(await worker.clock.run(child.end)).toEqual({
      status: 'completed',
      sipStatus: undefined,
      sipCallId: '',
      headers: {},
      duration: 60,
      parameters: { a: '1' },
    });
    await worker.settle();
    expect(parent.leg.state).toBe('answered');
    expect(worker.requests).toMatchObject([
      {
        url: VOICE,
        params: {
          CallSid: child.callSid,
          ParentCallSid: job.callSid,
          From: job.from,
          To: SID,
          Direction: 'outbound-dial',
          CallStatus: 'ringing',
          CustomerId: job.accountSid,
          Param_queue: 'sales',
        },
      },
    ]);
    expect(await worker.timeline(child.callSid)).toEqual([
      'exchange',
      'webhook',
      'document',
      'verb-started',
      'answered',
      'verb-ended',
      'verb-started',
      'verb-ended',
      'verb-started',
      'verb-ended',
      'hangup',
      'call-ended',
    ]);
    expect(worker.told()).toEqual(['0 initiated', '1 ringing', '2 in-progress', '3 completed']);
    expect(worker.ended).toMatchObject([{ sid: child.callSid, status: 'completed', duration: '60' }]);
    expect(worker.storage.added).toContainEqual({ kind: 'archive-call', callSid: child.callSid });
    expect(worker.calls.size).toBe(0);
  });

  it("has its parent's To, another customer, another caller id and another URL where the noun says so", async () => {
    await create();
    const url = 'https://example.com/instead';
    worker.documents.set(url, '<Response/>');
    const asked = target({ copyParentTo: true, customerId: 'x', document: { url, method: 'GET' } });
    const child = dial({ target: asked, callerId: '+15005550042' });
    await worker.clock.run(child.end);
    const { to } = parent.link.job;
    expect(worker.requests).toMatchObject([
      { url, method: 'GET', params: { To: to, From: '+15005550042', CustomerId: 'x' } },
    ]);
  });

  it.each([
    ['<Reject reason="busy"/>', 'busy'],
    ['<Reject/>', 'no-answer'],
  ])('is refused by %s: %s', async (verb, status) => {
    await create();
    worker.documents.set(VOICE, `<Response>${verb}</Response>`);
    const child = dial();
    expect(await worker.clock.run(child.end)).toMatchObject({ status, duration: 0 });
    expect(parent.leg.state).toBe('answered');
  });

  it.each([
    ['nobody has', 21420, async () => {}],
    ["is another account's", 21420, () => create({ accountSid: `AC${'f'.repeat(32)}` })],
    ['has no voice URL', 11100, () => create({ voiceUrl: '' })],
  ])('is not made when it %s: %s, with its place in the document', async (_, code, prepare) => {
    await prepare();
    const child = dial();
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'failed' });
    await worker.settle();
    const { diagnostics } = await worker.record(child.callSid);
    const at = { url: 'https://example.com/voice', line: 3, column: 5, actual: SID };
    expect(diagnostics).toMatchObject([{ code, level: 'error', ...at }]);
    expect(worker.requests).toEqual([]);
    expect(worker.told()).toEqual(['0 failed']);
  });

  it('is not made while the applications of its Region cannot be read', async () => {
    const { applications } = worker.config.records;
    applications.fetch = () => Promise.reject(new Error('the store is away'));
    const child = dial();
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'failed' });
    await worker.settle();
    expect((await worker.record(child.callSid)).diagnostics).toMatchObject([{ code: 12400 }]);
  });

  it('tells its end to the application where the noun has no status callback', async () => {
    await create({ statusCallback: PROGRESS });
    worker.documents.set(VOICE, '<Response/>');
    await worker.clock.run(dial({ statusCallback: null }).end);
    await worker.settle();
    expect(worker.told()).toEqual(['0 completed']);
  });

  it('is over when its caller hangs up', async () => {
    await create();
    worker.documents.set(VOICE, '<Response><Say>Hi</Say><Pause length="60"/></Response>');
    const child = dial();
    await worker.clock.advance(5_000);
    parent.link.end('peer-hangup');
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'completed', duration: 5 });
    await worker.settle();
    expect(await worker.record(child.callSid)).toMatchObject({ cause: 'the call that dialled it was over' });
  });

  it('is over when the call that dials has something else to do', async () => {
    await create();
    worker.documents.set(VOICE, '<Response><Pause length="60"/></Response>');
    const child = dial();
    await worker.clock.advance(5_000);
    await dialer.close();
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'canceled' });
    expect(parent.leg.state).toBe('answered');
  });

  it('gets another document from the API, or is ended by it, and its caller stays', async () => {
    await create();
    worker.documents.set(VOICE, '<Response><Say>Hi</Say><Pause length="60"/></Response>');
    const child = dial();
    await worker.settle();
    const { callSid } = child;
    const document = {
      kind: 'twiml',
      twiml: '<Response><Say>New</Say><Pause length="60"/></Response>',
    } as const;
    expect(await worker.calls.handle({ kind: 'redirect', callSid, document })).toEqual({ ok: true });
    await worker.settle();
    expect(worker.media.played).toEqual(['Hi', 'New']);
    expect(await worker.calls.handle({ kind: 'end', callSid, status: 'completed' })).toEqual({ ok: true });
    expect(await worker.clock.run(child.end)).toMatchObject({ status: 'completed' });
    await worker.settle();
    expect(await worker.record(callSid)).toMatchObject({ cause: 'it was ended through the API' });
    expect(parent.leg.state).toBe('answered');
  });

  it('dials: the child of its own is its, near the edge process of its caller', async () => {
    await create();
    worker.documents.set(VOICE, '<Response><Dial><Sip>sip:kate@example.com</Sip></Dial><Hangup/></Response>');
    const child = dial();
    await worker.settle();
    const link = worker.link();
    expect(link.job).toMatchObject({ parentCallSid: child.callSid, direction: 'outbound-dial' });
    link.answer();
    await worker.clock.advance(3_000);
    child.withdraw('caller-gone');
    await worker.clock.run(child.end);
    await worker.settle();
    expect(link.commands).toContainEqual({ verb: 'hangup' });
    expect(await worker.record(link.job.callSid)).toMatchObject({ status: 'completed' });
  });

  it('stops an application that dials itself: 32006', async () => {
    await create();
    worker.documents.set(VOICE, `<Response><Dial><Application>${SID}</Application></Dial></Response>`);
    await worker.clock.run(dial().end);
    await worker.settle();
    expect(worker.requests).toHaveLength(10);
    expect(worker.ended.flatMap(({ diagnostics }) => diagnostics.map(({ code }) => code))).toEqual([32006]);
  });
});
