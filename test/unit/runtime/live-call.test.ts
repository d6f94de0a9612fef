import { beforeEach, describe, expect, it } from 'vitest';
import { runLiveCall } from '../../../src/runtime/live-call.ts';
import { numberConfig } from '../../conformance/config.ts';
import { CALLED_NUMBER } from '../../support/call-job.ts';
import { createWorker, type FakeInbound, type TestWorker } from './worker-in-memory.ts';

const VOICE = 'https://example.com/voice';
const DIAL = '<Response><Dial action="/after"><Sip>kate@example.com</Sip></Dial></Response>';

let worker: TestWorker;
let link: FakeInbound;
let run: Promise<void>;

async function call(twiml: string, configured = true) {
  worker.documents.set(VOICE, twiml);
  link = worker.inbound();
  const phoneNumberSid = CALLED_NUMBER;
  const statusCallback = 'https://example.com/status';
  if (configured) {
    await worker.config.saveNumber(numberConfig(1, { phoneNumberSid, voiceUrl: VOICE, statusCallback }));
  }
  run = runLiveCall(link, worker.parts, worker.shutdown.signal);
  run.catch(() => {}); // looked at by the test
  await worker.settle();
}

beforeEach(async () => {
  worker = createWorker();
  await worker.startEdge();
  worker.documents.set('https://example.com/after', '<Response/>');
});

describe('an inbound call', () => {
  it('is executed, recorded, archived and told of', async () => {
    await call('<Response><Say>hello</Say></Response>');
    await worker.clock.run(run);
    const { callSid } = link.job;
    expect(link.commands.map(({ verb }) => verb)).toEqual(['answer', 'hangup']);
    expect(await worker.record(callSid)).toMatchObject({ status: 'completed', cause: 'the TwiML ended' });
    expect(await worker.timeline(callSid)).toEqual(
      expect.arrayContaining(['call-received', 'routed', 'taken', 'answered', 'call-ended']),
    );
    expect(worker.storage.added).toEqual([{ kind: 'archive-call', callSid }]);
    expect(worker.told('https://example.com/status')).toEqual(['0 completed']);
    expect(link.released).toBe(true);
  });

  it('without a configuration in its Region is refused with 22199', async () => {
    await call('<Response/>', false);
    await worker.clock.run(run);
    expect(link.commands).toEqual([{ verb: 'reject', status: 404 }]);
    expect(await worker.record(link.job.callSid)).toMatchObject({
      status: 'failed',
      diagnostics: [{ code: 22199 }],
    });
  });

  it('whose execution fails is refused with 503 and its record says so', async () => {
    worker.config.number = async () => {
      throw new Error('Redis is away');
    };
    await call('<Response/>', false);
    await worker.clock.run(run);
    expect(link.commands).toEqual([{ verb: 'reject', status: 503 }]);
    expect(await worker.record(link.job.callSid)).toMatchObject({
      status: 'failed',
      cause: 'internal error: Redis is away',
      diagnostics: [{ code: 12400 }],
    });
  });
});

describe('a client that is dialled', () => {
  it('has a call of its own that fails, without an edge being asked, and the caller goes on', async () => {
    await call(
      '<Response><Dial action="/after"><Client statusCallback="/progress">alice</Client></Dial></Response>',
    );
    await worker.clock.run(run);
    const after = worker.requests.find(({ url }) => url === 'https://example.com/after');
    expect(after?.params).toMatchObject({ DialCallStatus: 'failed', DialBridged: 'false' });
    expect(await worker.record(after?.params['DialCallSid'] ?? '')).toMatchObject({
      to: 'client:alice',
      status: 'failed',
      egress_edge: null,
      diagnostics: [{ code: 31480 }],
    });
    expect(worker.told()).toEqual(['0 failed']);
    expect(worker.asked).toEqual([]);
  });
});

describe('the caller of a <Dial> hangs up', () => {
  it.each(['placed', 'ringing', 'answered'] as const)('while the callee is %s', async (state) => {
    await call(DIAL);
    const child = worker.link();
    if (state !== 'placed') child.ring();
    if (state === 'answered') child.answer();
    await worker.settle();
    link.end('peer-hangup');
    await worker.clock.run(run);
    expect(await worker.record(link.job.callSid)).toMatchObject({ status: 'completed' });
    expect(await worker.record(child.job.callSid)).toMatchObject({
      status: state === 'answered' ? 'completed' : 'canceled',
      parent_call_sid: link.job.callSid,
    });
    expect(child.commands.map(({ verb }) => verb)).toContain('hangup');
    expect([link.released, child.released]).toEqual([true, true]);
    const archived = worker.storage.added.filter(({ kind }) => kind === 'archive-call');
    expect(archived).toHaveLength(2);
    expect(worker.calls.size).toBe(0);
    expect(worker.clock.pending).toBe(0);
  });
});
