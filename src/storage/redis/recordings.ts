import { recordingKey } from '../../call/keys.ts';
import { FINISHED_RECORDINGS, type RecordingRecord } from '../../call/record.ts';
import type { Facets, FinishedKind } from './finished-records.ts';

interface RecordingFacets extends Facets {
  readonly callSid: string;
}

/** The recordings of a Region's calls. */
export const RECORDINGS: FinishedKind<RecordingRecord, RecordingFacets> = {
  name: 'recordings',
  owners: 'of-calls',
  sidOf: ({ sid }) => sid,
  facetsOf: ({ account_sid, call_sid, created_at_ms }) => ({
    accountSid: account_sid,
    callSid: call_sid,
    createdAt: created_at_ms,
  }),
  ownerOf: ({ callSid }) => callSid,
  isFinished: ({ status }) => FINISHED_RECORDINGS.has(status),
  objectKey: (accountSid, sid) => recordingKey(accountSid, sid, 'json'),
  write: (recording) => JSON.stringify(recording),
  read: (text) => JSON.parse(text),
};
