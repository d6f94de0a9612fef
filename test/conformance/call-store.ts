import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callRecordKey, recordingKey, timelineKey, transcriptionKey } from '../../src/call/keys.ts';
import type { CallRecord } from '../../src/call/record.ts';
import type { TimelineEvent } from '../../src/call/timeline.ts';
import { transcriptionText } from '../../src/call/transcription.ts';
import type { Bucket, CallStore } from '../../src/storage/ports.ts';
import { ACCOUNT, callRecord, recordingRecord, sid, transcriptionOf } from '../support/call-record.ts';
import { putFinished } from '../support/finished-objects.ts';
import { until } from '../support/until.ts';

export interface CallStoreBackend {
  readonly store: CallStore;
  /** Where `archive` writes; the store reads finished records from it when it must. */
  readonly bucket: Bucket;
  tearDown(): Promise<void>;
}

/** How a call is archived: objects first, then the index. */
export async function archive({ store, bucket }: CallStoreBackend, record: CallRecord): Promise<void> {
  const lines = (await store.timeline(record.sid)).map((event) => `${JSON.stringify(event)}\n`);
  await bucket.put(timelineKey(record), lines.join(''), 'application/x-ndjson');
  await bucket.put(callRecordKey(record), JSON.stringify(record), 'application/json');
  await store.archived(record);
}

const event = (message: string): TimelineEvent => ({ at: '2026-11-03T09:30:00.000Z', type: 'note', message });
const sids = (page: { items: readonly { sid: string }[] }) => page.items.map((item) => item.sid);
const ended = (record: CallRecord): CallRecord => ({ ...record, status: 'completed', duration: '3' });

