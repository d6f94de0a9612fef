import type { HttpMethod } from '../config/port.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { CallJob } from './job.ts';
import type { CallStatus } from './record.ts';
import type { TimelineEvent } from './timeline.ts';
import type { TranscriptionOrder } from './transcription.ts';

/** Work of `recordings-<region>`: everything that ends as objects in the Region's bucket. */
export type StorageTask =
  /** Uploads a finished recording's spool file (WAV), writes its record, removes the file, calls back. */
  | {
      readonly kind: 'store-recording';
      readonly recordingSid: string;
      /** Null: there is nothing to upload, only a record of why. */
      readonly path: string | null;
      readonly callback: CallbackTask | null;
      /** Transcribes it then. Absent: nobody asked. */
      readonly transcription?: TranscriptionTask;
    }
  /** Ends recordings that a lost worker began in a call that goes on: stored as far as they went. */
  | {
      readonly kind: 'recover-recordings';
      readonly callSid: string;
      readonly worker: string;
      readonly recordingSids: readonly string[];
    }
  /** Writes down what is said in a stored recording, keeps that in the bucket, calls back. */
  | {
      readonly kind: 'transcribe-recording';
      readonly recordingSid: string;
      readonly transcription: TranscriptionTask;
    }
  /** Writes the record and the timeline of an ended call from the Region's call store, then archives it. */
  | { readonly kind: 'archive-call'; readonly callSid: string }
  /** The same for calls that ended together. */
  | { readonly kind: 'archive-calls'; readonly callSids: readonly string[] }
  /** An edge gave a call up that no worker holds: ends its record (making one when there is none), then archives. */
  | {
      readonly kind: 'finish-call';
      readonly job: CallJob;
      readonly status: CallStatus;
      readonly cause: string;
      readonly endedAt: number;
      readonly diagnostics: readonly Diagnostic[];
      readonly timeline: readonly TimelineEvent[];
    }
  /**
   * A call is lost that no edge gave up, because none has it: its record is ended unless it has another owner by then,
   * told, then archived.
   */
  | {
      readonly kind: 'end-lost-call';
      readonly callSid: string;
      readonly epoch: number;
      readonly status: CallStatus;
      readonly cause: string;
      readonly endedAt: number;
    };

/** A transcription that was asked for, under the SID that it will have. */
export interface TranscriptionTask extends TranscriptionOrder {
  readonly sid: string;
}

/** Work of `callbacks-<region>`: one signed request whose answer is ignored. */
export interface CallbackTask {
  readonly kind: 'status-callback' | 'recording-callback' | 'transcription-callback';
  readonly accountSid: string;
  readonly callSid: string;
  readonly url: string;
  readonly method: HttpMethod;
  readonly params: Readonly<Record<string, string>>;
}

/** Our choice: beyond the connection policy of the URL, an unreachable application is tried again briefly. */
export const CALLBACK_ATTEMPTS = { attempts: 3, backoffMs: 1_000 } as const;

/** Our choice: a bucket that is away for a quarter of an hour costs no recording. */
export const STORAGE_ATTEMPTS = { attempts: 20, backoffMs: 500 } as const;
