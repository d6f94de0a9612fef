import type { Diagnostic } from '../core/diagnostic.ts';

/** Linear PCM, 16 bit, mono, 8 kHz. `id` names the content: the same id is always the same audio. */
export interface AudioClip {
  readonly id: string;
  readonly pcm: Int16Array;
}

export interface PlayOptions {
  /** Plays it again and again, without a gap in between, until the signal is aborted. Absent: once. */
  readonly loop?: boolean | undefined;
}

/** A key of the telephone pad (RFC 4733 events 0–15). */
export type DtmfKey =
  | '0'
  | '1'
  | '2'
  | '3'
  | '4'
  | '5'
  | '6'
  | '7'
  | '8'
  | '9'
  | '*'
  | '#'
  | 'A'
  | 'B'
  | 'C'
  | 'D';

/** The keys pressed since it was opened, in order. Dispose it to stop listening. */
export interface KeyStream extends Disposable {
  /** The next key; rejects with the signal's reason. Keys are kept until taken. */
  next(signal: AbortSignal): Promise<DtmfKey>;
  /** The oldest key not yet taken, or `undefined`. */
  poll(): DtmfKey | undefined;
}

export interface ListenOptions {
  /** So much without a sound ends a stretch of speech, in ms; a stretch without RTP is no sound. */
  readonly pauseMs: number;
  /** What is longer is cut, in ms; what goes on is another stretch. */
  readonly maxMs: number;
}

/** Why no more of a stretch of speech comes. */
export type SpeechEnd = 'pause' | 'too-long' | 'stopped' | 'hangup' | 'failed';

/** A stretch of what the peer says, from shortly before its first sound. */
export interface HeardSpeech {
  /** PCM 16 bit, mono, 8 kHz, as it comes, until it has ended; one reader. */
  readonly audio: AsyncIterable<Int16Array>;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<SpeechEnd>;
}

/** The stretches of speech since it was opened, in order. Dispose it to stop listening. */
export interface SpeechStream extends Disposable {
  /**
   * The next stretch, as soon as it begins; rejects with the signal's reason, or with the leg's when it is over.
   * Stretches are kept until taken.
   */
  next(signal: AbortSignal): Promise<HeardSpeech>;
}

/** Is told what is heard: `began`, its audio, `ended`, again and again. */
export interface SpeechListener {
  began(): void;
  audio(pcm: Int16Array): void;
  ended(why: SpeechEnd): void;
}

export interface RecordOptions {
  readonly recordingSid: string;
  /** Ends the recording after this much silence from the peer; 0: never. Stretches without RTP do not count. */
  readonly silenceMs: number;
  readonly maxLengthMs: number;
  /** Leading and trailing silence are cut from the stored audio. */
  readonly trim: boolean;
  /** `inbound`: what the peer says; `outbound`: what it hears from us; `both`. Absent: `inbound`. */
  readonly track?: RecordTrack | undefined;
  /** 2: inbound in channel 1, outbound in channel 2, only with `both`. Absent: 1, `both` mixed. */
  readonly channels?: 1 | 2 | undefined;
}

export type RecordTrack = 'inbound' | 'outbound' | 'both';

export interface RecordingEnd {
  readonly reason: 'silence' | 'max-length' | 'stopped' | 'hangup' | 'failed';
  /** Length of what was captured, before trimming. */
  readonly durationMs: number;
  /** Length of what is stored. */
  readonly storedMs: number;
  readonly channels: 1 | 2;
  /** True when nothing louder than background noise was captured. */
  readonly silent: boolean;
  /** Spool file: WAV, PCM 16 bit, 8 kHz. `undefined` when there is nothing to store. */
  readonly path: string | undefined;
  /** Why writing failed, when `reason` is `failed`. */
  readonly error?: string;
}

export interface ActiveRecording {
  /** Settles when the recording has ended and its spool file is complete; never rejects. */
  readonly ended: Promise<RecordingEnd>;
  /** Ends it; idempotent. `reason` is `stopped` unless it had ended before. */
  stop(): void;
  /**
   * Takes nothing more until `resume`: `skip` leaves the pause out, `silence` puts silence in its place.
   * @see https://www.twilio.com/docs/voice/api/recording#update-a-recording-resource
   */
  pause(behavior: 'skip' | 'silence'): void;
  resume(): void;
}

/** Why a leg ended: the reason of `Leg.ended`. */
export class LegEnded extends Error {
  constructor(
    override readonly cause: LegEndCause,
    /** The SIP status that said so, where there is one. */
    readonly sipStatus?: number,
    message = `the leg ended: ${cause}`,
    /** `X-…` headers of the message that ended it: the final response or the BYE. */
    readonly headers: Readonly<Record<string, string>> = {},
    /** What the customer should know of it. */
    readonly diagnostic?: Diagnostic,
  ) {
    super(message);
    this.name = 'LegEnded';
  }
}

