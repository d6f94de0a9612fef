import { beforeEach, describe, expect, it } from 'vitest';
import { newCallRecord } from '../../../src/call/call-records.ts';
import { validationDocument } from '../../../src/call/caller-id-validation.ts';
import type { OutboundJob } from '../../../src/call/job.ts';
import type { OutboundOrder } from '../../../src/call/orders.ts';
import { failure } from '../../../src/core/diagnostic.ts';
import type { DtmfKey } from '../../../src/leg/port.ts';
import { createMemoryCallQueue } from '../../../src/queue/memory/call-queue.ts';
import { runApiCall } from '../../../src/runtime/api-call.ts';
import { ACCOUNT, callRecord, sid } from '../../support/call-record.ts';
import { createWorker, type TestWorker } from './worker-in-memory.ts';

const PROGRESS = 'https://example.com/progress';
const VOICE = 'https://example.com/voice';
const ALL = ['initiated', 'ringing', 'answered', 'completed'];
const SAY = '<Response><Say>hello</Say></Response>';
const GATHER = '<Response><Pause length="30"/></Response>';

let worker: TestWorker;
let calls = 0;

beforeEach(async () => {
  worker = createWorker();
  await worker.startEdge();
  worker.documents.set(VOICE, SAY);
});

function orderOf(callSid: string, fields: Partial<OutboundOrder>): OutboundOrder {
  return {
    callSid,
    accountSid: ACCOUNT,
    to: '+15005550006',
    from: '+35315550100',
    document: { kind: 'url', url: VOICE, method: 'POST', fallbackUrl: '', fallbackMethod: 'POST' },
    statusCallback: { url: PROGRESS, method: 'POST', events: ALL },
    timeoutMs: 60_000,
    timeLimitMs: 14_400_000,
    sendDigits: '',
    recording: null,
    credentials: null,
    machineDetection: false,
    ...fields,
  };
}

/** Creates a call as the API does and has the worker take it. */
async function create(fields: Partial<OutboundOrder> = {}, status: 'queued' | 'canceled' = 'queued') {
  const callSid = sid('CA', 1_000 + ++calls);
  const order = orderOf(callSid, fields);
  const job: OutboundJob = {
    callSid,
    epoch: 1,
    accountSid: ACCOUNT,
    region: 'ie1',
    direction: 'outbound-api',
    parentCallSid: null,
    from: order.from,
    to: order.to,
    createdAt: worker.clock.now(),
    notes: [],
    egressEdge: null,
  };
  await worker.store.update(callSid, {
    record: { ...newCallRecord(job), status },
    journal: JSON.stringify(order),
  });
  const queue = createMemoryCallQueue(worker.clock);
  await queue.add(job);
  const taken = await queue.take(new AbortController().signal);
  if (!taken) throw new Error('the job is there');
  const run = runApiCall(job, taken, worker.parts, worker.shutdown.signal);
  run.catch(() => {}); // looked at by the test
  await worker.settle();
  return { callSid, run, queue };
}

