import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answeredRecord, endRecord, newCallRecord } from '../../../src/call/call-records.ts';
import type { OutboundJob } from '../../../src/call/job.ts';
import { callRecordKey, recordingKey, timelineKey } from '../../../src/call/keys.ts';
import type { CallRecord } from '../../../src/call/record.ts';
import type { CallbackTask, StorageTask } from '../../../src/call/tasks.ts';
import { createMemoryRegionalConfig } from '../../../src/config/memory.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { isoMs } from '../../../src/core/dates.ts';
import { failure } from '../../../src/core/diagnostic.ts';
import { CountingIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RecordingEnd } from '../../../src/leg/port.ts';
import { createMemoryTaskQueue } from '../../../src/queue/memory/task-queue.ts';
import { REGIONS } from '../../../src/region/region.ts';
import { createRecordingDesk } from '../../../src/runtime/recording-desk.ts';
import { createRegionTasks } from '../../../src/runtime/region-tasks.ts';
import { arrivalEvents } from '../../../src/runtime/task-events.ts';
import { createMemoryBucket } from '../../../src/storage/memory/bucket.ts';
import { createMemoryCallStore } from '../../../src/storage/memory/call-store.ts';
import { type Bucket, BucketError } from '../../../src/storage/ports.ts';
import type { WebhookRequest, WebhookResult } from '../../../src/webhook/port.ts';
import { numberConfig } from '../../conformance/config.ts';
import { CALLED_NUMBER, callJob } from '../../support/call-job.ts';
import { sid } from '../../support/call-record.ts';
import { sipDomain } from '../../support/registrations.ts';

const FIRST = { number: 1, last: false };
const LAST = { number: 20, last: true };
const OK: WebhookResult = {
  ok: true,
  response: { url: '', status: 204, contentType: '', body: Buffer.alloc(0) },
  attempts: [{ url: 'https://example.com/status', method: 'POST', attempt: 1, ms: 3, status: 204 }],
};

/** One Region in memory, and a call in it. */
function region(bucket: Bucket = createMemoryBucket()) {
  const clock = new VirtualClock();
  const store = createMemoryCallStore(clock);
  const callbacks = createMemoryTaskQueue<CallbackTask>(clock);
  const storage = createMemoryTaskQueue<StorageTask>(clock);
  const config = createMemoryRegionalConfig('ie1');
  const ids = new CountingIds();
  const requests: WebhookRequest[] = [];
  const world = { answer: OK, requests, clock, store, callbacks, storage, config, bucket };
  const tasks = createRegionTasks({
    region: REGIONS.ie1,
    store,
    bucket,
    callbacks,
    storage,
    spoolDir: tmpdir(),
    config,
    webhooks: () => ({
      async fetch(request) {
        requests.push(request);
        return world.answer;
      },
    }),
    ids,
    clock,
    logger: silentLogger,
  });
  const job = callJob({ createdAt: clock.now() });
  const desk = createRecordingDesk({
    facts: { ...job, parentCallSid: null },
    region: REGIONS.ie1,
    store,
    storage,
    callbacks,
    ids: new CountingIds(),
    clock,
    logger: silentLogger,
    publicUrl: 'http://127.0.0.1:8082',
  });
  const objects = async () => {
    const keys: string[] = [];
    for await (const { key } of bucket.list('')) keys.push(key);
    return keys;
  };
  const stored = async (key: string): Promise<unknown> =>
    JSON.parse((await bucket.get(key))?.toString() ?? 'null');
  return Object.assign(world, { tasks, job, desk, objects, stored });
}

