import type { HttpMethod } from '../config/port.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { CallJob } from './job.ts';
import type { CallStatus } from './record.ts';
import type { TimelineEvent } from './timeline.ts';

/** Work of `recordings-<region>`: everything that ends as objects in the Region's bucket. */
export type StorageTask =
  /** Uploads a finished recording's spool file (WAV), writes its record, removes the file, calls back. */
  | {
      readonly kind: 'store-recording';
      readonly recordingSid: string;
      /** Null: there is nothing to upload, only a record of why. */
      readonly path: string | null;
      readonly callback: CallbackTask | null;
    }
  /** Writes the record and the timeline of an ended call from the Region's call store, then archives it. */
  | { readonly kind: 'archive-call'; readonly callSid: string }
  /** An edge gave a call up that no worker holds: ends its record (making one when there is none), then archives. */
  | {
      readonly kind: 'finish-call';
      readonly job: CallJob;
      readonly status: CallStatus;
      readonly cause: string;
      readonly endedAt: number;
      readonly diagnostics: readonly Diagnostic[];
      readonly timeline: readonly TimelineEvent[];
    };

/** Work of `callbacks-<region>`: one signed request whose answer is ignored. */
export interface CallbackTask {
  readonly kind: 'status-callback' | 'recording-callback';
  readonly accountSid: string;
  readonly callSid: string;
  readonly url: string;
  readonly method: HttpMethod;
  readonly params: Readonly<Record<string, string>>;
}