describe('a call from the API', () => {
  it('is placed, answered, and executes its document', async () => {
    const { callSid, run, queue } = await create();
    expect(queue.finished).toMatchObject([{ result: 'granted' }]);
    expect(await worker.record(callSid)).toMatchObject({ status: 'queued', worker: 'worker-1' });
    expect(worker.asked[0]?.request).toMatchObject({
      party: { kind: 'number', number: '+15005550006' },
      from: '+35315550100',
      onBehalfOf: [],
    });
    worker.link().ring();
    await worker.settle();
    expect(await worker.record(callSid)).toMatchObject({ status: 'ringing' });
    worker.link().answer();
    await worker.clock.run(run);
    expect(worker.requests[0]).toMatchObject({
      url: VOICE,
      params: { CallSid: callSid, CallStatus: 'in-progress', Direction: 'outbound-api', To: '+15005550006' },
    });
    expect(worker.media.played).toEqual(['hello']);
    expect(await worker.record(callSid)).toMatchObject({
      status: 'completed',
      direction: 'outbound-api',
      egress_edge: 'dublin',
      cause: 'the TwiML ended',
    });
    expect(worker.told()).toEqual(['0 initiated', '1 ringing', '2 in-progress', '3 completed 200']);
    expect(worker.storage.added).toContainEqual({ kind: 'archive-call', callSid });
    expect(worker.link().released).toBe(true);
  });

  it('executes a document that was given as text', async () => {
    const { run } = await create({ document: { kind: 'twiml', twiml: SAY } });
    worker.link().answer();
    await worker.clock.run(run);
    expect(worker.requests).toEqual([]);
    expect(worker.media.played).toEqual(['hello']);
  });

  it('was completed, however soon the callee that answered hangs up', async () => {
    const { callSid, run } = await create();
    worker.link().answer();
    worker.link().end('peer-hangup');
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({
      status: 'completed',
      cause: 'the called party hung up',
    });
    expect(worker.told().at(-1)).toMatch(/completed 200$/);
  });

  it('asks the fallback when its document cannot be had', async () => {
    const fallbackUrl = 'https://example.com/fallback';
    worker.documents.set(fallbackUrl, SAY);
    const url = 'https://example.com/gone';
    const { run } = await create({
      document: { kind: 'url', url, method: 'GET', fallbackUrl, fallbackMethod: 'POST' },
    });
    worker.link().answer();
    await worker.clock.run(run);
    expect(worker.requests.map((request) => request.url)).toEqual([url, fallbackUrl]);
    expect(worker.requests[1]?.params).toMatchObject({ ErrorCode: '11200' });
  });

  it('to a SIP URI passes headers and credentials, and keeps no credentials once it is placed', async () => {
    const { callSid, run } = await create({
      to: 'sip:kate@example.com;edge=frankfurt?X-Team=blue',
      from: 'front-desk',
      credentials: { username: 'kate', password: 'open sesame' },
    });
    expect(worker.asked[0]?.request).toMatchObject({
      edge: 'frankfurt',
      party: { kind: 'sip', uri: 'sip:kate@example.com' },
      from: 'front-desk',
      headers: { 'X-Team': 'blue', 'X-Twilio-CallSid': callSid },
      credentials: { username: 'kate', password: 'open sesame' },
    });
    expect(await worker.store.journal(callSid)).not.toContain('sesame');
    worker.link().end('rejected', 486);
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({ status: 'busy', egress_edge: 'frankfurt' });
    expect(worker.told()).toEqual(['0 initiated', '1 busy 486']);
  });

  it.each([
    ['rejected', 404, 'failed'],
    ['rejected', 480, 'no-answer'],
    ['unreachable', undefined, 'failed'],
  ] as const)('%s %s is %s', async (cause, sipStatus, status) => {
    const { callSid, run } = await create();
    worker.link().end(cause, sipStatus);
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({ status, duration: '0' });
    expect(worker.requests).toEqual([]);
  });

  it('that nobody answers in its time is no-answer', async () => {
    const { callSid, run } = await create({ timeoutMs: 10_000 });
    worker.link().ring();
    await worker.clock.advance(9_000);
    expect(worker.link().commands).toEqual([]);
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({ status: 'no-answer' });
    expect(worker.told().at(-1)).toBe('2 no-answer 487');
  });

  it('that reaches its time limit is ended with 32015', async () => {
    worker.documents.set(VOICE, '<Response><Pause length="600"/></Response>');
    const { callSid, run } = await create({ timeLimitMs: 20_000 });
    worker.link().answer();
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({
      status: 'completed',
      duration: '20',
      cause: 'it reached its time limit',
      diagnostics: [{ code: 32015 }],
    });
  });

  it('sends digits when it is answered, before its document', async () => {
    const { run } = await create({ sendDigits: 'ww12#' });
    expect(worker.media.digits).toEqual([]);
    worker.link().answer();
    await worker.clock.run(run);
    expect(worker.media.digits).toEqual(['ww12#']);
    expect(worker.media.played).toEqual(['hello']);
  });

  it('is recorded from the answer to its end', async () => {
    const callback = { url: 'https://example.com/recorded', method: 'POST', events: ['completed'] } as const;
    const { callSid, run } = await create({
      recording: { channels: 2, track: 'both', trim: true, callback },
      statusCallback: { url: PROGRESS, method: 'POST', events: ['completed'] },
    });
    expect(worker.media.recordings).toEqual([]);
    worker.link().answer();
    await worker.clock.run(run);
    const [recording] = worker.media.recordings;
    expect(recording?.options).toMatchObject({ channels: 2, track: 'both', trim: true, silenceMs: 0 });
    const [stored] = (await worker.store.listRecordings(ACCOUNT, { callSid }, 0, 10)).items;
    expect(stored).toMatchObject({
      source: 'OutboundAPI',
      channels: 2,
      track: 'both',
      duration: '5',
      status: 'processing',
    });
    expect(worker.storage.added.map((task) => task.kind)).toEqual(['store-recording', 'archive-call']);
    expect(worker.storage.added[0]).toMatchObject({
      callback: {
        params: { RecordingSource: 'OutboundAPI', RecordingChannels: '2', RecordingTrack: 'both' },
      },
    });
    expect(worker.callbacks.added[0]?.params).toMatchObject({
      SequenceNumber: '0',
      CallStatus: 'completed',
      RecordingSid: stored?.sid,
      RecordingDuration: '5',
    });
  });

  it('says that machine detection is not available', async () => {
    const { callSid, run } = await create({ machineDetection: true });
    worker.link().answer();
    await worker.clock.run(run);
    expect(worker.requests[0]?.params['AnsweredBy']).toBe('unknown');
    expect((await worker.record(callSid)).diagnostics).toMatchObject([{ code: 21263, level: 'warning' }]);
  });
});