describe('archiving a call', () => {
  it('puts record and timeline into the bucket, as often as it is run', async () => {
    const { store, tasks, job, bucket, objects, stored } = region();
    const record = endRecord(newCallRecord(job), { status: 'completed', cause: 'done' }, job.createdAt);
    await store.save(record);
    await store.appendTimeline(job.callSid, [{ at: '2026-01-01T00:00:00.000Z', type: 'answered' }]);
    for (const attempt of [FIRST, LAST]) {
      await tasks.store({ kind: 'archive-call', callSid: job.callSid }, attempt);
      expect(await objects()).toEqual([timelineKey(record), callRecordKey(record)]);
      expect(await stored(callRecordKey(record))).toEqual(record);
      expect((await bucket.get(timelineKey(record)))?.toString()).toBe(
        '{"at":"2026-01-01T00:00:00.000Z","type":"answered"}\n',
      );
    }
    expect(await store.fetch(job.callSid)).toEqual(record);
  });

  it('is refused for a call that goes on, and for one nobody knows', async () => {
    const { store, tasks, job } = region();
    const archive = () => tasks.store({ kind: 'archive-call', callSid: job.callSid }, FIRST);
    await expect(archive()).rejects.toThrow(/does not know/);
    await store.save(newCallRecord(job));
    await expect(archive()).rejects.toThrow(/still ringing/);
  });

  it('is done for calls that ended together; one that cannot be archived gets a task of its own', async () => {
    const { store, tasks, job, objects, storage } = region();
    const record = endRecord(newCallRecord(job), { status: 'completed', cause: 'done' }, job.createdAt);
    await store.save(record);
    const goesOn = { ...newCallRecord(job), sid: sid('CA', 2) };
    await store.save(goesOn);
    await tasks.store({ kind: 'archive-calls', callSids: [goesOn.sid, record.sid] }, FIRST);
    expect(await objects()).toEqual([timelineKey(record), callRecordKey(record)]);
    expect(storage.added).toEqual([{ kind: 'archive-call', callSid: goesOn.sid }]);
  });

  it('ends recordings that a lost worker left behind', async () => {
    const { store, tasks, job, desk, stored, callbacks } = region();
    await store.save(endRecord(newCallRecord(job), { status: 'completed', cause: 'done' }, job.createdAt));
    const url = 'https://example.com/recorded';
    const { sid } = await desk.begin({ statusCallback: { url, method: 'POST', events: ['completed'] } });
    await tasks.store({ kind: 'archive-call', callSid: job.callSid }, FIRST);
    expect((await store.fetchRecording(sid))?.status).toBe('failed');
    expect(await store.timeline(job.callSid)).toMatchObject([
      { type: 'recording-stored', recording: sid, status: 'failed', bytes: 0 },
    ]);
    const object = await stored(recordingKey(job.accountSid, sid, 'json'));
    expect(object).toMatchObject({ status: 'failed' });
    expect(object).not.toHaveProperty('callback');
    expect(callbacks.added).toMatchObject([
      { url, params: { RecordingSid: sid, RecordingStatus: 'failed' } },
    ]);
  });
});

describe('a call that goes on with another worker', () => {
  const url = 'https://example.com/recorded';
  const statusCallback = { url, method: 'POST', events: ['completed'] } as const;

  async function lost() {
    const r = region();
    await r.store.save({ ...newCallRecord(r.job), status: 'in-progress', worker: 'w2', epoch: 2 });
    const { sid: left } = await r.desk.begin({ statusCallback, continued: { trim: false } });
    const { sid: running } = await r.desk.begin({ statusCallback });
    const path = join(tmpdir(), `${left}.wav`);
    await writeFile(path, Buffer.alloc(44 + 48_000)); // three seconds
    const { callSid } = r.job;
    const task: StorageTask = { kind: 'recover-recordings', callSid, worker: 'w1', recordingSids: [left] };
    return Object.assign(r, { left, running, path, task });
  }

  it('has what its lost worker recorded stored at once, and told of once', async () => {
    const r = await lost();
    await r.tasks.store(r.task, FIRST);
    const [store] = r.storage.added;
    expect(store).toMatchObject({ kind: 'store-recording', recordingSid: r.left, path: r.path });
    if (store) await r.tasks.store(store, FIRST);
    expect(await r.store.fetchRecording(r.left)).toMatchObject({ status: 'completed', duration: '3' });
    const object = await r.stored(recordingKey(r.job.accountSid, r.left, 'json'));
    expect(object).toMatchObject({ status: 'completed' });
    expect(object).not.toHaveProperty('continued');
    expect((await r.store.fetchRecording(r.running))?.status).toBe('in-progress');

    await r.tasks.store(r.task, FIRST);
    await r.store.save(
      endRecord(newCallRecord(r.job), { status: 'completed', cause: 'done' }, r.job.createdAt),
    );
    await r.desk.finish(r.running, { ...NOTHING, reason: 'hangup' });
    await r.tasks.store({ kind: 'archive-call', callSid: r.job.callSid }, FIRST);
    const told = r.callbacks.added.filter(({ params }) => params['RecordingSid'] === r.left);
    expect(told).toMatchObject([{ url, params: { RecordingStatus: 'completed', RecordingDuration: '3' } }]);
    expect((await r.store.fetchRecording(r.left))?.status).toBe('completed');
  });

  it('waits while that worker may be recording still, and leaves it to the end of the call at last', async () => {
    const r = await lost();
    await r.store.heartbeat('w1', 15_000);
    await expect(r.tasks.store(r.task, FIRST)).rejects.toThrow('may be recording still');
    await r.tasks.store(r.task, LAST);
    expect((await r.store.fetchRecording(r.left))?.status).toBe('in-progress');
    r.clock.tick(15_001);
    await r.tasks.store(r.task, FIRST);
    expect((await r.store.fetchRecording(r.left))?.status).toBe('processing');
    await rm(r.path);
  });
});

