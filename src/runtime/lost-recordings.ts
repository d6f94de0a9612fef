import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallRecord, RecordingRecord } from '../call/record.ts';
import { shownRecording } from '../call/recording-records.ts';
import type { Clock } from '../core/clock.ts';
import { rfc2822 } from '../core/dates.ts';
import { wavHeader } from '../media/wav.ts';
import type { CallStore } from '../storage/ports.ts';

const HEADER_BYTES = 44;
const BYTES_PER_MS = 16; // 8 kHz, 16 bit, each channel

/** A recording that a lost worker left in the spool, complete as far as it went. */
export interface RecoveredRecording {
  readonly record: RecordingRecord;
  readonly path: string;
  /** Who wants to hear of it. */
  readonly callback: RecordingRecord['callback'];
  readonly transcription: RecordingRecord['transcription'];
}

/** The recordings of an ended call that its worker did not finish. */
export interface LostRecordings {
  readonly recovered: readonly RecoveredRecording[];
  /** Of these there is no audio. */
  readonly gone: readonly RecordingRecord[];
}

/**
 * What the lost worker of a call had recorded: the spool is written as the caller speaks, so all but the last
 * moment is on disk. The recovered records are `processing` afterwards, the others stay as they are.
 *
 * @param sids absent: all that have not ended
 */
export async function recoverRecordings(
  call: CallRecord,
  parts: { readonly store: CallStore; readonly spoolDir: string; readonly clock: Clock },
  sids?: readonly string[],
): Promise<LostRecordings> {
  const { store, spoolDir, clock } = parts;
  const page = await store.listRecordings(call.account_sid, { callSid: call.sid }, 0, 1_000);
  const recovered: RecoveredRecording[] = [];
  const gone: RecordingRecord[] = [];
  for (const recording of page.items) {
    if (!isUnfinished(recording) || (sids && !sids.includes(recording.sid))) continue;
    const path = join(spoolDir, `${recording.sid}.wav`);
    const audioBytes = await closeSpoolFile(path, recording.channels);
    if (audioBytes === 0) {
      await rm(path, { force: true }); // nobody will ask for it again
      gone.push(recording);
      continue;
    }
    const { callback, transcription } = recording;
    const record: RecordingRecord = {
      ...shownRecording(recording),
      status: 'processing',
      duration: String(Math.round(audioBytes / (BYTES_PER_MS * recording.channels) / 1_000)),
      date_updated: rfc2822(clock.now()),
    };
    await store.saveRecording(record);
    recovered.push({ record, path, callback, transcription });
  }
  return { recovered, gone };
}

/** Claims that whoever began it has not ended it. */
export function isUnfinished({ status }: RecordingRecord): boolean {
  return status === 'in-progress' || status === 'paused';
}

/** Makes the header of an unfinished spool file true; returns its bytes of audio, 0 when there is nothing. */
async function closeSpoolFile(path: string, channels: 1 | 2): Promise<number> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r+');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const audioBytes = wholeFrames(Math.max(0, size - HEADER_BYTES), channels);
    if (audioBytes > 0) await file.write(wavHeader(audioBytes, channels), 0, HEADER_BYTES, 0);
    return audioBytes;
  } finally {
    await file.close();
  }
}

/** What is left of `bytes` without a sample that was written by half. */
function wholeFrames(bytes: number, channels: 1 | 2): number {
  return bytes - (bytes % (2 * channels));
}
