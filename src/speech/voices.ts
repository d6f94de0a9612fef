import type { FliteVoice } from './flite-voice.ts';
import type { Utterance, Voice } from './port.ts';

/**
 * Which of flite's voices speaks. `man` is the default of `<Say>`; `alice` is the older name of a female voice.
 * @see https://www.twilio.com/docs/voice/twiml/say#attributes-voice
 */
const VOICES: ReadonlyMap<string, FliteVoice> = new Map<string, FliteVoice>([
  ['', 'kal'],
  ['default', 'kal'],
  ['man', 'kal'],
  ['woman', 'slt'],
  ['alice', 'slt'],
]);

/** Who speaks, and what of the wish that leaves open: another voice's name, a language other than English. */
export function chooseVoice(asked: Voice): {
  voice: FliteVoice;
  substituted: Utterance['substituted'];
} {
  const installed = VOICES.get(asked.voice);
  const voice = installed ?? 'kal';
  const missing: ('voice' | 'language')[] = [];
  if (!installed) missing.push('voice');
  if (!/^(?:en(?:-.*)?)?$/i.test(asked.language)) missing.push('language');
  return { voice, substituted: missing.length > 0 ? { voice, asked: missing } : undefined };
}
