import type { TwimlElement } from '../../document/element.ts';
import { written } from '../element-text.ts';

const DEFAULT: readonly string[] = ['dtmf'];

const inputs = (gather: TwimlElement) => written(gather, 'input')?.split(/\s+/) ?? DEFAULT;

/** Claims that a `<Gather>` takes key presses, as it does unless it says otherwise. */
export function takesKeys(gather: TwimlElement): boolean {
  return inputs(gather).includes('dtmf');
}

export function takesSpeech(gather: TwimlElement): boolean {
  return inputs(gather).includes('speech');
}
