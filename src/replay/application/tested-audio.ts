import type { Clock } from '../../core/clock.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import type { Ids } from '../../core/ids.ts';
import type { AudioClip } from '../../leg/port.ts';
import { simulatedClip } from '../../leg/simulated/simulated-clip.ts';
import { decodeAudio } from '../../speech/decode.ts';
import type { AudioLibrary } from '../../twiml/interpreter/world.ts';
import { createWebhookSession } from '../../webhook/client.ts';
import type { WebhookSession } from '../../webhook/port.ts';
import type { Chronicle } from '../chronicle.ts';
import { createSimulatedAudio } from '../simulated-audio.ts';
import type { TestedApplication } from './tested-application.ts';

/** Our choice of how long a file lasts that nobody fetches. */
const UNFETCHED_MS = 3_000;

/** 40 minutes (the longest file, reference §1.2) of stereo PCM, 16 bit, at 8 kHz: as in a live call. */
const MAX_MEDIA_BYTES = 40 * 60 * 8_000 * 4;

export interface TestedAudioOptions {
  readonly application: TestedApplication;
  readonly requestClock: Clock;
  readonly ids: Ids;
}

/**
 * The audio of a call to an application under test. Files of the application are fetched, and last as long as they
 * are; those of hosts that are not asked play for three seconds.
 */
export function createTestedAudio({ application, requestClock, ids }: TestedAudioOptions) {
  return (webhooks: WebhookSession, chronicle: Chronicle): AudioLibrary => {
    const simulated = createSimulatedAudio(webhooks, chronicle);
    const session = createWebhookSession({
      http: application,
      clock: requestClock,
      ids,
      authToken: async () => '',
      maxBytes: MAX_MEDIA_BYTES,
    });
    const fetched = createSimulatedAudio(session, chronicle, decodeMedia);
    return {
      ...simulated,
      media: async (url, signal) => {
        if (application.reaches(url)) return fetched.media(url, signal);
        signal.throwIfAborted();
        return simulatedClip(url, UNFETCHED_MS);
      },
    };
  };
}

async function decodeMedia(url: string, body: Buffer, contentType: string): Promise<AudioClip | Diagnostic> {
  const decoded = await decodeAudio(body, contentType);
  if ('pcm' in decoded) return { id: url, pcm: decoded.pcm };
  const message = `The audio ${url} cannot be played: ${decoded.problem}.`;
  return diagnose(13420, message, { url, actual: contentType || 'no Content-Type header' });
}