const NOTHING: RecordingEnd = {
  reason: 'stopped',
  durationMs: 0,
  storedMs: 0,
  channels: 1,
  silent: true,
  path: undefined,
};

describe('a call that no worker holds', () => {
  const finish = (r: ReturnType<typeof region>, epoch = 1): StorageTask => ({
    kind: 'finish-call',
    job: { ...r.job, epoch, notes: ['the host names another edge'] },
    status: 'failed',
    cause: 'no worker of ie1 took the call within 30 s',
    endedAt: r.job.createdAt + 30_000,
    diagnostics: [failure(31000, 'nobody was there')],
    timeline: [{ at: '2026-01-01T00:00:30.000Z', type: 'hangup', by: 'platform', cause: 'gave up' }],
  });

  it('gets a record, a timeline and its callback, once', async () => {
    const r = region();
    await r.config.saveNumber(
      numberConfig(1, { phoneNumberSid: CALLED_NUMBER, statusCallback: 'https://example.com/status' }),
    );
    for (const attempt of [FIRST, LAST]) await r.tasks.store(finish(r), attempt);
    const record = await r.store.fetch(r.job.callSid);
    expect(record).toMatchObject({
      status: 'failed',
      worker: null,
      duration: '0',
      diagnostics: [{ code: 31000 }],
    });
    expect(record && (await r.stored(callRecordKey(record)))).toEqual(record);
    expect((await r.store.timeline(r.job.callSid)).map(({ type }) => type)).toEqual([
      'call-received',
      'note',
      'routed',
      'hangup',
      'diagnostic',
      'call-ended',
    ]);
    expect(r.callbacks.added).toMatchObject([{ kind: 'status-callback', params: { CallStatus: 'failed' } }]);
  });

  it('keeps what its lost worker had written', async () => {
    const r = region();
    const { job } = r;
    await r.store.save({ ...newCallRecord(job), worker: 'w1', queue_time: '7' });
    await r.store.appendTimeline(job.callSid, [
      {
        at: '2026-01-01T00:00:00.000Z',
        type: 'call-received',
        edge: 'dublin',
        from: 'a',
        to: 'b',
        source: 'c',
        transport: 'udp',
        request_uri: 'd',
      },
    ]);
    await r.tasks.store(finish(r), FIRST);
    expect(await r.store.fetch(job.callSid)).toMatchObject({
      status: 'failed',
      worker: 'w1',
      queue_time: '7',
    });
    expect((await r.store.timeline(job.callSid)).map(({ type }) => type)).toEqual([
      'call-received',
      'hangup',
      'diagnostic',
      'call-ended',
    ]);
  });

  it('is left to the worker that took it over', async () => {
    const r = region();
    await r.store.save({ ...newCallRecord(r.job), worker: 'w2', epoch: 2 });
    await r.tasks.store(finish(r), FIRST);
    expect(await r.store.fetch(r.job.callSid)).toMatchObject({ status: 'ringing', worker: 'w2' });
    expect(await r.objects()).toEqual([]);
  });

  it('keeps the end that its worker wrote', async () => {
    const r = region();
    const ended: CallRecord = endRecord(
      newCallRecord(r.job),
      { status: 'completed', cause: 'done' },
      r.job.createdAt,
    );
    await r.store.save(ended);
    await r.tasks.store(finish(r), FIRST);
    expect(await r.store.fetch(r.job.callSid)).toEqual(ended);
    expect(await r.objects()).toHaveLength(2);
  });
});

