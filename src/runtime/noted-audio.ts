import { attemptEntry } from '../call/attempt-entry.ts';
import type { TimelineSink } from '../call/timeline.ts';
import type { AudioLibrary } from '../twiml/interpreter/world.ts';
import type { WebhookAttempt } from '../webhook/port.ts';

/** An audio library that several calls share: who asks may hear what was requested for it. */
export interface SharedAudioLibrary extends AudioLibrary {
  media(
    url: string,
    signal: AbortSignal,
    onAttempts?: (attempts: readonly WebhookAttempt[]) => void,
  ): ReturnType<AudioLibrary['media']>;
}

/** A library whose requests are noted in the call's timeline; what was at hand was not requested. */
export function notedAudio(library: SharedAudioLibrary, timeline: TimelineSink): AudioLibrary {
  return {
    speech: (...asked) => library.speech(...asked),
    decode: (...asked) => library.decode(...asked),
    media: (url, signal) =>
      library.media(url, signal, (attempts) => {
        for (const attempt of attempts) timeline.add(attemptEntry(attempt, 'media'));
      }),
  };
}
