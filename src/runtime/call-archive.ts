import { callRecordKey, recordingKey, timelineKey } from '../call/keys.ts';
import type { CallRecord, RecordingRecord } from '../call/record.ts';
import type { TimelineEvent } from '../call/timeline.ts';
import type { Bucket, CallStore } from '../storage/ports.ts';

/** Writes ended calls into the Region's bucket and keeps their timeline complete afterwards. */
export interface CallArchive {
  /** Stores record and timeline, then takes the call out of the live ones. May be run again. */
  archive(record: CallRecord): Promise<void>;
  /** Adds events to a call's timeline, whether it is live or archived; one that is there is not added again. */
  addEvents(callSid: string, events: readonly TimelineEvent[]): Promise<void>;
  putRecording(record: RecordingRecord): Promise<void>;
}

export function createCallArchive(store: CallStore, bucket: Bucket): CallArchive {
  /** Work on one call's objects, in order: a timeline is read, extended and written as a whole. */
  const chains = new Map<string, Promise<void>>();
  const inOrder = (callSid: string, work: () => Promise<void>): Promise<void> => {
    const before = chains.get(callSid) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.then(
      () => {},
      () => {}, // reported to whoever asked for the work
    );
    chains.set(callSid, settled);
    settled.then(() => {
      if (chains.get(callSid) === settled) chains.delete(callSid);
    });
    return mine;
  };

  const putTimeline = (record: CallRecord, events: readonly TimelineEvent[]) =>
    bucket.put(
      timelineKey(record),
      events.map((event) => `${JSON.stringify(event)}\n`).join(''),
      'application/x-ndjson',
    );

  const putRecording = (record: RecordingRecord) =>
    bucket.put(
      recordingKey(record.account_sid, record.sid, 'json'),
      JSON.stringify(record),
      'application/json',
    );

  return {
    putRecording,

    archive: (record) =>
      inOrder(record.sid, async () => {
        await Promise.all([
          putTimeline(record, await store.timeline(record.sid)),
          bucket.put(callRecordKey(record), JSON.stringify(record), 'application/json'),
        ]);
        await store.archived(record);
      }),

    addEvents: (callSid, events) =>
      inOrder(callSid, async () => {
        const timeline = await store.timeline(callSid);
        const missing = absentFrom(timeline, events);
        if (missing.length === 0 || (await store.appendTimeline(callSid, missing))) return;
        const record = await store.fetch(callSid);
        if (record) await putTimeline(record, [...timeline, ...missing]);
      }),
  };
}

function absentFrom(
  timeline: readonly TimelineEvent[],
  events: readonly TimelineEvent[],
): readonly TimelineEvent[] {
  const present = new Set(timeline.map((event) => JSON.stringify(event)));
  return events.filter((event) => !present.has(JSON.stringify(event)));
}