/** What every CallStore does. `setUp` makes one that caches few records, so that the bucket is read as well. */
export function callStoreConformance(name: string, setUp: () => Promise<CallStoreBackend>): void {
  describe(`CallStore: ${name}`, () => {
    let backend: CallStoreBackend;
    let store: CallStore;
    beforeEach(async () => {
      backend = await setUp();
      store = backend.store;
    });
    afterEach(async () => {
      await store.close();
      await backend.tearDown();
    });

    it('keeps live records and replaces them', async () => {
      const record = callRecord(1, { from: 'sip:zoë@example.com', caller_name: '"Zoë"' });
      await store.save(record);
      expect(await store.fetch(record.sid)).toEqual(record);
      const answered = { ...record, status: 'in-progress' } as const;
      await store.save(answered);
      expect(await store.fetch(record.sid)).toEqual(answered);
      expect(await store.fetch(sid('CA', 99))).toBeUndefined();
    });

    it('finds archived calls, however old, with their timeline', async () => {
      for (let n = 1; n <= 8; n++) {
        await store.save(callRecord(n));
        await store.appendTimeline(sid('CA', n), [event(`call ${n}`)]);
        await archive(backend, ended(callRecord(n)));
      }
      for (let n = 1; n <= 8; n++) {
        expect(await store.fetch(sid('CA', n))).toEqual(ended(callRecord(n)));
        expect(await store.timeline(sid('CA', n))).toEqual([event(`call ${n}`)]);
      }
      expect(sids(await store.list(ACCOUNT, {}, 0, 50))).toEqual(
        [8, 7, 6, 5, 4, 3, 2, 1].map((n) => sid('CA', n)),
      );
    });

    it('lists newest first, a page at a time', async () => {
      for (const n of [3, 1, 5, 2, 4]) await store.save(callRecord(n));
      const first = await store.list(ACCOUNT, {}, 0, 2);
      expect(sids(first)).toEqual([sid('CA', 5), sid('CA', 4)]);
      expect(first.hasMore).toBe(true);
      const last = await store.list(ACCOUNT, {}, 4, 2);
      expect(sids(last)).toEqual([sid('CA', 1)]);
      expect(last.hasMore).toBe(false);
      expect(await store.list(ACCOUNT, {}, 9, 2)).toEqual({ items: [], hasMore: false });
      expect((await store.list(ACCOUNT, {}, 3, 2)).hasMore).toBe(false);
    });

    it('keeps accounts apart', async () => {
      const other = `AC${'b'.repeat(32)}`;
      await store.save(callRecord(1));
      await store.save(callRecord(2, { account_sid: other }));
      expect(sids(await store.list(ACCOUNT, {}, 0, 50))).toEqual([sid('CA', 1)]);
      expect(sids(await store.list(other, {}, 0, 50))).toEqual([sid('CA', 2)]);
    });

    it('filters by each field, over live and archived calls', async () => {
      await archive(backend, ended(callRecord(1, { from: '+1', to: '+9' })));
      await archive(backend, ended(callRecord(2, { from: '+2', to: '+9' })));
      await store.save(callRecord(3, { from: '+1', to: '+8', parent_call_sid: sid('CA', 2) }));
      const listed = async (filter: Parameters<CallStore['list']>[1]) =>
        sids(await store.list(ACCOUNT, filter, 0, 50)).map((s) => Number.parseInt(s.slice(2), 16));
      expect(await listed({ from: '+1' })).toEqual([3, 1]);
      expect(await listed({ to: '+9' })).toEqual([2, 1]);
      expect(await listed({ from: '+1', to: '+9' })).toEqual([1]);
      expect(await listed({ status: 'completed' })).toEqual([2, 1]);
      expect(await listed({ parentCallSid: sid('CA', 2) })).toEqual([3]);
      expect(await listed({ status: 'busy' })).toEqual([]);
      const at = (n: number) => callRecord(n).created_at_ms;
      expect(await listed({ createdFrom: at(2) })).toEqual([3, 2]);
      expect(await listed({ createdBefore: at(2) })).toEqual([1]);
      expect(await listed({ createdFrom: at(1), createdBefore: at(3), from: '+2' })).toEqual([2]);
      expect((await store.list(ACCOUNT, { from: '+1' }, 0, 1)).hasMore).toBe(true);
      expect(sids(await store.list(ACCOUNT, { from: '+1' }, 1, 1))).toEqual([sid('CA', 1)]);
    });

    it('keeps a timeline in order', async () => {
      await store.save(callRecord(1));
      expect(await store.appendTimeline(sid('CA', 1), [event('a'), event('b')])).toBe(true);
      await store.appendTimeline(sid('CA', 1), []);
      await store.appendTimeline(sid('CA', 1), [event('c')]);
      expect(await store.timeline(sid('CA', 1))).toEqual([event('a'), event('b'), event('c')]);
      expect(await store.timeline(sid('CA', 2))).toEqual([]);
    });

    it('keeps the last journal until the call is archived', async () => {
      await store.save(callRecord(1));
      expect(await store.journal(sid('CA', 1))).toBeUndefined();
      await store.update(sid('CA', 1), { journal: '{"verb":0}' });
      await store.update(sid('CA', 1), { journal: '{"verb":1}' });
      expect(await store.journal(sid('CA', 1))).toBe('{"verb":1}');
      await archive(backend, ended(callRecord(1)));
      expect(await store.journal(sid('CA', 1))).toBeUndefined();
    });

    it('stores what is new about a call together, and leaves the rest as it is', async () => {
      const record = callRecord(1);
      await store.update(record.sid, { record, journal: '{"verb":0}', events: [event('a')] });
      await store.update(record.sid, { events: [event('b'), event('c')] });
      await store.update(record.sid, { record: { ...record, status: 'in-progress' } });
      await store.update(record.sid, {});
      expect(await store.fetch(record.sid)).toEqual({ ...record, status: 'in-progress' });
      expect(await store.journal(record.sid)).toBe('{"verb":0}');
      expect(await store.timeline(record.sid)).toEqual([event('a'), event('b'), event('c')]);
      expect(sids(await store.list(ACCOUNT, {}, 0, 50))).toEqual([record.sid]);
    });

    it('never brings an archived call back to life', async () => {
      await store.save(callRecord(1, { worker: 'w1' }));
      await store.appendTimeline(sid('CA', 1), [event('in time')]);
      await archive(backend, ended(callRecord(1)));
      await store.save(callRecord(1, { worker: 'w1' }));
      expect(await store.appendTimeline(sid('CA', 1), [event('too late')])).toBe(false);
      await store.update(sid('CA', 1), { record: callRecord(1), journal: '{}', events: [event('too late')] });
      expect((await store.fetch(sid('CA', 1)))?.status).toBe('completed');
      expect(await store.timeline(sid('CA', 1))).toEqual([event('in time')]);
      expect(await store.journal(sid('CA', 1))).toBeUndefined();
      expect(await store.orphans()).toEqual([]);
    });

    it('forgets an archived call, and no live one', async () => {
      await store.save(callRecord(1));
      await store.save(callRecord(2));
      expect(await store.removeCall(sid('CA', 1))).toBe(false);
      await archive(backend, ended(callRecord(1)));
      expect(await store.removeCall(sid('CA', 1))).toBe(true);
      expect(await store.removeCall(sid('CA', 9))).toBe(true);
      expect(await store.fetch(sid('CA', 1))).toBeUndefined();
      expect(await store.timeline(sid('CA', 1))).toEqual([]);
      expect(sids(await store.list(ACCOUNT, {}, 0, 50))).toEqual([sid('CA', 2)]);
    });

    it('archives a call twice without a trace', async () => {
      await store.save(callRecord(1));
      await archive(backend, ended(callRecord(1)));
      await store.archived(ended(callRecord(1)));
      expect(sids(await store.list(ACCOUNT, {}, 0, 50))).toEqual([sid('CA', 1)]);
    });

    it('finds live calls of workers that fell silent and queued ones that nobody has, and no others', async () => {
      await store.save(callRecord(1, { worker: 'alive' }));
      await store.save(callRecord(2, { worker: 'silent' }));
      await store.save(callRecord(3));
      await store.save(callRecord(4, { status: 'queued' }));
      await store.heartbeat('alive', 60_000);
      await store.heartbeat('silent', 1);
      await until('the heartbeat runs out', async () => (await store.orphans()).length === 2);
      const orphans = (await store.orphans()).map((call) => call.sid);
      expect(orphans.sort()).toEqual([sid('CA', 2), sid('CA', 4)]);
      expect(await store.workers()).toEqual(['alive']);
    });

    it('keeps, lists and deletes recordings', async () => {
      const finished = { status: 'completed', duration: '2', bytes: 32_044, sha256: 'ff' } as const;
      for (let n = 1; n <= 6; n++) {
        await store.saveRecording(recordingRecord(n, n % 2));
        const record = recordingRecord(n, n % 2, finished);
        await backend.bucket.put(
          recordingKey(ACCOUNT, record.sid, 'json'),
          JSON.stringify(record),
          'application/json',
        );
        await store.saveRecording(record);
      }
      await store.saveRecording(recordingRecord(7, 1));
      for (let n = 1; n <= 6; n++) {
        expect(await store.fetchRecording(sid('RE', n))).toEqual(recordingRecord(n, n % 2, finished));
      }
      expect(await store.fetchRecording(sid('RE', 7))).toEqual(recordingRecord(7, 1));
      const all = await store.listRecordings(ACCOUNT, {}, 0, 5);
      expect(sids(all)).toEqual([7, 6, 5, 4, 3].map((n) => sid('RE', n)));
      expect(all.hasMore).toBe(true);
      const ofCall = await store.listRecordings(ACCOUNT, { callSid: sid('CA', 1) }, 1, 2);
      expect(sids(ofCall)).toEqual([sid('RE', 5), sid('RE', 3)]);
      expect(ofCall.hasMore).toBe(true);
      const at = (n: number) => recordingRecord(n, 1).created_at_ms;
      const some = await store.listRecordings(ACCOUNT, { createdFrom: at(2), createdBefore: at(4) }, 0, 9);
      expect(sids(some)).toEqual([sid('RE', 3), sid('RE', 2)]);
      expect(
        sids(await store.listRecordings(`AC${'b'.repeat(32)}`, { callSid: sid('CA', 1) }, 0, 9)),
      ).toEqual([]);

      for (const n of [1, 7]) await store.deleteRecording(sid('RE', n));
      await store.deleteRecording(sid('RE', 99));
      expect(await store.fetchRecording(sid('RE', 1))).toBeUndefined();
      expect(await store.fetchRecording(sid('RE', 7))).toBeUndefined();
      expect(sids(await store.listRecordings(ACCOUNT, { callSid: sid('CA', 1) }, 0, 9))).toEqual(
        [5, 3].map((n) => sid('RE', n)),
      );
    });

    it('never makes a finished recording or transcription unfinished again', async () => {
      for (const status of ['completed', 'absent', 'failed'] as const) {
        const done = recordingRecord(1, 1, { status });
        await store.saveRecording(done);
        for (const late of ['in-progress', 'paused', 'processing'] as const) {
          await store.saveRecording(recordingRecord(1, 1, { status: late }));
        }
        expect((await store.fetchRecording(done.sid))?.status).toBe(status);
      }
      await store.saveTranscription(transcriptionOf(1, 1, { status: 'failed' }));
      await store.saveTranscription(transcriptionOf(1, 1));
      expect((await store.fetchTranscription(sid('TR', 1)))?.status).toBe('failed');
    });

    it('keeps, lists and deletes transcriptions, however old', async () => {
      const finished = { status: 'completed', text: 'näme it' } as const;
      for (let n = 1; n <= 6; n++) {
        await store.saveTranscription(transcriptionOf(n, n % 2));
        const done = transcriptionOf(n, n % 2, finished);
        const text = transcriptionText(done, 'ie1');
        await backend.bucket.put(transcriptionKey(ACCOUNT, done.sid), text, 'application/json');
        await store.saveTranscription(done);
      }
      await store.saveTranscription(transcriptionOf(7, 1));
      for (let n = 1; n <= 6; n++) {
        expect(await store.fetchTranscription(sid('TR', n))).toEqual(transcriptionOf(n, n % 2, finished));
      }
      expect(await store.fetchTranscription(sid('TR', 7))).toEqual(transcriptionOf(7, 1));
      const numbers = async (
        filter: Parameters<CallStore['listTranscriptions']>[1],
        offset: number,
        limit: number,
      ) => {
        const page = await store.listTranscriptions(ACCOUNT, filter, offset, limit);
        return [sids(page).map((one) => Number.parseInt(one.slice(2), 16)), page.hasMore];
      };
      expect(await numbers({}, 0, 5)).toEqual([[7, 6, 5, 4, 3], true]);
      expect(await numbers({}, 5, 5)).toEqual([[2, 1], false]);
      expect(await numbers({ recordingSid: sid('RE', 1) }, 1, 2)).toEqual([[5, 3], true]);
      expect(await numbers({ createdBefore: transcriptionOf(3, 1).createdAt }, 0, 9)).toEqual([
        [2, 1],
        false,
      ]);
      const other = `AC${'b'.repeat(32)}`;
      const ofRecording = { recordingSid: sid('RE', 1) };
      expect(sids(await store.listTranscriptions(other, ofRecording, 0, 9))).toEqual([]);

      for (const n of [1, 7, 99]) await store.deleteTranscription(sid('TR', n));
      expect(await store.fetchTranscription(sid('TR', 1))).toBeUndefined();
      expect(await numbers(ofRecording, 0, 9)).toEqual([[5, 3], false]);
    });

    it('says whether its index is whole, and takes what it does not know', async () => {
      const { index } = store;
      expect(await index.isWhole()).toBe(false);
      await index.markWhole();
      expect(await index.isWhole()).toBe(true);

      await store.save(callRecord(1));
      await index.addCall(ended(callRecord(1)));
      expect(await store.fetch(sid('CA', 1))).toEqual(callRecord(1)); // live, as it was
      expect(await index.unknownCalls([sid('CA', 1), sid('CA', 2)])).toEqual([sid('CA', 2)]);
      expect(await index.unknownRecordings([sid('RE', 1)])).toEqual([sid('RE', 1)]);
      expect(await index.unknownTranscriptions([sid('TR', 1)])).toEqual([sid('TR', 1)]);
      expect(await index.unknownCalls([])).toEqual([]);

      const { calls, recordings, transcriptions } = await putFinished(backend.bucket, 3);
      for (const call of calls.slice(0, 2)) await index.addCall(call);
      for (const recording of recordings) await index.addRecording(recording);
      for (const one of transcriptions) await index.addTranscription(one);
      expect((await store.list(ACCOUNT, { status: 'completed' }, 0, 9)).items).toEqual(calls.slice(0, 2));
      expect((await store.listRecordings(ACCOUNT, { callSid: sid('CA', 2) }, 0, 9)).items).toEqual([
        recordings[1],
      ]);
      expect((await store.listTranscriptions(ACCOUNT, {}, 0, 9)).items).toEqual(transcriptions);
      expect(await index.unknownTranscriptions([sid('TR', 1)])).toEqual([]);
      expect(await store.orphans()).toEqual([]);
    });
  });
}
