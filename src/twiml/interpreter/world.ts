import type { OrderedDocument } from '../../call/orders.ts';
import type { CallStatus } from '../../call/record.ts';
import type { WebhookMethod } from '../../webhook/port.ts';
import type { Parameters } from '../verbs/parameters.ts';
import type { VerbWorld } from '../verbs/ports.ts';

export type { AudioLibrary, RecordingDesk, RecordingRequest, Spoken } from '../verbs/ports.ts';

/** The number's configuration in this Region. */
export interface VoiceConfig {
  readonly voiceUrl: string;
  readonly voiceMethod: WebhookMethod;
  readonly voiceFallbackUrl: string;
  readonly voiceFallbackMethod: WebhookMethod;
}

/** A fetched document as plain JSON. */
export interface StoredDocument {
  /** After HTTP redirects: the base of its relative URLs. */
  readonly url: string;
  /**
   * As it was requested, with user, password and connection overrides: what an absent `action` asks for again.
   * Absent: the same as `url`.
   */
  readonly requestedUrl?: string | undefined;
  /** Absent: `document`. */
  readonly purpose?: 'document' | 'fallback' | undefined;
  /** Media type in lower case without parameters. */
  readonly contentType: string;
  /** Decoded text; of audio, one character a byte. */
  readonly body: string;
}

/** Where a call stands between two verbs: enough for another worker to go on. Plain JSON. */
export interface Checkpoint {
  readonly document: StoredDocument;
  /** Index of the top-level verb that is running, and its name. */
  readonly verb: number;
  readonly name: string;
  readonly answered: boolean;
}

/** Everything a call's execution touches. Live, the adapters are real; in replay, simulated. */
export interface CallWorld extends VerbWorld {
  readonly config: VoiceConfig;
  /** The call was answered before it came here: it may be over again by now. Absent: as the leg says. */
  readonly answered?: true;
  /** Called before each top-level verb. */
  checkpoint(point: Checkpoint): Promise<void>;
  /** Another document in place of the running one (REST); the newest counts. The interpreter listens. */
  onRedirect: ((document: OrderedDocument) => void) | undefined;
}

/** How the execution of a call ended. */
export interface CallEnd {
  readonly status: CallStatus;
  /** One sentence. */
  readonly cause: string;
  /** What its document gives back to the call that dialled it; absent: nothing. */
  readonly parameters?: Parameters | undefined;
}
