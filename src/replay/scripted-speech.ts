import { saidIn } from '../leg/simulated/said.ts';
import type { Recognition, SpeechToText } from '../speech/port.ts';
import { maskProfanity } from '../speech/profanity.ts';
import type { Scenario } from './scenario.ts';

/** A recogniser that understands what the scenario has a caller say, word by word and at once. */
export function createScriptedSpeech(speech: Scenario['speech']): SpeechToText | undefined {
  if (speech === 'none') return undefined;
  return {
    languageFor: (asked) =>
      typeof speech === 'string' || speech.languages.includes(asked) ? asked : (speech.languages[0] ?? asked),
    async recognise(audio, { profanityFilter, onPartial }, signal): Promise<Recognition> {
      if (speech === 'fails') throw new Error('the scenario says so');
      const shown = (words: readonly string[]) =>
        profanityFilter ? maskProfanity(words.join(' ')) : words.join(' ');
      const words: string[] = [];
      let confidence: number | undefined;
      for await (const pcm of audio) {
        signal.throwIfAborted();
        const said = saidIn(pcm);
        if (!said) continue;
        words.push(said.text);
        confidence = said.confidence;
        onPartial?.({ stable: shown(words.slice(0, -1)), unstable: shown(words.slice(-1)) });
      }
      return { text: shown(words), confidence };
    },
  };
}
