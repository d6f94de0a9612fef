import type {
  ActiveRecording,
  AudioClip,
  DtmfKey,
  ListenOptions,
  PlayOptions,
  RecordOptions,
  SpeechListener,
} from '../../leg/port.ts';
import type { Endpoint, MediaDirection, MediaFormat } from '../format.ts';

/**
 * The two ends of the inner hop, as the main threads see them. Sockets and timing live in worker_threads behind
 * these; many legs share one UDP socket per process pair, told apart by `handle` (see inner-packet.ts).
 */

export interface RelayStats {
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly lost: number;
  readonly jitterMs: number;
  /** What the peer says about the stream it gets from us, in its last RTCP report. */
  readonly peer?: { readonly lost: number; readonly jitterMs: number; readonly roundTripMs?: number };
}

/** The edge's side of a leg: the only addresses and the only RTP stream its peer ever sees. */
export interface RelayLeg {
  /** Names this leg on the inner hop. */
  readonly handle: number;
  /** The port that goes into our SDP (RTCP is the next one). */
  readonly port: number;
  /**
   * Points it at the peer. Until a packet arrives from the peer the SDP's address is used, then the address it
   * really came from (symmetric RTP). `direction` is ours: without `send` nothing leaves, without `recv` nothing
   * is passed on.
   */
  configure(remote: Endpoint, format: MediaFormat, direction: MediaDirection): void;
  /**
   * Exchanges this leg's audio with a worker's inner socket from now on; undefined: with nobody. While a peer is
   * configured and nobody sends, the peer hears silence frames, its stream never stops or jumps.
   */
  attach(worker: Endpoint | undefined): void;
  /**
   * This leg's peer and `other`'s hear each other directly, without their workers, from now on. What a worker sends
   * meanwhile is heard instead, frame by frame. Packets keep their timing: the receiving peer's buffer absorbs the
   * jitter, as behind any relay. Both legs are this host's.
   *
   * `gently`: the two hear each other already, through their workers. Each goes on hearing the other that way until
   * the other pauses, so that nothing said is lost on the longer way; who never left the direct path stays on it.
   */
  bridge(other: RelayLeg, options?: { readonly gently?: boolean }): void;
  /**
   * Back to the workers, for both legs: their peers' audio goes there at once, and the direct path to each peer
   * stays until the first frame from its worker, so that the peer hears no gap. Idempotent.
   *
   * `gently`: the workers pass on what the two say, so that each keeps hearing the other. Each does so directly, and
   * not what its worker passes on, until the other pauses: so nothing is heard twice because the workers' way is the
   * longer one. Who never pauses is heard directly all the time. What a worker plays of its own is heard as ever.
   */
  unbridge(options?: { readonly gently?: boolean }): void;
  /** Aborted when no RTP has arrived for the configured time although the peer should be sending. */
  onSilent: (() => void) | undefined;
  close(): Promise<RelayStats>;
}

export interface RelayHost {
  /** Where workers send the inner hop. */
  readonly inner: Endpoint;
  /** Binds an even RTP port and the RTCP port above it on `address`; rejects when the range is used up. */
  open(address: string): Promise<RelayLeg>;
  /** Legs and ports in use: a leak test compares them. */
  census(): Promise<{ readonly legs: number; readonly sockets: number }>;
  /** The thread died: every leg's audio is gone, pending calls have been rejected, the host is of no more use. */
  onFailed?: ((error: Error) => void) | undefined;
  close(): Promise<void>;
}

/** A worker's side of a leg: decodes, plays, records, hears keys. */
export interface MediaLeg {
  /** Resolves when the last frame has been sent; aborting the signal silences it within one frame. */
  play(clip: AudioClip, signal: AbortSignal, options?: PlayOptions): Promise<void>;
  sendDigits(digits: string, signal: AbortSignal): Promise<void>;
  /** Every key the peer presses, once per press. */
  onKey: ((key: DtmfKey) => void) | undefined;
  /** Tells `listener` what the peer says until it is disposed; when the leg is closed, that it has ended. */
  listen(options: ListenOptions, listener: SpeechListener): Disposable;
  record(options: RecordOptions): ActiveRecording;
  /** Whether the peer hears itself from now on, in place of whom it is bridged with. Keys do not come back. */
  echo(on: boolean): void;
  /**
   * What this leg's peer says is sent to `other`'s, and the reverse; a clip that is played to one of them is heard
   * instead. Keys are passed on too. One bridge per leg: another one replaces it. Both legs are this host's.
   */
  bridge(other: MediaLeg): void;
  /** Idempotent; closing either leg does it too. */
  unbridge(): void;
  /** The codec changed in a re-INVITE. */
  configure(format: MediaFormat): void;
  /** Ends playing and recording (reason `hangup`) and frees everything; recordings already ended are untouched. */
  close(): Promise<void>;
}

export interface MediaHost {
  /** Where edges send the inner hop. */
  readonly inner: Endpoint;
  open(leg: { readonly handle: number; readonly edge: Endpoint; readonly format: MediaFormat }): MediaLeg;
  census(): Promise<{ readonly legs: number; readonly recordings: number; readonly clips: number }>;
  /** The thread died: pending plays have been rejected, recordings have ended as `failed`, the host is of no more use. */
  onFailed?: ((error: Error) => void) | undefined;
  close(): Promise<void>;
}
