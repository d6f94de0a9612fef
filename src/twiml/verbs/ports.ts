import type { TwimlChoices } from '../../call/choices.ts';
import type { CallFacts } from '../../call/facts.ts';
import type { OrderedDocument } from '../../call/orders.ts';
import type { Withdrawal } from '../../call/outcomes.ts';
import type { CallStatus, RecordingSource, RecordingTerms } from '../../call/record.ts';
import type { TimelineSink } from '../../call/timeline.ts';
import type { TranscriptionOrder } from '../../call/transcription.ts';
import type { Clock } from '../../core/clock.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import type {
  ActiveRecording,
  AudioClip,
  Bridge,
  Leg,
  OutgoingLeg,
  RecordingEnd,
  RecordTrack,
} from '../../leg/port.ts';
import type { EdgeId } from '../../region/edge.ts';
import type { SpeechToText } from '../../speech/port.ts';
import type { WebhookMethod, WebhookSession } from '../../webhook/port.ts';
import type { Parameters } from './parameters.ts';

export interface Spoken {
  readonly clip: AudioClip;
  /** What could not be honoured: a voice or language that is not installed, for one. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Where audio comes from. A failure is a diagnostic; it rejects only with the signal's reason. */
export interface AudioLibrary {
  speech(text: string, voice: { voice: string; language: string }, signal: AbortSignal): Promise<Spoken>;
  /** Fetches and decodes a `<Play>` body; cached by ETag and Last-Modified. */
  media(url: string, signal: AbortSignal): Promise<AudioClip | Diagnostic>;
  /** Decodes a webhook response that is audio itself. */
  decode(body: Buffer, contentType: string): Promise<AudioClip | Diagnostic>;
}

export interface RecordingRequest {
  /** Absent: RecordVerb. */
  readonly source?: RecordingSource;
  /** By which `<Stop>` means it. Absent: it has none. */
  readonly name?: string | undefined;
  /** Absent: 1. */
  readonly channels?: 1 | 2;
  /** Absent: inbound. */
  readonly track?: RecordTrack;
  readonly statusCallback: {
    readonly url: string;
    readonly method: WebhookMethod;
    readonly events: readonly string[];
  } | null;
  /** What is said in it is to be written down. Absent, or null: nobody asked. */
  readonly transcription?: TranscriptionOrder | null;
  /** It runs beside the verbs: another worker goes on with it. Absent: it is over with its worker. */
  readonly continued?: Pick<RecordingTerms, 'trim' | 'of'>;
}

/** Keeps recordings: their records, their way into the bucket, their status callbacks. */
export interface RecordingDesk {
  /** Registers a recording that is about to start. `url` is what webhooks are told (no suffix). */
  begin(request: RecordingRequest): Promise<{ readonly sid: string; readonly url: string }>;
  /** Tells that it has started on a leg: from now on the API can pause, resume and stop it. */
  running?(sid: string, recording: ActiveRecording): void;
  /**
   * Starts a recording that was begun, lets it run beside the call's verbs and hands it over when it has ended; a leg
   * that is over leaves an empty one. `onEnded` hears of its end first.
   */
  follow(sid: string, start: () => ActiveRecording, onEnded: (end: RecordingEnd) => void): void;
  /** The recordings that run beside the call's verbs, oldest first. `stop` resolves when its end is stored. */
  readonly followed: readonly { readonly name: string | undefined; stop(): Promise<void> }[];
  /** Resolves when they have ended, as they do with the leg at the latest, and their ends have been heard of. */
  ended(): Promise<void>;
  /** Hands over an ended recording; storing and calling back go on durably after this resolves. */
  finish(sid: string, end: RecordingEnd): Promise<void>;
}

/** Whom `<Dial>` calls: what a noun says, checked as far as the document alone allows. */
export type DialTarget =
  | { readonly kind: 'client' /** client: and an identity */; readonly uri: string }
  | { readonly kind: 'number' /** E.164 */; readonly number: string }
  | {
      readonly kind: 'sip';
      /** The Request-URI: without headers and without the parameters that are ours (edge, region, tnx). */
      readonly uri: string;
      /** Headers that may be passed: names as written, values one character a byte. */
      readonly headers: Readonly<Record<string, string>>;
      readonly credentials: { readonly username: string; readonly password: string } | undefined;
      /** Absent: the Region's home edge. */
      readonly edge: EdgeId | undefined;
      /** The SID of an Interconnect connection (`tnx`, deprecated): its exchange is the edge. */
      readonly connectionSid: string | undefined;
      /** Why only registered devices can be called by it: the private connection it names cannot be. */
      readonly barred?: Diagnostic;
    };

/** A TwiML application that `<Dial>` calls: nobody rings, it has this call's own peer for a caller. */
export interface ApplicationTarget {
  readonly kind: 'application';
  readonly sid: string;
  /** Its call's To is that of the call that dials; else the SID. */
  readonly copyParentTo: boolean;
  /** Undefined: the SID of the account. */
  readonly customerId: string | undefined;
  readonly parameters: Parameters;
  /** In place of its voice URL; absolute in an order. */
  readonly document: { readonly url: string; readonly method: WebhookMethod } | undefined;
  /** Where it is written: what is wrong with it is told there. */
  readonly at: { readonly url: string; readonly line: number; readonly column: number };
}

export interface DialOrder {
  readonly target: DialTarget | ApplicationTarget;
  /** As `callerId` says it; undefined: the caller's. */
  readonly callerId: string | undefined;
  /** What prevents it from the start: the child ends with it, and nobody is called. */
  readonly refused?: Diagnostic | undefined;
  /** Progress of the child call, in order, counted from 0. */
  readonly statusCallback: {
    readonly url: string;
    readonly method: WebhookMethod;
    readonly events: readonly ('initiated' | 'ringing' | 'answered' | 'completed')[];
  } | null;
}

/** How a child call ended. */
export interface ChildEnd {
  readonly status: CallStatus;
  /** The final SIP status, where there was one: of the INVITE, or 200 of the BYE. */
  readonly sipStatus: number | undefined;
  /** Call-ID of its INVITE; '' when none was sent. */
  readonly sipCallId: string;
  /** `X-…` headers of the message that ended it. */
  readonly headers: Readonly<Record<string, string>>;
  /** In s, as its record has it; 0 when it was never answered. */
  readonly duration: number;
  /** What the application that was called gave back; absent: nothing. */
  readonly parameters?: Parameters | undefined;
}

/**
 * A call made by `<Dial>`. Its record, its timeline and its status callbacks keep themselves; they are complete when
 * `end` resolves.
 */
export interface ChildCall {
  readonly callSid: string;
  readonly leg: OutgoingLeg;
  /** The child as verbs see it: what a screening document runs in. */
  readonly world: VerbWorld;
  /** Ends it and says why. Does nothing when it is over. */
  withdraw(why: Withdrawal): void;
  /** Resolves when it is over, or has left. Never rejects. */
  readonly end: Promise<ChildEnd>;
  /**
   * Aborted when the API gave the child a document of its own: it is no longer this `<Dial>`'s. Whoever bridged it
   * ends the bridge and calls `release`.
   */
  readonly departed: AbortSignal;
  release(): void;
  /**
   * The child goes on with a document of its own, as though the API had given it one: `departed` is aborted, and the
   * document runs once it is released. Absent where a child cannot leave by itself.
   */
  leave?(document: OrderedDocument): void;
  /**
   * Only of a child that has nobody of its own to be bridged with: its leg is that of the call that dialled it, under
   * another name. It is heard from now on; once `connected`, the caller is answered and connected to it.
   */
  join?(stage: 'early' | 'connected'): Bridge;
}

/** Makes calls. */
export interface Dialer {
  /** Calls at once. What prevents it ends the child with a diagnostic. */
  dial(order: DialOrder): ChildCall;
}

/** What verbs touch. */
export interface VerbWorld {
  readonly facts: CallFacts;
  readonly webhooks: WebhookSession;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly leg: Leg;
  readonly audio: AudioLibrary;
  readonly choices: TwimlChoices;
  /** Absent: speech is not recognised here. */
  readonly speech?: SpeechToText | undefined;
  readonly recordings: RecordingDesk;
  readonly timeline: TimelineSink;
  /** Collects what the customer must know; the timeline gets it too. */
  report(diagnostic: Diagnostic): void;
}
