import { abortable } from '../core/abort.ts';
import { BoundedCache } from '../core/bounded-cache.ts';
import type { FliteVoice } from './flite-voice.ts';
import type { AudioDecoder, TextToSpeech } from './port.ts';
import { SpeechThreads } from './speech-threads.ts';
import { chooseVoice } from './voices.ts';

export interface FliteSpeechOptions {
  /** The compiled worker script that calls `runSpeechThread`. */
  readonly script: URL;
  /** Threads at most; a long file being decoded holds up no speech while there are two. */
  readonly threads?: number;
  /** Bytes of speech kept for the next time the same text is spoken. Default: 32 MiB, half an hour. */
  readonly cacheBytes?: number;
}

/** Speech and decoding in worker threads; close it to end them. */
export interface ThreadedSpeech extends TextToSpeech, AudioDecoder {
  close(): Promise<void>;
}

const THREADS = 2; // our choice, see `threads`
const CACHE_BYTES = 32 * 2 ** 20;

/** The text-to-speech that is built in: English, spoken by flite. */
export function createFliteSpeech(options: FliteSpeechOptions): ThreadedSpeech {
  const threads = new SpeechThreads(options.script, options.threads ?? THREADS);
  const cache = new BoundedCache<Int16Array>(options.cacheBytes ?? CACHE_BYTES);
  /** What is being spoken: calls that say the same thing at once share it. */
  const speaking = new Map<string, Promise<Int16Array>>();

  async function synthesize(key: string, text: string, voice: FliteVoice): Promise<Int16Array> {
    try {
      const answer = await threads.run({ kind: 'speak', text, voice });
      if ('problem' in answer) throw new Error(answer.problem);
      cache.set(key, answer.pcm, answer.pcm.byteLength);
      return answer.pcm;
    } finally {
      speaking.delete(key);
    }
  }

  return {
    async speak(text, asked, signal) {
      signal.throwIfAborted();
      const { voice, substituted } = chooseVoice(asked);
      const key = `${voice} ${text}`;
      let pcm = cache.get(key);
      if (!pcm) {
        let work = speaking.get(key);
        if (!work) {
          work = synthesize(key, text, voice);
          speaking.set(key, work);
        }
        pcm = await abortable(work, signal);
      }
      return { pcm, ...(substituted && { substituted }) };
    },

    async decode(body, contentType) {
      return threads.run({ kind: 'decode', body, contentType });
    },

    close: () => threads.close(),
  };
}