export type LegEndCause =
  | 'peer-hangup' // BYE from the peer
  | 'peer-cancelled' // CANCEL before the answer
  | 'local-hangup' // we ended it
  | 'rejected' // we refused it
  | 'no-ack' // 200 never acknowledged, 32022
  | 'media-timeout' // no RTP for too long, 32014
  | 'edge-lost' // the edge process that held it is gone
  | 'epoch-lost' // another worker owns the call now
  | 'transport-failed'
  | 'unreachable' // a leg we called: no response at all, no address, nobody listens there
  | 'not-placed' // a leg we called: the edge did not even try; the diagnostic says why
  | 'shutdown';

export type RejectReason = 'busy' | 'rejected' | 'not-configured' | 'failed';

/**
 * One side of a call as a worker commands it. Two adapters: remote (a dialog and media at an edge, over the
 * control channel) and simulated (virtual time, scripted peer); one conformance suite.
 *
 * Every waiting method rejects with `ended`'s reason (a `LegEnded`) once the leg is over, and with the signal's
 * reason when its own signal is aborted first.
 */
export interface Leg {
  readonly ended: AbortSignal;
  readonly state: 'ringing' | 'answered' | 'ended';
  /** Answers a ringing leg (200 OK to the INVITE); does nothing when already answered. */
  answer(): Promise<void>;
  /** Refuses a ringing leg with a SIP final status (400–699) and ends it; on an answered leg it hangs up. */
  reject(status: number, phrase?: string): Promise<void>;
  /** Ends the leg: BYE when answered, 603 when still ringing. Idempotent. */
  hangup(): Promise<void>;
  /** Plays `clip` once; resolves when its last frame has left. Aborting the signal silences it at once. */
  play(clip: AudioClip, signal: AbortSignal, options?: PlayOptions): Promise<void>;
  /** Sends keys as RFC 4733 events; `w` waits 500 ms, `W` 1 s. */
  sendDigits(digits: string, signal: AbortSignal): Promise<void>;
  /** Starts listening for keys. */
  keys(): KeyStream;
  /** Starts listening for speech: for sound that lasts, whatever is said. */
  listen(options: ListenOptions): SpeechStream;
  /**
   * Lets the peer hear itself, and nobody it is bridged with, until the signal is aborted: it never resolves. A clip
   * played meanwhile is heard instead. Keys do not come back.
   */
  echo(signal: AbortSignal): Promise<never>;
  /** Starts recording. A leg that has ended: the recording has ended with `hangup`. */
  record(options: RecordOptions): ActiveRecording;
  /**
   * Lets a leg that calls us hear what is played before it is answered (183 with SDP, RFC 3960 §3.2); does nothing
   * when it is answered or heard already.
   */
  progress(): Promise<void>;
  /**
   * Lets the peers of both legs hear each other until the bridge is ended or one leg is over. A clip played to a leg
   * meanwhile is heard instead of the other peer. One bridge per leg: another one replaces it. Both legs come from
   * the same adapter; their peers' keys reach whoever listens, and the other peer.
   */
  bridge(other: Leg): Bridge;
  /** A REFER from the peer within the dialog (RFC 3515): accepted with 202, its outcome is told by `answer`. */
  onRefer: ((refer: ReceivedRefer) => void) | undefined;
  /** Sends REFER and follows it; resolves when its outcome is known, or nothing was heard of it for a minute. */
  refer(target: ReferTarget, signal: AbortSignal): Promise<ReferOutcome>;
}

/** Two legs that hear each other. */
export interface Bridge {
  /** Resolves when the peers no longer hear each other. Idempotent; also after a leg is over. */
  end(): Promise<void>;
}

/** A leg that we call: it rings at its peer, who answers it. `answer` and `reject` do not apply to it. */
export interface OutgoingLeg extends Leg {
  /** The Call-ID of the INVITE; '' until it is known. */
  readonly sipCallId: string;
  /** Each provisional response, in order; at once for those that nobody has seen. */
  onProgress: ((progress: PeerProgress) => void) | undefined;
  /** Resolves when the peer has answered; rejects with `ended`'s reason. */
  readonly answered: Promise<PeerAnswer>;
}

export interface PeerProgress {
  /** 101–199 */
  readonly status: number;
  /** The peer's audio can be heard before it answers (early media): a bridge carries it. */
  readonly early: boolean;
}

export interface PeerAnswer {
  /** `X-…` headers of the 200. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ReceivedRefer {
  /** Refer-To as received, at most 256 characters are of use. */
  readonly referTo: string;
  /** Tells the peer how far it has come: NOTIFY with a sipfrag of this status (RFC 3515 §2.4.4); 200 and above end it. */
  notify(status: number): Promise<void>;
}

export interface ReferTarget {
  /** The URI in Refer-To, headers included. */
  readonly uri: string;
}

export interface ReferOutcome {
  /** The peer's answer to the REFER; 408: none. */
  readonly status: number;
  /** The last status that a NOTIFY told; undefined when none did. */
  readonly notified: number | undefined;
}
