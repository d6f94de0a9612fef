import type { CallJob } from '../call/job.ts';
import type { RecordingRecord } from '../call/record.ts';
import { STORAGE_ATTEMPTS, type StorageTask } from '../call/tasks.ts';
import type { TaskQueue } from '../queue/port.ts';
import type { CallStore } from '../storage/ports.ts';
import { startRecording } from '../twiml/interpreter/ordered-recording.ts';
import type { OrderableCall } from './call-directory.ts';
import { isUnfinished } from './lost-recordings.ts';
import type { CallRecordingDesk } from './recording-desk.ts';

/** Our choice: more run beside each other in no call. */
const MOST = 100;

/** What a lost worker was recording in a call that goes on, oldest first. */
export async function interruptedRecordings(
  store: CallStore,
  { accountSid, callSid }: CallJob,
): Promise<readonly RecordingRecord[]> {
  const { items } = await store.listRecordings(accountSid, { callSid }, 0, MOST);
  return items.filter(isUnfinished).reverse();
}

/** Has them stored as far as they went. */
export async function endInterrupted(
  recordings: readonly RecordingRecord[],
  lost: string,
  { callSid, epoch }: CallJob,
  storage: TaskQueue<StorageTask>,
): Promise<void> {
  if (recordings.length === 0) return;
  const recordingSids = recordings.map(({ sid }) => sid);
  await storage.add(
    { kind: 'recover-recordings', callSid, worker: lost, recordingSids },
    { id: `recover-${callSid}-${epoch}`, ...STORAGE_ATTEMPTS },
  );
}

/**
 * Goes on with those that run beside the verbs, each in a recording of its own on the same terms: what lies between is
 * recorded by nobody.
 */
export async function continueInterrupted(
  recordings: readonly RecordingRecord[],
  call: Pick<OrderableCall, 'leg' | 'timeline'>,
  desk: CallRecordingDesk,
): Promise<void> {
  const gone = new Set(recordings.map(({ continued }) => continued?.of)); // another worker went on with them, and was lost
  for (const { sid, continued, channels, track, callback = null, source, status } of recordings) {
    if (!continued || gone.has(sid) || call.leg.state !== 'answered') continue;
    const { trim, name } = continued;
    const goesOn = { ...(name !== undefined && { name }), of: sid };
    const next = await startRecording(call, desk, { channels, track, trim, callback }, source, goesOn);
    call.timeline.add({
      type: 'note',
      message: `the recording ${sid} of the lost worker goes on as ${next}`,
    });
    // The API's default: https://www.twilio.com/docs/voice/api/recording#update-a-recording-resource
    if (status === 'paused') await desk.change({ recordingSid: next, status, pauseBehavior: 'silence' });
  }
}
