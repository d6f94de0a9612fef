import { beforeEach, describe, expect, it } from 'vitest';
import type { CallOrder, OrderedDocument } from '../../../src/call/orders.ts';
import { warning } from '../../../src/core/diagnostic.ts';
import { runLiveCall } from '../../../src/runtime/live-call.ts';
import { numberConfig } from '../../conformance/config.ts';
import { CALLED_NUMBER } from '../../support/call-job.ts';
import { ACCOUNT } from '../../support/call-record.ts';
import { createWorker, type FakeInbound, type TestWorker } from './worker-in-memory.ts';

const VOICE = 'https://example.com/voice';
const OTHER = 'https://example.com/other';
const WAITING = '<Response><Say>hello</Say><Pause length="60"/></Response>';
const RINGING = '<Response><Dial action="/after"><Sip>kate@example.com</Sip></Dial></Response>';

let worker: TestWorker;
let link: FakeInbound;
let run: Promise<void>;

/** An inbound call that executes `twiml`. */
async function call(twiml: string, status: 'answered' | 'ringing' = 'answered') {
  worker.documents.set(
    VOICE,
    status === 'answered' ? twiml : twiml.replace('<Dial', '<Dial answerOnBridge="true"'),
  );
  link = worker.inbound();
  await worker.config.saveNumber(numberConfig(1, { phoneNumberSid: CALLED_NUMBER, voiceUrl: VOICE }));
  run = runLiveCall(link, worker.parts, worker.shutdown.signal);
  run.catch(() => {}); // looked at by the test
  await worker.settle();
}

const document = (url: string): OrderedDocument => ({
  kind: 'url',
  url,
  method: 'POST',
  fallbackUrl: '',
  fallbackMethod: 'POST',
});
const recording = { channels: 2, track: 'both', trim: false, callback: null } as const;
const own = () => link.job.callSid;
const child = () => worker.link().job.callSid;
/** The one recording of the call. */
async function ownRecording() {
  const { items: page } = await worker.store.listRecordings(ACCOUNT, { callSid: own() }, 0, 2);
  const [first] = page;
  if (!first || page.length > 1) throw new Error(`the call has ${page.length} recordings`);
  return first;
}

const handle = (order: CallOrder) => worker.clock.run(worker.calls.handle(order));

beforeEach(async () => {
  worker = createWorker();
  await worker.startEdge();
  worker.documents.set(OTHER, '<Response><Say>other</Say></Response>');
  worker.documents.set('https://example.com/after', '<Response><Say>after</Say></Response>');
});