describe('a call from the API is commanded', () => {
  it('to end while it rings: canceled, nothing executed', async () => {
    const { callSid, run } = await create();
    worker.link().ring();
    expect(await worker.calls.handle({ kind: 'end', callSid, status: 'canceled' })).toEqual({ ok: true });
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({ status: 'canceled' });
    expect(worker.told()).toEqual(['0 initiated', '1 ringing', '2 canceled 487']);
    expect(worker.requests).toEqual([]);
  });

  it('to end, or to go on with another document, when it was answered', async () => {
    worker.documents.set(VOICE, GATHER);
    const { callSid, run } = await create();
    worker.link().answer();
    await worker.settle();
    const document = {
      kind: 'twiml',
      twiml: '<Response><Say>other</Say><Pause length="9"/></Response>',
    } as const;
    expect(await worker.calls.handle({ kind: 'redirect', callSid, document })).toEqual({ ok: true });
    await worker.settle();
    expect(worker.media.played).toEqual(['other']);
    expect(await worker.calls.handle({ kind: 'end', callSid, status: 'completed' })).toEqual({ ok: true });
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({
      status: 'completed',
      cause: 'it was ended through the API',
    });
  });
});

describe('a call from the API that is not made', () => {
  it('was canceled while it waited', async () => {
    const { callSid, run, queue } = await create({}, 'canceled');
    await worker.clock.run(run);
    expect(queue.finished).toMatchObject([{ result: 'gone' }]);
    expect(worker.asked).toEqual([]);
    expect(worker.callbacks.added).toEqual([]);
    expect((await worker.record(callSid)).status).toBe('canceled');
  });

  it.each([
    ['sip:', 13243],
    ['kate', 13224],
  ])('has nobody to call at %s', async (to, code) => {
    const { callSid, run } = await create({ to });
    await worker.clock.run(run);
    expect(worker.asked).toEqual([]);
    expect(await worker.record(callSid)).toMatchObject({ status: 'failed', diagnostics: [{ code }] });
    expect(worker.told()).toEqual(['0 failed']);
  });

  it('is refused by the edge', async () => {
    worker.refusal = failure(13224, 'no carrier');
    const { callSid, run } = await create();
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({ status: 'failed', diagnostics: [{ code: 13224 }] });
  });

  it('has lost what it was to do', async () => {
    const { parts } = worker;
    const { journal } = worker.store;
    worker.store.journal = async () => undefined;
    const { callSid, run } = await create();
    worker.store.journal = journal;
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({ status: 'failed', worker: parts.worker });
    expect(worker.asked).toEqual([]);
    expect(worker.storage.added).toEqual([{ kind: 'archive-call', callSid }]);
  });
});

