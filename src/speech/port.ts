/** Speech as it is to be played: PCM 16 bit, mono, 8 kHz. */
export interface Utterance {
  readonly pcm: Int16Array;
  /** Absent when everything asked for was honoured. */
  readonly substituted?: {
    /** The voice that speaks instead. */
    readonly voice: string;
    /** What could not be honoured. */
    readonly asked: readonly ('voice' | 'language')[];
  };
}

export interface Voice {
  /** `man`, `woman`, `alice`, or a provider's name such as `Polly.Joanna`; '' for the default. */
  readonly voice: string;
  /** A BCP 47 tag; '' for the default. */
  readonly language: string;
}

/** Text to speech. Rejects with the signal's reason, or an Error when the provider fails. */
export interface TextToSpeech {
  speak(text: string, voice: Voice, signal: AbortSignal): Promise<Utterance>;
}

/** Audio as everything inside wants it, or why this file can't be that: what is wrong and what to convert it to. */
export type DecodedAudio = { readonly pcm: Int16Array } | { readonly problem: string };

/** Audio files to PCM. Rejects only when the decoder itself fails. */
export interface AudioDecoder {
  /** `contentType` in lower case without parameters. */
  decode(body: Uint8Array, contentType: string): Promise<DecodedAudio>;
}

export interface RecognitionOptions {
  /** A BCP 47 tag, one that `languageFor` gave. */
  readonly language: string;
  /** Phrases that are expected. */
  readonly hints: readonly string[];
  /** The name of a model as TwiML has it; a provider without it uses its own. */
  readonly model: string;
  /** Masks words that offend (`profanity.ts`). */
  readonly profanityFilter: boolean;
  /** Told what has been understood so far, as often as that changes. Absent: nobody asks. */
  readonly onPartial?: ((partial: PartialRecognition) => void) | undefined;
}

export interface PartialRecognition {
  /** The beginning, which will not change any more. */
  readonly stable: string;
  /** What may follow it. */
  readonly unstable: string;
}

export interface Recognition {
  /** '' when nothing was understood. */
  readonly text: string;
  /** 0–1; undefined: the provider does not say. */
  readonly confidence: number | undefined;
}

/** Speech to text. */
export interface SpeechToText {
  /** The language that is recognised where `asked`, a BCP 47 tag, is wanted: the same when it can be. */
  languageFor(asked: string): string;
  /**
   * What is said in `audio` (PCM 16 bit, mono, 8 kHz), while it comes or after its end. Rejects with the signal's
   * reason, or an Error when the provider fails.
   */
  recognise(
    audio: AsyncIterable<Int16Array>,
    options: RecognitionOptions,
    signal: AbortSignal,
  ): Promise<Recognition>;
}