describe('an order to a call of this worker', () => {
  it('finds nobody when the call is not here', async () => {
    expect(await handle({ kind: 'end', callSid: 'CA0', status: 'completed' })).toMatchObject({
      ok: false,
      reason: 'gone',
    });
  });

  it('finds nobody when the call is over', async () => {
    await call('<Response><Say>hello</Say></Response>');
    await worker.clock.run(run);
    expect(await handle({ kind: 'end', callSid: own(), status: 'completed' })).toMatchObject({
      reason: 'gone',
    });
    expect(worker.calls.size).toBe(0);
  });

  it.each([
    ['completed', 'answered', 'completed'],
    ['completed', 'ringing', 'canceled'],
    ['canceled', 'ringing', 'canceled'],
  ] as const)('%s ends an inbound call that is %s as %s', async (status, state, becomes) => {
    await call(state === 'answered' ? WAITING : RINGING, state);
    expect(await handle({ kind: 'end', callSid: own(), status })).toEqual({ ok: true });
    await worker.clock.run(run);
    expect(await worker.record(own())).toMatchObject({ status: becomes });
    expect((await worker.record(own())).cause).toContain('through the API');
  });

  it('canceled leaves an answered call alone, and says so', async () => {
    await call(WAITING);
    expect(await handle({ kind: 'end', callSid: own(), status: 'canceled' })).toMatchObject({
      reason: 'wrong-state',
    });
    await worker.settle();
    expect((await worker.record(own())).status).toBe('in-progress');
  });

  it('redirects a call in progress, and none that rings', async () => {
    await call(WAITING);
    const warnings = [warning(32019, 'both Url and Twiml were given; Url is used.')];
    expect(await handle({ kind: 'redirect', callSid: own(), document: document(OTHER), warnings })).toEqual({
      ok: true,
    });
    await worker.clock.run(run);
    expect(worker.media.played).toEqual(['hello', 'other']);
    expect((await worker.record(own())).diagnostics).toEqual(warnings);

    await call(RINGING, 'ringing');
    expect(await handle({ kind: 'redirect', callSid: own(), document: document(OTHER) })).toMatchObject({
      reason: 'wrong-state',
    });
    expect(await handle({ kind: 'redirect', callSid: child(), document: document(OTHER) })).toMatchObject({
      reason: 'wrong-state',
    });
  });

  it('records, pauses, resumes and stops', async () => {
    await call(WAITING);
    const reply = await handle({ kind: 'start-recording', callSid: own(), recording });
    expect(reply).toMatchObject({ ok: true, recordingSid: expect.stringMatching(/^RE/) });
    const recordingSid = (reply.ok && reply.recordingSid) || '';
    const change = (status: 'paused' | 'in-progress' | 'stopped', name = recordingSid) =>
      handle({
        kind: 'change-recording',
        callSid: own(),
        recordingSid: name,
        status,
        pauseBehavior: 'silence',
      });
    expect(await change('paused')).toEqual({ ok: true });
    expect(await worker.store.fetchRecording(recordingSid)).toMatchObject({
      status: 'paused',
      source: 'StartCallRecordingAPI',
      channels: 2,
      track: 'both',
    });
    expect(await change('in-progress', 'Twilio.CURRENT')).toEqual({ ok: true });
    expect(await worker.store.fetchRecording(recordingSid)).toMatchObject({ status: 'in-progress' });
    expect(worker.media.recordings[0]?.done).toEqual(['pause silence', 'resume']);
    expect(await change('stopped')).toEqual({ ok: true });
    await worker.settle();
    expect(await worker.store.fetchRecording(recordingSid)).toMatchObject({ status: 'processing' });
    expect(await change('paused')).toMatchObject({ ok: false, reason: 'wrong-state' });
    expect(await worker.timeline(own())).toEqual(
      expect.arrayContaining(['recording-started', 'recording-ended']),
    );
  });

  it('a recording ends with its call, and is handed over before the call is archived', async () => {
    await call(WAITING);
    await handle({ kind: 'start-recording', callSid: own(), recording });
    link.end('peer-hangup');
    await worker.clock.run(run);
    expect(worker.storage.added.map(({ kind }) => kind)).toEqual(['store-recording', 'archive-call']);
  });

  it('pauses, resumes and stops what a document has started', async () => {
    await call('<Response><Start><Recording name="a"/></Start><Pause length="60"/></Response>');
    const { sid: recordingSid, ...record } = await ownRecording();
    expect(record).toMatchObject({ source: 'StartCallRecordingTwiML', channels: 2, status: 'in-progress' });
    const change = (status: 'paused' | 'in-progress' | 'stopped', name = recordingSid) =>
      handle({
        kind: 'change-recording',
        callSid: own(),
        recordingSid: name,
        status,
        pauseBehavior: 'skip',
      });
    expect(await change('paused', 'Twilio.CURRENT')).toEqual({ ok: true });
    expect(await worker.store.fetchRecording(recordingSid)).toMatchObject({ status: 'paused' });
    expect(await change('in-progress')).toEqual({ ok: true });
    expect(await change('stopped')).toEqual({ ok: true });
    expect(worker.media.recordings[0]?.done).toEqual(['pause skip', 'resume']);
    await worker.settle();
    expect(await worker.store.fetchRecording(recordingSid)).toMatchObject({ status: 'processing' });
    expect((await worker.record(own())).status).toBe('in-progress');
  });

  it('stores what a document has started when the call ends, before the call is archived', async () => {
    await call('<Response><Start><Recording/></Start><Pause length="60"/></Response>');
    link.end('peer-hangup');
    await worker.clock.run(run);
    expect(worker.storage.added.map(({ kind }) => kind)).toEqual(['store-recording', 'archive-call']);
  });

  it('does not record a call that rings', async () => {
    await call(RINGING, 'ringing');
    expect(await handle({ kind: 'start-recording', callSid: child(), recording })).toMatchObject({
      reason: 'wrong-state',
    });
  });
});

