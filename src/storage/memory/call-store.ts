import { type CallRecord, FINISHED_RECORDINGS, type RecordingRecord } from '../../call/record.ts';
import type { TimelineEvent } from '../../call/timeline.ts';
import type { Transcription } from '../../call/transcription.ts';
import type { Clock } from '../../core/clock.ts';
import { facetsOf, matchesCall } from '../call-filter.ts';
import { pageOf } from '../pages.ts';
import type { CallStore } from '../ports.ts';

interface Created {
  readonly sid: string;
  readonly account_sid: string;
  readonly created_at_ms: number;
}

function newestFirst<T extends Created>(records: Iterable<T>): T[] {
  return [...records].sort((a, b) => b.created_at_ms - a.created_at_ms || (a.sid < b.sid ? 1 : -1));
}

function within(
  record: Created,
  accountSid: string,
  bounds: { createdFrom?: number | undefined; createdBefore?: number | undefined },
): boolean {
  return (
    record.account_sid === accountSid &&
    record.created_at_ms >= (bounds.createdFrom ?? Number.NEGATIVE_INFINITY) &&
    record.created_at_ms < (bounds.createdBefore ?? Number.POSITIVE_INFINITY)
  );
}

/** Calls and recordings within one process: replay and tests. Keeps everything it was ever given. */
export function createMemoryCallStore(clock: Clock): CallStore {
  const live = new Map<string, CallRecord>();
  const finished = new Map<string, CallRecord>();
  const timelines = new Map<string, TimelineEvent[]>();
  const journals = new Map<string, string>();
  const recordings = new Map<string, RecordingRecord>();
  const transcriptions = new Map<string, Transcription>();
  const workers = new Map<string, number>();
  let whole = false;

  const alive = () => [...workers].filter(([, until]) => until > clock.now()).map(([worker]) => worker);

  return {
    async save(record) {
      if (!finished.has(record.sid)) live.set(record.sid, record);
    },
    async fetch(callSid) {
      return live.get(callSid) ?? finished.get(callSid);
    },
    list(accountSid, filter, offset, limit) {
      const found = newestFirst([...live.values(), ...finished.values()]).filter(
        (call) => within(call, accountSid, filter) && matchesCall(filter, facetsOf(call)),
      );
      return pageOf(found, offset, limit);
    },
    async appendTimeline(callSid, events) {
      if (finished.has(callSid)) return false;
      timelines.set(callSid, [...(timelines.get(callSid) ?? []), ...events]);
      return true;
    },
    async timeline(callSid) {
      return timelines.get(callSid) ?? [];
    },
    async archived(record) {
      live.delete(record.sid);
      journals.delete(record.sid);
      finished.set(record.sid, record);
    },
    async removeCall(callSid) {
      if (live.has(callSid)) return false;
      finished.delete(callSid);
      timelines.delete(callSid);
      return true;
    },
    async update(callSid, { record, journal, events }) {
      if (finished.has(callSid)) return;
      if (record) live.set(callSid, record);
      if (journal !== undefined) journals.set(callSid, journal);
      if (events) timelines.set(callSid, [...(timelines.get(callSid) ?? []), ...events]);
    },
    async journal(callSid) {
      return journals.get(callSid);
    },
    async saveRecording(recording) {
      const before = recordings.get(recording.sid);
      const over = before !== undefined && FINISHED_RECORDINGS.has(before.status);
      if (!over || FINISHED_RECORDINGS.has(recording.status)) recordings.set(recording.sid, recording);
    },
    async fetchRecording(recordingSid) {
      return recordings.get(recordingSid);
    },
    listRecordings(accountSid, filter, offset, limit) {
      const found = newestFirst(recordings.values()).filter(
        (recording) =>
          within(recording, accountSid, filter) &&
          (filter.callSid === undefined || filter.callSid === recording.call_sid),
      );
      return pageOf(found, offset, limit);
    },
    async deleteRecording(recordingSid) {
      recordings.delete(recordingSid);
    },
    async saveTranscription(transcription) {
      const before = transcriptions.get(transcription.sid);
      const over = before !== undefined && before.status !== 'in-progress';
      if (!over || transcription.status !== 'in-progress')
        transcriptions.set(transcription.sid, transcription);
    },
    async fetchTranscription(sid) {
      return transcriptions.get(sid);
    },
    listTranscriptions(
      accountSid,
      { recordingSid, createdBefore = Number.POSITIVE_INFINITY },
      offset,
      limit,
    ) {
      const found = [...transcriptions.values()]
        .filter((one) => one.accountSid === accountSid && one.createdAt < createdBefore)
        .filter((one) => recordingSid === undefined || one.recordingSid === recordingSid)
        .sort((a, b) => b.createdAt - a.createdAt || (a.sid < b.sid ? 1 : -1));
      return pageOf(found, offset, limit);
    },
    async deleteTranscription(sid) {
      transcriptions.delete(sid);
    },
    index: {
      isWhole: async () => whole,
      async markWhole() {
        whole = true;
      },
      unknownCalls: async (sids) => sids.filter((sid) => !live.has(sid) && !finished.has(sid)),
      unknownRecordings: async (sids) => sids.filter((sid) => !recordings.has(sid)),
      unknownTranscriptions: async (sids) => sids.filter((sid) => !transcriptions.has(sid)),
      async addCall(record) {
        if (!live.has(record.sid) && !finished.has(record.sid)) finished.set(record.sid, record);
      },
      async addRecording(recording) {
        if (!recordings.has(recording.sid)) recordings.set(recording.sid, recording);
      },
      async addTranscription(transcription) {
        if (!transcriptions.has(transcription.sid)) transcriptions.set(transcription.sid, transcription);
      },
    },
    async heartbeat(worker, ttlMs) {
      workers.set(worker, clock.now() + ttlMs);
    },
    async workers() {
      return alive();
    },
    async orphans() {
      const speaking = alive();
      return [...live.values()].filter(({ worker, status }) =>
        worker === null ? status === 'queued' : !speaking.includes(worker),
      );
    },
    async close() {},
  };
}
