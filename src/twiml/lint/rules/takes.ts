import type { TwimlElement } from '../../document/element.ts';
import { written } from '../element-text.ts';

const DEFAULT: readonly string[] = ['dtmf'];
const KNOWN: readonly string[] = ['dtmf', 'speech'];

/** A list with a word that is none is not used, as when the verb reads it. */
function inputs(gather: TwimlElement): readonly string[] {
  const listed = written(gather, 'input')?.split(/\s+/) ?? DEFAULT;
  return listed.every((word) => KNOWN.includes(word)) ? listed : DEFAULT;
}

/** Claims that a `<Gather>` takes key presses, as it does unless it says otherwise. */
export function takesKeys(gather: TwimlElement): boolean {
  return inputs(gather).includes('dtmf');
}

export function takesSpeech(gather: TwimlElement): boolean {
  return inputs(gather).includes('speech');
}