describe('an order to a child', () => {
  it('cancels it while it rings: its <Dial> goes on with canceled', async () => {
    await call(RINGING);
    worker.link().ring();
    expect(await handle({ kind: 'end', callSid: child(), status: 'canceled' })).toEqual({ ok: true });
    await worker.clock.run(run);
    expect(await worker.record(child())).toMatchObject({
      status: 'canceled',
      cause: 'it was canceled through the API',
    });
    expect(worker.requests.at(-1)).toMatchObject({
      url: 'https://example.com/after',
      params: { DialCallStatus: 'canceled' },
    });
  });

  it('completes it when it has answered', async () => {
    await call(RINGING);
    worker.link().answer();
    await worker.settle();
    await handle({ kind: 'end', callSid: child(), status: 'completed' });
    await worker.clock.run(run);
    expect(await worker.record(child())).toMatchObject({
      status: 'completed',
      cause: 'it was ended through the API',
    });
  });

  it('records it', async () => {
    await call(RINGING);
    worker.link().answer();
    await worker.settle();
    expect(await handle({ kind: 'start-recording', callSid: child(), recording })).toMatchObject({
      ok: true,
    });
    worker.link().end('peer-hangup');
    await worker.clock.run(run);
    const { items } = await worker.store.listRecordings(ACCOUNT, { callSid: child() }, 0, 10);
    expect(items).toMatchObject([{ status: 'processing', source: 'StartCallRecordingAPI' }]);
  });

  it('gives it a document of its own: it leaves its <Dial> and outlives it', async () => {
    worker.documents.set(OTHER, '<Response><Say>other</Say><Pause length="60"/></Response>');
    await call(RINGING);
    worker.link().answer();
    await worker.settle();
    expect(await handle({ kind: 'redirect', callSid: child(), document: document(OTHER) })).toEqual({
      ok: true,
    });
    await worker.clock.run(run);
    expect(worker.ended.map(({ sid }) => sid)).toEqual([own()]);
    expect(await worker.record(child())).toMatchObject({ status: 'in-progress' });
    expect(worker.media.played).toEqual(expect.arrayContaining(['other', 'after']));
    const fetched = worker.requests.find((request) => request.url === OTHER);
    expect(fetched?.params).toMatchObject({
      CallSid: child(),
      ParentCallSid: own(),
      CallStatus: 'in-progress',
      Direction: 'outbound-dial',
    });
    // It can be redirected again, and ends as a call of its own.
    worker.documents.set(`${OTHER}/2`, '<Response><Hangup/></Response>');
    await handle({ kind: 'redirect', callSid: child(), document: document(`${OTHER}/2`) });
    await worker.clock.run(Promise.all(worker.adopted));
    expect(await worker.record(child())).toMatchObject({ status: 'completed' });
    expect(worker.link().released).toBe(true);
    expect(worker.calls.size).toBe(0);
  });

  it('that has left is ended with the worker, its record written', async () => {
    worker.documents.set(OTHER, WAITING);
    await call(RINGING);
    worker.link().answer();
    await worker.settle();
    await handle({ kind: 'redirect', callSid: child(), document: document(OTHER) });
    await worker.clock.run(run);
    worker.shutdown.abort();
    await worker.clock.run(Promise.all(worker.adopted));
    expect(await worker.record(child())).toMatchObject({
      status: 'completed',
      cause: expect.stringContaining('shut down'),
    });
  });
});

describe('when the worker stops', () => {
  it.each(['ringing', 'answered'] as const)(
    'a call and its %s child are ended and written down',
    async (state) => {
      await call(RINGING);
      worker.link().ring();
      if (state === 'answered') worker.link().answer();
      await worker.settle();
      worker.shutdown.abort();
      await worker.clock.run(run);
      expect(await worker.record(own())).toMatchObject({ status: 'completed' });
      expect(await worker.record(child())).toMatchObject({
        status: state === 'answered' ? 'completed' : 'canceled',
      });
      expect(worker.link().released && link.released).toBe(true);
    },
  );
});