describe('a call that we made and no worker holds', () => {
  it('is ended and told under the number that its journal names', async () => {
    const r = region();
    const job: OutboundJob = {
      callSid: sid('CA', 77),
      epoch: 1,
      accountSid: r.job.accountSid,
      region: 'ie1',
      direction: 'outbound-dial',
      parentCallSid: sid('CA', 76),
      from: '+353861234567',
      to: 'sip:kate@example.com',
      createdAt: r.clock.now(),
      notes: [],
      egressEdge: 'dublin',
    };
    const statusCallback = { url: 'https://example.com/progress', method: 'POST', events: ['completed'] };
    await r.store.update(job.callSid, {
      record: { ...newCallRecord(job), status: 'ringing', worker: 'worker-1' },
      journal: JSON.stringify({ statusCallback, told: 2 }),
    });
    const task: StorageTask = {
      kind: 'finish-call',
      job,
      status: 'failed',
      cause: 'its worker was lost',
      endedAt: r.clock.now() + 500,
      diagnostics: [],
      timeline: [],
    };
    await r.tasks.store(task, FIRST);
    await r.tasks.store(task, FIRST);
    expect(await r.stored(callRecordKey({ ...job }))).toMatchObject({
      status: 'failed',
      cause: 'its worker was lost',
      parent_call_sid: job.parentCallSid,
      egress_edge: 'dublin',
    });
    expect(r.callbacks.added).toMatchObject([
      {
        url: 'https://example.com/progress',
        params: { CallStatus: 'failed', SequenceNumber: '2', ParentCallSid: job.parentCallSid },
      },
    ]);
  });

  it('says of a caller id that its code was typed before the worker was lost', async () => {
    const r = region();
    const job: OutboundJob = {
      callSid: sid('CA', 79),
      epoch: 1,
      accountSid: r.job.accountSid,
      region: 'ie1',
      direction: 'outbound-api',
      parentCallSid: null,
      from: '+15105550100',
      to: '+12025550143',
      createdAt: r.clock.now(),
      notes: [],
      egressEdge: 'dublin',
    };
    const { accountSid, callSid, to: phoneNumber } = job;
    const callerId = {
      sid: sid('PN', 9),
      accountSid,
      phoneNumber,
      friendlyName: '',
      createdAt: 0,
      updatedAt: 0,
    };
    await r.config.records.callerIds.create({ ...callerId, validation: { callSid, code: '12' } });
    const statusCallback = { url: 'https://example.com/progress', method: 'POST', events: ['completed'] };
    await r.store.update(callSid, {
      record: { ...newCallRecord(job), status: 'in-progress', worker: 'worker-1' },
      journal: JSON.stringify({ statusCallback, told: 0, validationCode: '12' }),
      events: ['1', '2'].map((digit) => ({ at: '2026-01-01T00:00:00.000Z', type: 'dtmf', digit })),
    });
    const end = { status: 'completed', cause: 'lost', endedAt: r.clock.now() } as const;
    await r.tasks.store({ kind: 'finish-call', job, ...end, diagnostics: [], timeline: [] }, FIRST);
    expect(r.callbacks.added).toMatchObject([
      { params: { VerificationStatus: 'success', OutgoingCallerIdSid: callerId.sid } },
    ]);
  });

  it.each([
    ['told when its worker was lost before it wrote a journal', 'worker-1', 1],
    ['not told when it never left the queue', null, 0],
  ])('is %s', async (_, worker, told) => {
    const r = region();
    const job: OutboundJob = {
      callSid: sid('CA', 78),
      epoch: 1,
      accountSid: r.job.accountSid,
      region: 'ie1',
      direction: 'outbound-api',
      parentCallSid: null,
      from: 'lighthouse',
      to: 'sip:kate@example.com',
      createdAt: r.clock.now(),
      notes: [],
      egressEdge: null,
    };
    const statusCallback = { url: 'https://example.com/progress', method: 'POST', events: ['completed'] };
    await r.store.update(job.callSid, {
      record: { ...newCallRecord(job), worker },
      journal: JSON.stringify({ statusCallback, to: job.to }), // the order itself
    });
    const end = { status: 'canceled', cause: 'over', endedAt: r.clock.now() } as const;
    await r.tasks.store({ kind: 'finish-call', job, ...end, diagnostics: [], timeline: [] }, FIRST);
    expect(r.callbacks.added).toHaveLength(told);
  });
});

/** A call of an application that `<Dial>` called, as its worker left it. */
async function lostApplication(r: ReturnType<typeof region>, parentCallSid: string, n: number) {
  const job: OutboundJob = {
    callSid: sid('CA', n),
    epoch: 1,
    accountSid: r.job.accountSid,
    region: 'ie1',
    direction: 'outbound-dial',
    parentCallSid,
    from: '+353861234567',
    to: sid('AP', 1),
    createdAt: r.job.createdAt + n,
    notes: [],
    egressEdge: null,
  };
  const statusCallback = { url: `https://example.com/${n}`, method: 'POST', events: ['completed'] };
  const record = answeredRecord({ ...newCallRecord(job), worker: 'w1' }, r.job.createdAt + 1_000);
  await r.store.update(job.callSid, { record, journal: JSON.stringify({ statusCallback, told: 3 }) });
  return { sid: job.callSid, told: statusCallback.url };
}

