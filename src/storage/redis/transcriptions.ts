import { transcriptionKey } from '../../call/keys.ts';
import { parseTranscription, type Transcription, transcriptionText } from '../../call/transcription.ts';
import type { RegionId } from '../../region/region.ts';
import type { Facets, FinishedKind } from './finished-records.ts';

interface TranscriptionFacets extends Facets {
  readonly recordingSid: string;
}

/** The texts of a Region's recordings. */
export function transcriptionKind(region: RegionId): FinishedKind<Transcription, TranscriptionFacets> {
  return {
    name: 'transcriptions',
    owners: 'of-recordings',
    sidOf: ({ sid }) => sid,
    facetsOf: ({ accountSid, recordingSid, createdAt }) => ({ accountSid, recordingSid, createdAt }),
    ownerOf: ({ recordingSid }) => recordingSid,
    isFinished: ({ status }) => status !== 'in-progress',
    objectKey: transcriptionKey,
    write: (transcription) => transcriptionText(transcription, region),
    read: parseTranscription,
  };
}
