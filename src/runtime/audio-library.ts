import { createHash } from 'node:crypto';
import { abortable } from '../core/abort.ts';
import type { Clock } from '../core/clock.ts';
import { type Diagnostic, failure, warning } from '../core/diagnostic.ts';
import type { Ids } from '../core/ids.ts';
import type { AudioClip } from '../leg/port.ts';
import type { AudioDecoder, TextToSpeech, Utterance, Voice } from '../speech/port.ts';
import type { Spoken } from '../twiml/interpreter/world.ts';
import { createWebhookSession } from '../webhook/client.ts';
import type { HttpClient, WebhookAttempt } from '../webhook/port.ts';
import { ResponseCache } from '../webhook/response-cache.ts';
import type { SharedAudioLibrary } from './noted-audio.ts';

export interface AudioLibraryOptions {
  readonly tts: TextToSpeech & AudioDecoder;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Bytes of media files kept, as they were fetched. Default: 64 MiB. */
  readonly cacheBytes?: number;
  readonly onAttempt?: (attempt: WebhookAttempt) => void;
}

const CACHE_BYTES = 64 * 2 ** 20;

/** 40 minutes (the longest file, reference §1.2) of stereo PCM, 16 bit, at 8 kHz: our choice of the largest. */
const MAX_MEDIA_BYTES = 40 * 60 * 8_000 * 4;

/** Media may be large: our choice is four times the total of a webhook. `#tt` still shortens it. */
const MEDIA_TOTAL_MS = 60_000;

/** Speech and files for all calls of a process. */
export function createAudioLibrary(options: AudioLibraryOptions): SharedAudioLibrary {
  const { tts, http, clock, ids, onAttempt } = options;
  const cache = new ResponseCache({ maxBytes: options.cacheBytes ?? CACHE_BYTES });
  /** By the fetched body: a file the cache gives again is not decoded again, and is forgotten with it. */
  const decoded = new WeakMap<Buffer, Promise<AudioClip | Diagnostic>>();

  async function decode(body: Buffer, contentType: string, url?: string): Promise<AudioClip | Diagnostic> {
    const where = url === undefined ? {} : { url };
    try {
      const audio = await tts.decode(body, contentType);
      if ('pcm' in audio) return { id: `media-${digest(body)}`, pcm: audio.pcm };
      const message = `The audio ${url ?? 'of the answer'} cannot be played: ${audio.problem}.`;
      return failure(13420, message, { ...where, actual: contentType || 'no Content-Type header' });
    } catch (error) {
      return failure(12400, `Decoding the audio ${url ?? 'of the answer'} failed: ${error}.`, where);
    }
  }

  return {
    async speech(text, voice, signal) {
      signal.throwIfAborted();
      try {
        return spoken(text, voice, await tts.speak(text, voice, signal));
      } catch (error) {
        signal.throwIfAborted();
        const diagnostics = [failure(12400, `Speech could not be made: ${error}.`)];
        return { clip: { id: 'silence', pcm: new Int16Array(0) }, diagnostics };
      }
    },

    async media(url, signal, onAttempts) {
      // No cookies are kept: a file is shared by calls. It is not signed, and no parameters are sent (§1.2).
      const session = createWebhookSession({
        http,
        clock,
        ids,
        authToken: async () => '',
        cache,
        maxBytes: MAX_MEDIA_BYTES,
        totalMs: MEDIA_TOTAL_MS,
        ...(onAttempt && { onAttempt }),
      });
      const result = await session.fetch({ url, method: 'GET', params: {}, purpose: 'media' }, signal);
      onAttempts?.(result.attempts);
      if (!result.ok) return result.diagnostic;
      const { response } = result;
      let clip = decoded.get(response.body);
      if (!clip) {
        clip = decode(response.body, response.contentType, response.url);
        decoded.set(response.body, clip);
      }
      return await abortable(clip, signal);
    },

    decode,
  };
}

function spoken(text: string, asked: Voice, utterance: Utterance): Spoken {
  const { pcm, substituted } = utterance;
  const id = `speech-${digest(Buffer.from(`${asked.voice} ${asked.language} ${text}`))}`;
  const diagnostics = (substituted?.asked ?? []).map((what) => {
    const actual = asked[what];
    const message = `The ${what} "${actual}" is not installed; the text is spoken in English by the voice ${substituted?.voice}.`;
    return warning(what === 'voice' ? 13511 : 13512, message, { actual });
  });
  if (pcm.length === 0)
    diagnostics.push(
      warning(13520, 'Nothing in the text can be spoken; use English words or numbers.', { actual: text }),
    );
  return { clip: { id, pcm }, diagnostics };
}

function digest(content: Buffer): string {
  return createHash('sha1').update(content).digest('hex');
}
