import type { LegEndCause, RecordingEnd } from '../port.ts';

/** What happened on a simulated leg, as its peer would tell it. Times are milliseconds since the leg began. */
export type Heard =
  | { readonly at: number; readonly kind: 'answered' }
  /** A provisional response: of ours with audio, or of a peer that we call. */
  | { readonly at: number; readonly kind: 'progress'; readonly status: number }
  /** A clip, or as much of it as was played before it was cut short. */
  | {
      readonly at: number;
      readonly kind: 'played';
      readonly clip: string;
      readonly ms: number;
      readonly cut: boolean;
      /** How long of it its peer was on hold and heard nothing. */
      readonly onHold?: number;
    }
  | { readonly at: number; readonly kind: 'digits'; readonly digits: string }
  | { readonly at: number; readonly kind: 'pressed'; readonly key: string; readonly onHold?: true }
  | {
      readonly at: number;
      readonly kind: 'spoke';
      readonly ms: number;
      readonly said?: string;
      readonly onHold?: true;
    }
  /** The peer put the call on hold; took it off hold. */
  | { readonly at: number; readonly kind: 'held' | 'resumed' }
  /** It heard itself. */
  | { readonly at: number; readonly kind: 'echo'; readonly said: string; readonly ms: number }
  /** The other party of a bridge said something, or pressed a key. */
  | { readonly at: number; readonly kind: 'voice'; readonly said: string; readonly ms: number }
  | { readonly at: number; readonly kind: 'key'; readonly key: string }
  /** The peer sent REFER; was told how far it has come; got a REFER. */
  | { readonly at: number; readonly kind: 'asked-for'; readonly referTo: string }
  | { readonly at: number; readonly kind: 'notified'; readonly status: number }
  | { readonly at: number; readonly kind: 'referred'; readonly uri: string }
  | {
      readonly at: number;
      readonly kind: 'recorded';
      readonly sid: string;
      readonly reason: RecordingEnd['reason'];
      readonly ms: number;
    }
  | {
      readonly at: number;
      readonly kind: 'ended';
      readonly cause: LegEndCause;
      readonly sipStatus: number | undefined;
    };