describe('a call from the API when its worker stops', () => {
  it('is canceled at the edge and failed in its record while it rings', async () => {
    const { callSid, run } = await create();
    worker.link().ring();
    worker.shutdown.abort();
    await worker.clock.run(run);
    expect(worker.link().commands).toEqual([{ verb: 'hangup' }]);
    expect(await worker.record(callSid)).toMatchObject({
      status: 'failed',
      cause: 'the worker was shut down before the answer',
    });
  });

  it('is completed when it was answered', async () => {
    worker.documents.set(VOICE, GATHER);
    const { callSid, run } = await create();
    worker.link().answer();
    await worker.settle();
    worker.shutdown.abort();
    await worker.clock.run(run);
    expect(await worker.record(callSid)).toMatchObject({ status: 'completed' });
    expect(worker.told().at(-1)).toBe('2 completed 200');
  });
});

describe('a call that verifies a caller id', () => {
  const CODE = '602193';
  const CALLER_ID = `PN${'c'.repeat(32)}`;

  async function verification(validationOf = (callSid: string) => callSid) {
    const document = { kind: 'twiml', twiml: validationDocument(CODE) } as const;
    const call = await create({ document, validationCode: CODE });
    await worker.config.records.callerIds.create({
      sid: CALLER_ID,
      accountSid: ACCOUNT,
      phoneNumber: '+15005550006',
      friendlyName: 'Branch',
      validation: { callSid: validationOf(call.callSid), code: CODE },
      createdAt: 0,
      updatedAt: 0,
    });
    return call;
  }

  const press = async (keys: string) => {
    for (const key of keys) {
      worker.media.press(key as DtmfKey);
      await worker.settle();
    }
  };

  /** What its callbacks said of the verification, one after the other. */
  const results = () =>
    worker.callbacks.added.map(({ params: p }) =>
      [p['CallStatus'], p['VerificationStatus'], p['OutgoingCallerIdSid']].filter(Boolean).join(' '),
    );

  it('says at its end that the code was typed, and names the caller id', async () => {
    const { run } = await verification();
    worker.link().answer();
    await worker.settle();
    await press(CODE);
    await worker.clock.run(run);
    expect(results()).toEqual(['initiated', 'in-progress', `completed success ${CALLER_ID}`]);
    expect((await worker.config.records.callerIds.fetch(CALLER_ID))?.validation).toBeNull();
  });

  it('says that it was not, and the caller id is gone', async () => {
    const { run } = await verification();
    worker.link().answer();
    await worker.settle();
    await press('61');
    await worker.clock.run(run);
    expect(results().at(-1)).toBe('completed failed');
    expect(await worker.config.records.callerIds.fetch(CALLER_ID)).toBeUndefined();
  });

  it('says so of one that nobody answered, and of one whose place another call has taken', async () => {
    const { run } = await verification();
    worker.link().end('rejected', 486);
    await worker.clock.run(run);
    expect(results().at(-1)).toBe('busy failed');

    await worker.store.save(callRecord(1));
    const second = await verification(() => callRecord(1).sid);
    worker.link().answer();
    await worker.settle();
    await press(CODE);
    await worker.clock.run(second.run);
    expect(results().at(-1)).toBe('completed failed');
    expect(await worker.config.records.callerIds.fetch(CALLER_ID)).toBeDefined();
  });
});
