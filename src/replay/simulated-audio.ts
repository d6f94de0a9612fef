import { attemptEntry } from '../call/attempt-entry.ts';
import type { TimelineSink } from '../call/timeline.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { diagnose } from '../core/error-catalogue.ts';
import type { AudioClip } from '../leg/port.ts';
import { simulatedClip } from '../leg/simulated/simulated-clip.ts';
import type { AudioLibrary, Spoken } from '../twiml/interpreter/world.ts';
import type { WebhookSession } from '../webhook/port.ts';

/** Our choice of a speaking rate: about 14 characters a second. */
const MS_PER_CHARACTER = 70;

/** How long it takes to say this, in ms. */
export function speakingTime(text: string): number {
  return text.length * MS_PER_CHARACTER;
}

const MARK = 'simulated audio of ';

/** The bytes of an audio file of this length. */
export function simulatedAudio(ms: number): Buffer {
  return Buffer.from(`${MARK}${ms} ms`);
}

/** Makes a clip of a file that holds no simulated audio, or says what is wrong with it. */
type Decode = (name: string, body: Buffer, contentType: string) => Promise<AudioClip | Diagnostic>;

/**
 * Audio that lasts as long as it would and sounds like nothing. Files come through the call's own webhook session,
 * so requests, redirects and failures are the real ones.
 */
export function createSimulatedAudio(
  webhooks: WebhookSession,
  timeline: TimelineSink,
  decodeOther: Decode = notAudio,
): AudioLibrary {
  const decode: Decode = async (name, body, contentType) =>
    decodeSimulated(name, body, contentType) ?? (await decodeOther(name, body, contentType));
  return {
    async speech(text, voice, signal): Promise<Spoken> {
      signal.throwIfAborted();
      const spoken = simulatedClip(`${voice.voice}: ${text}`, speakingTime(text), text);
      if (voice.language.startsWith('en')) return { clip: spoken, diagnostics: [] };
      const message = `the simulated voice speaks English only; "${voice.language}" is spoken as en-US.`;
      const details = { actual: voice.language, expected: 'en-US' };
      return { clip: spoken, diagnostics: [diagnose(13512, message, details)] };
    },

    async media(url, signal) {
      const result = await webhooks.fetch({ url, method: 'GET', params: {}, purpose: 'media' }, signal);
      for (const attempt of result.attempts) timeline.add(attemptEntry(attempt, 'media'));
      if (!result.ok) return result.diagnostic;
      const { body, contentType } = result.response;
      return decode(url, body, contentType);
    },

    decode: async (body, contentType) => decode('the response', body, contentType),
  };
}

function decodeSimulated(name: string, body: Buffer, contentType: string): AudioClip | undefined {
  const text = body.toString('latin1', 0, MARK.length + 12);
  if (!contentType.startsWith('audio/') || !text.startsWith(MARK)) return undefined;
  return simulatedClip(name, Number.parseInt(text.slice(MARK.length), 10));
}

const notAudio: Decode = async (name, _body, contentType) => {
  const message = `${name} has the type ${contentType || 'none'} and holds no audio; serve audio/mpeg or audio/wav.`;
  return diagnose(13420, message, { actual: contentType, expected: 'audio/*' });
};
