import { callRecordKey, recordingKey, timelineKey, transcriptionKey } from '../../src/call/keys.ts';
import type { CallRecord, RecordingRecord } from '../../src/call/record.ts';
import { type Transcription, transcriptionText } from '../../src/call/transcription.ts';
import type { Bucket } from '../../src/storage/ports.ts';
import { ACCOUNT, callRecord, recordingRecord, transcriptionOf } from './call-record.ts';

export interface FinishedObjects {
  readonly calls: readonly CallRecord[];
  readonly recordings: readonly RecordingRecord[];
  readonly transcriptions: readonly Transcription[];
}

/** Fills a bucket with as many calls, each with a recording and its text, and what lies beside them. Newest first. */
export async function putFinished(bucket: Bucket, count: number): Promise<FinishedObjects> {
  const numbers = Array.from({ length: count }, (_, n) => count - n);
  const calls = numbers.map((n) => callRecord(n, { status: 'completed', duration: '3' }));
  const recordings = numbers.map((n) => recordingRecord(n, n, { status: 'completed', duration: '2' }));
  const transcriptions = numbers.map((n) =>
    transcriptionOf(n, n, { status: 'completed', text: `what was said in ${n}` }),
  );
  const put = (key: string, text: string) => bucket.put(key, text, 'application/json');
  for (const call of calls) {
    await put(callRecordKey(call), JSON.stringify(call));
    await put(timelineKey(call), '{"at":"2026-11-03T09:30:00.000Z","type":"note","message":"a"}\n');
  }
  for (const recording of recordings) {
    await put(recordingKey(ACCOUNT, recording.sid, 'json'), JSON.stringify(recording));
    await put(recordingKey(ACCOUNT, recording.sid, 'wav'), 'RIFF');
  }
  for (const one of transcriptions)
    await put(transcriptionKey(ACCOUNT, one.sid), transcriptionText(one, 'ie1'));
  return { calls, recordings, transcriptions };
}
