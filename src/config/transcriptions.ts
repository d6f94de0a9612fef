import type { Transcription } from '../call/transcription.ts';
import type { RecordKind } from './records/port.ts';

/** The texts of recordings: an index of what lies in the Region's bucket. */
export const TRANSCRIPTIONS: RecordKind<Transcription> = {
  name: 'transcriptions',
  parentOf: ({ accountSid }) => accountSid,
};
