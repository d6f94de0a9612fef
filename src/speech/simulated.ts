import { samplesOfMs } from '../media/frame.ts';
import { decodeAudio } from './decode.ts';
import type { AudioDecoder, TextToSpeech } from './port.ts';
import { chooseVoice } from './voices.ts';

const MS_PER_CHARACTER = 60; // our choice: about the pace of speech, 1000 characters a minute

/**
 * Silence as long as the text would take to say, at once and always the same: speech in
 * replay. Voices are chosen as when it is spoken, so that the same diagnostics come.
 */
export function createSimulatedSpeech(): TextToSpeech & AudioDecoder {
  return {
    async speak(text, voice, signal) {
      signal.throwIfAborted();
      const { substituted } = chooseVoice(voice);
      const pcm = new Int16Array(samplesOfMs(text.length * MS_PER_CHARACTER));
      return { pcm, ...(substituted && { substituted }) };
    },
    decode: decodeAudio,
  };
}