describe('an application that was with a lost worker', () => {
  const endOf = async (r: ReturnType<typeof region>, callSid: string) => ({
    record: await r.store.fetch(callSid),
    events: (await r.store.timeline(callSid)).map(({ type }) => type),
  });

  it('ends with the call that dialled it, which another worker has ended, and is told', async () => {
    const r = region();
    const parent = { ...newCallRecord(r.job), worker: 'w2', epoch: 2 };
    const child = await lostApplication(r, parent.sid, 0x101);
    const grandchild = await lostApplication(r, child.sid, 0x102);
    const endedAt = r.job.createdAt + 5_000;
    const ended = endRecord(parent, { status: 'completed', cause: 'its worker was lost' }, endedAt);
    await r.store.save(ended);
    await r.tasks.store({ kind: 'archive-call', callSid: parent.sid }, FIRST);
    for (const one of [child, grandchild]) {
      const { record, events } = await endOf(r, one.sid);
      expect(record).toMatchObject({ status: 'completed', duration: '4', end_time: ended.end_time });
      expect(record?.cause).toContain('worker w1 was lost');
      expect(events).toEqual(['hangup', 'call-ended']);
      expect(record && (await r.stored(callRecordKey(record)))).toEqual(record);
    }
    const params = { CallStatus: 'completed', SequenceNumber: '3', CallDuration: '4' };
    expect(r.callbacks.added).toMatchObject([
      { url: child.told, params: { ...params, ParentCallSid: parent.sid } },
      { url: grandchild.told, params: { ...params, ParentCallSid: child.sid } },
    ]);
  });

  it('is left alone when the worker that ends the call holds it', async () => {
    const r = region();
    const parent = { ...newCallRecord(r.job), worker: 'w1', epoch: 2 };
    const child = await lostApplication(r, parent.sid, 0x101);
    await r.store.save(endRecord(parent, { status: 'completed', cause: 'done' }, r.job.createdAt + 5_000));
    await r.tasks.store({ kind: 'archive-call', callSid: parent.sid }, FIRST);
    expect((await r.store.fetch(child.sid))?.status).toBe('in-progress');
    expect(r.callbacks.added).toEqual([]);
  });

  it('ends with a call that no other worker took', async () => {
    const r = region();
    await r.store.save({ ...newCallRecord(r.job), worker: 'w1' });
    const child = await lostApplication(r, r.job.callSid, 0x101);
    const end = { status: 'failed', cause: 'nobody took it over', endedAt: r.job.createdAt + 9_000 } as const;
    const task = { kind: 'finish-call', job: r.job, ...end, diagnostics: [], timeline: [] } as const;
    for (const attempt of [FIRST, LAST]) await r.tasks.store(task, attempt);
    expect(await r.store.fetch(child.sid)).toMatchObject({ status: 'completed', duration: '8' });
    expect(r.callbacks.added).toMatchObject([{ url: child.told }]);
  });
});

