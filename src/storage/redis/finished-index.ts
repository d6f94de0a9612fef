import type { Redis } from 'ioredis';
import type { RecordingRecord } from '../../call/record.ts';
import type { Transcription } from '../../call/transcription.ts';
import { facetsOf } from '../call-filter.ts';
import type { FinishedIndex } from '../ports.ts';
import type { Facets, FinishedRecords } from './finished-records.ts';
import { INDEX_CALL } from './scripts.ts';

export interface FinishedIndexKeys {
  readonly redis: Redis;
  /** A flag beside the index: whatever loses the index loses it too. */
  readonly whole: string;
  /** Hash: call → facets. */
  readonly facets: string;
  /** Sorted set of an account's calls. */
  readonly indexOf: (accountSid: string) => string;
}

/** The index of a Redis call store, as it is made again from the bucket. */
export function createFinishedIndex<R extends Facets, T extends Facets>(
  { redis, whole, facets, indexOf }: FinishedIndexKeys,
  recordings: FinishedRecords<RecordingRecord, R>,
  transcriptions: FinishedRecords<Transcription, T>,
): FinishedIndex {
  return {
    isWhole: async () => (await redis.exists(whole)) === 1,
    async markWhole() {
      await redis.set(whole, '1');
    },
    async unknownCalls(sids) {
      if (sids.length === 0) return [];
      const known = await redis.hmget(facets, ...sids);
      return sids.filter((_, n) => known[n] === null);
    },
    unknownRecordings: (sids) => recordings.unknown(sids),
    unknownTranscriptions: (sids) => transcriptions.unknown(sids),
    async addCall(record) {
      const keys = [facets, indexOf(record.account_sid)];
      const known = JSON.stringify(facetsOf(record));
      await INDEX_CALL.run(redis, keys, record.sid, known, record.created_at_ms);
    },
    addRecording: (recording) => recordings.index(recording),
    addTranscription: (transcription) => transcriptions.index(transcription),
  };
}
