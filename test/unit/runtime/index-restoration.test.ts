import { beforeEach, expect, it } from 'vitest';
import { callRecordKey, recordingKey, transcriptionKey } from '../../../src/call/keys.ts';
import { VirtualClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { watchIndex } from '../../../src/runtime/index-restoration.ts';
import { createMemoryBucket } from '../../../src/storage/memory/bucket.ts';
import { createMemoryCallStore } from '../../../src/storage/memory/call-store.ts';
import type { Bucket, CallStore } from '../../../src/storage/ports.ts';
import { ACCOUNT, callRecord, recordingRecord, sid } from '../../support/call-record.ts';
import { putFinished } from '../../support/finished-objects.ts';
import { until } from '../../support/until.ts';

let clock: VirtualClock;
let store: CallStore;
let bucket: Bucket;
let read: string[];

beforeEach(() => {
  clock = new VirtualClock();
  store = createMemoryCallStore(clock);
  const memory = createMemoryBucket();
  read = [];
  bucket = Object.assign(Object.create(memory), {
    get: (key: string) => {
      read.push(key);
      return memory.get(key);
    },
  });
});

const watch = () => watchIndex({ index: store.index, bucket, clock, logger: silentLogger });
const whole = () => until('the index is whole', () => store.index.isWhole());

it('makes the index of calls, recordings and transcriptions again from the bucket', async () => {
  const { calls, recordings, transcriptions } = await putFinished(bucket, 70);
  const watching = watch();
  await whole();
  expect((await store.list(ACCOUNT, {}, 0, 100)).items).toEqual(calls);
  expect((await store.listRecordings(ACCOUNT, {}, 0, 100)).items).toEqual(recordings);
  expect((await store.listTranscriptions(ACCOUNT, {}, 0, 100)).items).toEqual(transcriptions);
  await watching.stop();
  expect(clock.pending).toBe(0);
});

it('reads what the index does not know and nothing else, and once it is whole nothing at all', async () => {
  const { calls, recordings } = await putFinished(bucket, 2);
  const live = callRecord(1, { status: 'in-progress' });
  await store.save(live);
  await store.saveRecording({ ...recordingRecord(2, 2), status: 'processing' });
  const watching = watch();
  await whole();
  expect(await store.fetch(live.sid)).toEqual(live);
  expect((await store.fetchRecording(sid('RE', 2)))?.status).toBe('processing');
  expect(read.filter((key) => !key.includes('/transcriptions/')).sort()).toEqual(
    [callRecordKey(calls[0] ?? live), recordingKey(ACCOUNT, recordings[1]?.sid ?? '', 'json')].sort(),
  );
  read = [];
  await clock.advance(60_000);
  expect(read).toEqual([]);
  await watching.stop();
});

it('leaves out what is no record and what was deleted', async () => {
  const put = (key: string, text: string) => bucket.put(key, text, 'application/json');
  await put(recordingKey(ACCOUNT, sid('RE', 1), 'json'), 'not a record');
  await put(recordingKey(ACCOUNT, sid('RE', 2), 'json'), JSON.stringify(recordingRecord(3, 3)));
  await put(
    `accounts/${ACCOUNT}/recordings/deleted/${sid('RE', 4)}.json`,
    JSON.stringify(recordingRecord(4, 4)),
  );
  await put(`accounts/${ACCOUNT}/notes.json`, '{}');
  const watching = watch();
  await whole();
  expect((await store.listRecordings(ACCOUNT, {}, 0, 9)).items).toEqual([]);
  await watching.stop();
});

it('knows the transcriptions that an earlier release kept', async () => {
  const kept = {
    account_sid: ACCOUNT,
    date_created: 'Thu, 15 Jan 2026 12:00:01 +0000',
    date_updated: 'Thu, 15 Jan 2026 12:00:05 +0000',
    duration: '7',
    recording_sid: sid('RE', 1),
    sid: sid('TR', 1),
    status: 'completed',
    transcription_text: 'hello',
  };
  await bucket.put(transcriptionKey(ACCOUNT, kept.sid), JSON.stringify(kept), 'application/json');
  const watching = watch();
  await whole();
  expect(await store.fetchTranscription(kept.sid)).toMatchObject({
    recordingSid: kept.recording_sid,
    createdAt: Date.UTC(2026, 0, 15, 12, 0, 1),
    text: 'hello',
  });
  await watching.stop();
});

it('tries again when the bucket is away, and does not call the index whole before', async () => {
  await putFinished(bucket, 1);
  let away = true;
  const list = bucket.list.bind(bucket);
  bucket.list = (prefix) => {
    if (away) throw new Error('away');
    return list(prefix);
  };
  const watching = watch();
  await clock.advance(1_000);
  expect(await store.index.isWhole()).toBe(false);
  away = false;
  await clock.advance(15_000);
  await whole();
  expect((await store.list(ACCOUNT, {}, 0, 9)).items).toHaveLength(1);
  await watching.stop();
});