describe('a call whose worker and edge are both lost', () => {
  const lost = (callSid: string, endedAt: number) =>
    ({
      kind: 'end-lost-call',
      callSid,
      epoch: 1,
      status: 'failed',
      cause: 'both were lost',
      endedAt,
    }) as const;

  it('is ended, written down and told as its number asks', async () => {
    const r = region();
    await r.config.saveNumber(
      numberConfig(1, { phoneNumberSid: CALLED_NUMBER, statusCallback: 'https://example.com/status' }),
    );
    await r.store.save({ ...newCallRecord(r.job), worker: 'w1' });
    const task = lost(r.job.callSid, r.job.createdAt + 60_000);
    for (const attempt of [FIRST, LAST]) await r.tasks.store(task, attempt);
    const record = await r.store.fetch(r.job.callSid);
    expect(record).toMatchObject({ status: 'failed', cause: 'both were lost', duration: '0' });
    expect(record && (await r.stored(callRecordKey(record)))).toEqual(record);
    expect((await r.store.timeline(r.job.callSid)).map(({ type }) => type)).toEqual(['hangup', 'call-ended']);
    expect(r.callbacks.added).toMatchObject([
      { url: 'https://example.com/status', params: { CallStatus: 'failed' } },
    ]);
  });

  it('is told as the SIP domain asks that was called', async () => {
    const r = region();
    const job = callJob({
      createdAt: r.clock.now(),
      phoneNumberSid: null,
      route: { key: 'office', record: 'explicit', ageMs: 0 },
    });
    await r.config.records.domains.create(
      sipDomain({
        accountSid: job.accountSid,
        name: 'office',
        voiceStatusCallbackUrl: 'https://example.com/domain',
      }),
    );
    await r.store.save({ ...newCallRecord(job), worker: 'w1' });
    await r.store.appendTimeline(job.callSid, arrivalEvents(job));
    await r.tasks.store(lost(job.callSid, job.createdAt), FIRST);
    expect(r.callbacks.added).toMatchObject([{ url: 'https://example.com/domain' }]);
  });

  it('ends the applications it had dialled, and is left to whoever has taken it over', async () => {
    const r = region();
    await r.store.save({ ...newCallRecord(r.job), worker: 'w1' });
    const child = await lostApplication(r, r.job.callSid, 0x101);
    await r.store.save({ ...newCallRecord(r.job), worker: 'w2', epoch: 2 });
    await r.tasks.store(lost(r.job.callSid, r.job.createdAt), FIRST);
    expect((await r.store.fetch(r.job.callSid))?.status).toBe('ringing');
    expect((await r.store.fetch(child.sid))?.status).toBe('in-progress');
    await r.tasks.store({ ...lost(r.job.callSid, r.job.createdAt + 2_000), epoch: 2 }, FIRST);
    expect(await r.store.fetch(child.sid)).toMatchObject({ status: 'completed', duration: '1' });
    expect(r.callbacks.added).toMatchObject([{ url: child.told }]);
  });
});

