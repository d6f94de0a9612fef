import type { DtmfKey, ListenOptions, RecordingEnd, RecordOptions, SpeechEnd } from '../../leg/port.ts';
import type { Endpoint, MediaDirection, MediaFormat } from '../format.ts';
import type { RelayStats } from './port.ts';

/** What the main thread and a media thread say to each other. A `request` is answered under the same number. */

export interface RelayThreadData {
  readonly address: string;
  readonly ports: { readonly first: number; readonly last: number };
  readonly silentAfterMs: number;
}

export type RelayCommand =
  | {
      readonly type: 'open';
      readonly request: number;
      readonly handle: number;
      readonly address: string;
    }
  | {
      readonly type: 'configure';
      readonly handle: number;
      readonly remote: Endpoint;
      readonly format: MediaFormat;
      readonly direction: MediaDirection;
    }
  | { readonly type: 'attach'; readonly handle: number; readonly worker: Endpoint | undefined }
  | { readonly type: 'bridge'; readonly handle: number; readonly other: number; readonly gently: boolean }
  | { readonly type: 'unbridge'; readonly handle: number; readonly gently: boolean }
  | { readonly type: 'close'; readonly request: number; readonly handle: number }
  | { readonly type: 'census'; readonly request: number };

export type RelayReport =
  | { readonly type: 'ready'; readonly inner: Endpoint }
  | { readonly type: 'opened'; readonly request: number; readonly port: number }
  | { readonly type: 'refused'; readonly request: number; readonly problem: string }
  | { readonly type: 'silent'; readonly handle: number }
  | { readonly type: 'closed'; readonly request: number; readonly stats: RelayStats }
  | {
      readonly type: 'counted';
      readonly request: number;
      readonly census: { readonly legs: number; readonly sockets: number };
    };

export interface MediaThreadData {
  readonly address: string;
  readonly spoolDir: string;
}

export type MediaCommand =
  | { readonly type: 'clip'; readonly clip: string; readonly pcm: Int16Array<SharedArrayBuffer> }
  | { readonly type: 'drop-clip'; readonly clip: string }
  | {
      readonly type: 'open';
      readonly leg: number;
      readonly handle: number;
      readonly edge: Endpoint;
      readonly format: MediaFormat;
    }
  | { readonly type: 'configure'; readonly leg: number; readonly format: MediaFormat }
  | {
      readonly type: 'play';
      readonly request: number;
      readonly leg: number;
      readonly clip: string;
      readonly loop: boolean;
    }
  | { readonly type: 'digits'; readonly request: number; readonly leg: number; readonly digits: string }
  | { readonly type: 'cancel'; readonly request: number; readonly leg: number }
  | {
      readonly type: 'listen';
      readonly request: number;
      readonly leg: number;
      readonly options: ListenOptions;
    }
  | { readonly type: 'unlisten'; readonly request: number; readonly leg: number }
  | {
      readonly type: 'record';
      readonly request: number;
      readonly leg: number;
      readonly options: RecordOptions;
    }
  | { readonly type: 'stop'; readonly request: number; readonly leg: number }
  | {
      readonly type: 'pause';
      readonly request: number;
      readonly leg: number;
      readonly behavior: 'skip' | 'silence';
    }
  | { readonly type: 'resume'; readonly request: number; readonly leg: number }
  | { readonly type: 'echo'; readonly leg: number; readonly on: boolean }
  | { readonly type: 'bridge'; readonly leg: number; readonly other: number }
  | { readonly type: 'unbridge'; readonly leg: number }
  | { readonly type: 'close'; readonly request: number; readonly leg: number }
  | { readonly type: 'census'; readonly request: number };

export type MediaReport =
  | { readonly type: 'ready'; readonly inner: Endpoint }
  | { readonly type: 'played'; readonly request: number }
  | { readonly type: 'recorded'; readonly request: number; readonly end: RecordingEnd }
  | { readonly type: 'key'; readonly leg: number; readonly key: DtmfKey }
  | { readonly type: 'speech'; readonly request: number; readonly speech: SpeechReport }
  | { readonly type: 'closed'; readonly request: number }
  | {
      readonly type: 'counted';
      readonly request: number;
      readonly census: { readonly legs: number; readonly recordings: number; readonly clips: number };
    };

/** What somebody who listens is told. */
export type SpeechReport =
  | { readonly kind: 'began' }
  | { readonly kind: 'audio'; readonly pcm: Int16Array }
  | { readonly kind: 'ended'; readonly why: SpeechEnd };
