import { beforeEach, describe, expect, it } from 'vitest';
import { newCallRecord } from '../../../src/call/call-records.ts';
import type { RecordingRecord } from '../../../src/call/record.ts';
import { newRecording } from '../../../src/call/recording-records.ts';
import { runLiveCall } from '../../../src/runtime/live-call.ts';
import type { RecordingRequest } from '../../../src/twiml/verbs/ports.ts';
import { numberConfig } from '../../conformance/config.ts';
import { CALLED_NUMBER } from '../../support/call-job.ts';
import { sid as numbered } from '../../support/call-record.ts';
import { createWorker, type FakeInbound, type TestWorker } from './worker-in-memory.ts';

const VOICE = 'https://example.com/voice';
const CALLBACK = {
  url: 'https://example.com/rec',
  method: 'POST',
  events: ['in-progress', 'completed'],
} as const;
const OF_DOCUMENT: RecordingRequest = {
  source: 'StartCallRecordingTwiML',
  name: 'mine',
  channels: 2,
  track: 'both',
  statusCallback: CALLBACK,
  continued: { trim: true },
};

let worker: TestWorker;
let link: FakeInbound;
let run: Promise<void>;

beforeEach(() => {
  worker = createWorker();
});

/** Of the worker that was lost: the other one counts its own from 1. */
const sid = (prefix: string, n: number) => numbered(prefix, 0x100 + n);

/** The record that `lost` made of recording `n`, as it was when it was lost. */
async function leftBehind(n: number, request: RecordingRequest, changes: Partial<RecordingRecord> = {}) {
  const facts = { ...link.job, parentCallSid: null };
  const begun = newRecording(
    request,
    facts,
    'ie1',
    sid('RE', n),
    worker.clock.now() - 60_000 + n,
    'http://api.test',
  );
  const recording = { ...begun, ...changes };
  await worker.store.saveRecording(recording);
  return recording;
}

/** A call in `verb` whose first worker is lost; `prepare` says what it was recording. */
async function takenOver(prepare: () => Promise<unknown>, verb = 'Pause') {
  link = worker.inbound({ epoch: 2 }).wasAnswered();
  const { callSid } = link.job;
  await worker.config.saveNumber(numberConfig(1, { phoneNumberSid: CALLED_NUMBER, voiceUrl: VOICE }));
  await worker.store.save({ ...newCallRecord(link.job), status: 'in-progress', worker: 'lost', epoch: 1 });
  const body = `<Response><${verb} length="60"/><Stop><Recording name="mine"/></Stop><Pause length="60"/></Response>`;
  const document = { url: VOICE, contentType: 'text/xml', body };
  const journal = JSON.stringify({ document, verb: 0, name: verb, answered: true });
  await worker.store.update(callSid, { journal });
  await prepare();
  run = runLiveCall(link, worker.parts, worker.shutdown.signal);
  await worker.settle();
}

async function recordings(): Promise<readonly RecordingRecord[]> {
  const { accountSid, callSid } = link.job;
  return [...(await worker.store.listRecordings(accountSid, { callSid }, 0, 9)).items].reverse();
}

const recovery = () => worker.storage.added.filter(({ kind }) => kind === 'recover-recordings');

describe('what a lost worker was recording beside the verbs', () => {
  it('is ended where it broke off, and goes on in a second recording on the same terms', async () => {
    await takenOver(() => leftBehind(1, OF_DOCUMENT));
    const { callSid } = link.job;
    expect(recovery()).toEqual([
      { kind: 'recover-recordings', callSid, worker: 'lost', recordingSids: [sid('RE', 1)] },
    ]);
    const [, second] = await recordings();
    expect(second).toMatchObject({
      status: 'in-progress',
      source: 'StartCallRecordingTwiML',
      channels: 2,
      track: 'both',
      callback: CALLBACK,
    });
    expect(worker.media.recordings).toMatchObject([
      { options: { recordingSid: second?.sid, trim: true, track: 'both', channels: 2 } },
    ]);
    expect(await worker.store.timeline(callSid)).toContainEqual(
      expect.objectContaining({
        message: `the recording ${sid('RE', 1)} of the lost worker goes on as ${second?.sid}`,
      }),
    );
    expect(worker.callbacks.added).toMatchObject([
      { url: CALLBACK.url, params: { RecordingSid: second?.sid, RecordingStatus: 'in-progress' } },
    ]);
    await worker.clock.advance(61_000); // the document stops it by its name
    expect((await recordings()).map(({ status }) => status)).toEqual(['in-progress', 'processing']);
    link.end('peer-hangup');
    await worker.clock.run(run);
  });

  it('stays paused where it was', async () => {
    await takenOver(() => leftBehind(1, OF_DOCUMENT, { status: 'paused' }));
    expect(worker.media.recordings.map(({ done }) => done)).toEqual([['pause silence']]);
    expect((await recordings()).map(({ status }) => status)).toEqual(['paused', 'paused']);
    link.end('peer-hangup');
    await worker.clock.run(run);
  });

  it('goes on once, however many workers are lost', async () => {
    await takenOver(async () => {
      await leftBehind(1, OF_DOCUMENT);
      await leftBehind(2, { ...OF_DOCUMENT, continued: { trim: true, of: sid('RE', 1) } });
      await leftBehind(3, OF_DOCUMENT, { status: 'completed' });
    });
    expect(recovery()).toMatchObject([{ recordingSids: [sid('RE', 1), sid('RE', 2)] }]);
    const started = (await recordings()).slice(3);
    expect(started.map(({ continued }) => continued?.of)).toEqual([sid('RE', 2)]);
    link.end('peer-hangup');
    await worker.clock.run(run);
  });

  it('does not go on when the call cannot', async () => {
    await takenOver(() => leftBehind(1, OF_DOCUMENT), 'Gather');
    await worker.clock.run(run);
    expect(worker.media.recordings).toEqual([]);
    expect(recovery()).toEqual([]); // the end of the call sees to it
    expect(worker.storage.added).toEqual([{ kind: 'archive-call', callSid: link.job.callSid }]);
  });

  it('is left alone when there was nothing', async () => {
    await takenOver(() => leftBehind(1, OF_DOCUMENT, { status: 'completed' }));
    expect(recovery()).toEqual([]);
    expect(await recordings()).toHaveLength(1);
    link.end('peer-hangup');
    await worker.clock.run(run);
  });
});