describe('a recording', () => {
  let folder: string;
  let path: string;
  const statusCallback = (...events: string[]) => ({
    statusCallback: { url: 'https://example.com/recording', method: 'POST' as const, events },
  });
  const ended = (fields: Partial<RecordingEnd> = {}): RecordingEnd => ({
    reason: 'silence',
    durationMs: 2_600,
    storedMs: 1_500,
    channels: 1,
    silent: false,
    path,
    ...fields,
  });
  const exists = (file: string) =>
    access(file).then(
      () => true,
      () => false,
    );

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trunkline-spool-'));
    path = join(folder, 'a.wav');
    await writeFile(path, 'RIFF and so on');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is stored when Redis is back, and keeps its call waiting for a second at most', async () => {
    const { desk, store, storage, clock } = region();
    const away = async (): Promise<void> => {
      throw new Error('Command timed out');
    };
    const { saveRecording } = store;
    store.saveRecording = away;
    const begun = desk.begin({ statusCallback: null });
    await clock.advance(1_000);
    const { sid } = await begun;
    const finished = desk.finish(sid, ended());
    await clock.advance(2_000);
    await finished;
    expect(storage.added).toHaveLength(0);
    store.saveRecording = saveRecording;
    await clock.advance(1_000);
    await desk.settled();
    expect(await store.fetchRecording(sid)).toMatchObject({ status: 'processing' });
    expect(storage.added).toMatchObject([{ kind: 'store-recording', recordingSid: sid }]);
  });

  it('goes from the spool into the bucket, then calls back; twice changes nothing', async () => {
    const { desk, store, storage, tasks, callbacks, bucket, job, stored, clock } = region();
    const { sid, url } = await desk.begin(statusCallback('in-progress', 'completed'));
    expect(url).toBe(`http://127.0.0.1:8082/2010-04-01/Accounts/${job.accountSid}/Recordings/${sid}`);
    expect(await store.fetchRecording(sid)).toMatchObject({ status: 'in-progress', duration: '-1' });
    await clock.advance(2_600);
    await desk.finish(sid, ended());
    expect(await store.fetchRecording(sid)).toMatchObject({ status: 'processing' });
    const [task] = storage.added;
    for (const attempt of [FIRST, LAST]) if (task) await tasks.store(task, attempt);

    const record = await store.fetchRecording(sid);
    expect(record).toMatchObject({ status: 'completed', duration: '2', bytes: 14, media_url: url });
    expect(record?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await bucket.get(recordingKey(job.accountSid, sid, 'wav')))?.toString()).toBe('RIFF and so on');
    expect(await stored(recordingKey(job.accountSid, sid, 'json'))).toEqual(record);
    expect(await exists(path)).toBe(false);
    expect(callbacks.added.map(({ params }) => params['RecordingStatus'])).toEqual([
      'in-progress',
      'completed',
    ]);
    expect(callbacks.added[0]?.params).not.toHaveProperty('RecordingDuration');
    expect(callbacks.added[1]?.params).toEqual({
      AccountSid: job.accountSid,
      CallSid: job.callSid,
      RecordingSid: sid,
      RecordingUrl: url,
      RecordingStatus: 'completed',
      RecordingDuration: '2',
      RecordingChannels: '1',
      RecordingStartTime: 'Thu, 01 Jan 2026 00:00:00 +0000',
      RecordingSource: 'RecordVerb',
      RecordingTrack: 'inbound',
    });
    const events = (await store.timeline(job.callSid)).filter(({ type }) => type === 'recording-stored');
    expect(events).toMatchObject([{ recording: sid, status: 'completed', bytes: 14 }]);
  });

  it('is noted in the timeline of a call that is archived already', async () => {
    const r = region();
    const { sid } = await r.desk.begin({ statusCallback: null });
    await r.desk.finish(sid, ended());
    const record = endRecord(newCallRecord(r.job), { status: 'completed', cause: 'done' }, r.job.createdAt);
    await r.store.save(record);
    await r.tasks.store({ kind: 'archive-call', callSid: r.job.callSid }, FIRST);
    const [task] = r.storage.added;
    if (task) await r.tasks.store(task, FIRST);
    expect((await r.bucket.get(timelineKey(record)))?.toString()).toMatch(/"recording-stored"/);
  });

  it.each([
    [{ path: undefined, storedMs: 0, silent: true }, 16102],
    [{ path: undefined, storedMs: 0, silent: false }, 16101],
    [{ storedMs: 99 }, 16101],
  ])('without anything to keep is absent: %j', async (fields, code) => {
    const { desk, store, storage, tasks, callbacks, bucket, job } = region();
    const { sid } = await desk.begin(statusCallback('completed', 'absent'));
    await desk.finish(sid, ended(fields));
    const [task] = storage.added;
    if (task) await tasks.store(task, FIRST);
    expect(await store.fetchRecording(sid)).toMatchObject({ status: 'absent', error_code: code });
    expect(await bucket.stat(recordingKey(job.accountSid, sid, 'wav'))).toBeUndefined();
    expect(await bucket.stat(recordingKey(job.accountSid, sid, 'json'))).toBeDefined();
    expect(callbacks.added).toMatchObject([
      { params: { RecordingStatus: 'absent', ErrorCode: String(code) } },
    ]);
    if ('storedMs' in fields && fields.storedMs === 99) expect(await exists(path)).toBe(false);
  });

  it('calls back only for what was asked', async () => {
    const { desk, storage, tasks, callbacks } = region();
    for (const request of [statusCallback('absent'), { statusCallback: null }]) {
      const { sid } = await desk.begin(request);
      await desk.finish(sid, ended());
    }
    for (const task of storage.added) {
      await writeFile(path, 'RIFF and so on'); // one spool file serves both
      await tasks.store(task, FIRST);
    }
    expect(callbacks.added).toEqual([]);
  });

  it('is tried again while the bucket is away, fails in the end, and can still be saved', async () => {
    const memory = createMemoryBucket();
    let away = true;
    const r = region({
      ...memory,
      async putFile(...file) {
        if (away) throw new BucketError('the bucket is away', true);
        await memory.putFile(...file);
      },
    });
    const { sid } = await r.desk.begin(statusCallback('completed'));
    await r.desk.finish(sid, ended());
    const [task] = r.storage.added;
    if (!task) throw new Error('no task was added');
    await expect(r.tasks.store(task, FIRST)).rejects.toThrow(/away/);
    expect(await r.store.fetchRecording(sid)).toMatchObject({ status: 'processing' });
    await r.tasks.store(task, LAST);
    expect(await r.store.fetchRecording(sid)).toMatchObject({ status: 'failed' });
    expect(r.callbacks.added).toMatchObject([{ params: { RecordingStatus: 'failed' } }]);
    expect(r.callbacks.added[0]?.params).not.toHaveProperty('RecordingDuration');
    expect(await exists(path)).toBe(true);
    away = false;
    await r.tasks.store(task, FIRST);
    expect(await r.store.fetchRecording(sid)).toMatchObject({ status: 'completed' });
    expect(await exists(path)).toBe(false);
  });

  it('that was deleted meanwhile leaves nothing behind', async () => {
    const { desk, store, storage, tasks, objects } = region();
    const { sid } = await desk.begin({ statusCallback: null });
    await desk.finish(sid, ended());
    await store.deleteRecording(sid);
    const [task] = storage.added;
    if (task) await tasks.store(task, FIRST);
    expect(await objects()).toEqual([]);
    expect(await exists(path)).toBe(false);
  });
});

