import type { CallRecord, RecordingRecord } from '../../call/record.ts';
import { isSid } from '../../core/ids.ts';
import { invalid, notFound } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { readRecording } from './call-order.ts';
import { command } from './call-updates.ts';

/** Stands for the recording that a call is making. */
const CURRENT = 'Twilio.CURRENT';

const RUNNING: ReadonlySet<RecordingRecord['status']> = new Set(['in-progress', 'paused']);

/**
 * Begins to record a call that is in progress.
 *
 * @see https://www.twilio.com/docs/voice/api/recording#create-a-recording-resource
 * @throws ApiError
 */
export async function startRecording(
  options: RegionOptions,
  call: CallRecord,
  form: Parameters,
): Promise<RecordingRecord> {
  if (call.status !== 'in-progress') {
    throw invalid(
      21220,
      `Call ${call.sid} is ${call.status}; a recording can begin while it is in-progress.`,
    );
  }
  const recording = readRecording(form, 'do-not-trim');
  const running = await runningOf(options, call);
  if (running) {
    throw invalid(
      16108,
      `Call ${call.sid} is being recorded (${running.sid}, ${running.source}): stop that first.`,
    );
  }
  const reply = await command(options, call, { kind: 'start-recording', callSid: call.sid, recording });
  return await stored(options, reply.recordingSid ?? '');
}

/**
 * Pauses, resumes or ends a recording that a call is making.
 *
 * @see https://www.twilio.com/docs/voice/api/recording#update-a-recording-resource
 * @throws ApiError
 */
export async function changeRecording(
  options: RegionOptions,
  call: CallRecord,
  sid: string,
  form: Parameters,
): Promise<RecordingRecord> {
  const status = form.oneOf('Status', ['paused', 'in-progress', 'stopped']);
  if (!status) throw invalid(20001, 'No Status: give paused, in-progress or stopped.');
  const pauseBehavior = form.oneOf('PauseBehavior', ['skip', 'silence']) ?? 'silence';
  const recording = sid === CURRENT ? await current(options, call) : await ofCall(options, call, sid);
  if (!RUNNING.has(recording.status)) {
    throw invalid(
      16114,
      `Recording ${recording.sid} is ${recording.status}; only a running one can be changed.`,
    );
  }
  await command(options, call, {
    kind: 'change-recording',
    callSid: call.sid,
    recordingSid: recording.sid,
    status,
    pauseBehavior,
  });
  return await stored(options, recording.sid);
}

async function runningOf({ store }: RegionOptions, call: CallRecord): Promise<RecordingRecord | undefined> {
  const { items } = await store.listRecordings(call.account_sid, { callSid: call.sid }, 0, 50);
  return items.find(({ status }) => RUNNING.has(status));
}

async function current(options: RegionOptions, call: CallRecord): Promise<RecordingRecord> {
  const running = await runningOf(options, call);
  if (running) return running;
  throw notFound(`Call ${call.sid} is making no recording.`);
}

async function ofCall(options: RegionOptions, call: CallRecord, sid: string): Promise<RecordingRecord> {
  const recording = isSid(sid, 'RE') ? await options.store.fetchRecording(sid) : undefined;
  if (recording?.call_sid === call.sid) return recording;
  throw notFound(`Call ${call.sid} has no recording ${sid}.`);
}

async function stored({ store }: RegionOptions, sid: string): Promise<RecordingRecord> {
  const recording = await store.fetchRecording(sid);
  if (recording) return recording;
  throw notFound(`Recording ${sid} is not there any more.`);
}
