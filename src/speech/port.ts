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