describe('a callback', () => {
  const task = (r: ReturnType<typeof region>): CallbackTask => ({
    kind: 'status-callback',
    accountSid: r.job.accountSid,
    callSid: r.job.callSid,
    url: 'https://example.com/status',
    method: 'POST',
    params: { CallStatus: 'completed' },
  });
  const types = async (r: ReturnType<typeof region>) =>
    (await r.store.timeline(r.job.callSid)).map((event) =>
      event.type === 'diagnostic' ? event.code : event.type,
    );

  it('is one signed request, noted in the timeline', async () => {
    const r = region();
    await r.tasks.callback(task(r), FIRST);
    expect(r.requests).toEqual([
      {
        url: 'https://example.com/status',
        method: 'POST',
        params: { CallStatus: 'completed' },
        purpose: 'status-callback',
        idempotencyToken: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ]);
    expect(await types(r)).toEqual(['webhook']);
  });

  it.each([
    ['text/plain', 'thank you https://a:secret@b.test', { body: 'thank you https://a:***@b.test' }],
    ['text/xml', `<Response>${'x'.repeat(3_000)}`, { body: `<Response>${'x'.repeat(1_990)}` }],
    ['audio/wav', 'RIFF', {}],
  ])('is noted with what was sent and the beginning of an answer in %s', async (contentType, body, kept) => {
    const r = region();
    const attempt = { url: 'https://example.com/status', method: 'POST', ms: 3 } as const;
    r.answer = {
      ok: true,
      response: { url: attempt.url, status: 200, contentType, body: Buffer.from(body) },
      attempts: [
        { ...attempt, attempt: 1, status: 302 },
        { ...attempt, attempt: 2, status: 200, contentType },
      ],
    };
    await r.tasks.callback(task(r), FIRST);
    const at = isoMs(r.clock.now());
    const noted = { at, type: 'webhook', ...attempt, purpose: 'status-callback', parameters: task(r).params };
    expect(await r.store.timeline(r.job.callSid)).toEqual([
      { ...noted, attempt: 1, status: 302 },
      { ...noted, attempt: 2, status: 200, content_type: contentType, ...kept },
    ]);
  });

  it('that is made again, by any process, has the same idempotency token, and another one another', async () => {
    const [r, other] = [region(), region()];
    const again = { ...task(r), params: { SequenceNumber: '1', CallStatus: 'completed' } };
    await r.tasks.callback(again, FIRST);
    await other.tasks.callback({ ...again, params: { CallStatus: 'completed', SequenceNumber: '1' } }, FIRST);
    await other.tasks.callback({ ...again, params: { ...again.params, SequenceNumber: '2' } }, FIRST);
    await other.tasks.callback({ ...again, kind: 'recording-callback' }, FIRST);
    const tokens = [...r.requests, ...other.requests].map(({ idempotencyToken }) => idempotencyToken);
    expect(tokens[1]).toBe(tokens[0]);
    expect(new Set(tokens).size).toBe(3);
  });

  it('that is answered with an error is a warning, not a retry', async () => {
    const r = region();
    const refused = {
      url: 'https://example.com/status',
      method: 'POST',
      attempt: 1,
      ms: 3,
      status: 500,
    } as const;
    r.answer = { ok: false, diagnostic: failure(11200, 'status 500'), attempts: [refused] };
    await r.tasks.callback(task(r), FIRST);
    expect(await types(r)).toEqual(['webhook', 15003]);
  });

  it('that cannot be delivered is tried again, and given up with a warning', async () => {
    const r = region();
    const failed = {
      url: 'https://example.com/status',
      method: 'POST',
      attempt: 1,
      ms: 3,
      error: 'refused',
    } as const;
    r.answer = { ok: false, diagnostic: failure(11200, 'connection refused'), attempts: [failed] };
    await expect(r.tasks.callback(task(r), FIRST)).rejects.toThrow(/connection refused/);
    await r.clock.advance(1_000);
    await r.tasks.callback(task(r), LAST);
    expect(await types(r)).toEqual(['webhook', 'webhook', 15003]);
  });
});
