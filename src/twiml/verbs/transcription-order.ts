import type { TranscriptionOrder } from '../../call/transcription.ts';
import { diagnose } from '../../core/error-catalogue.ts';
import type { TwimlElement } from '../document/element.ts';
import type { CallScope } from './call-scope.ts';

/** A recording that is to be transcribed is no longer than this, and by default as long. */
export const LONGEST_TRANSCRIBED_MS = 120_000;

interface TranscriptionValues {
  readonly transcribe: boolean;
  readonly transcribeCallback: string | undefined;
  readonly maxLength: number | undefined;
}

/** A callback implies that there is something to be told. */
export function wantsTranscription({ transcribe, transcribeCallback = '' }: TranscriptionValues): boolean {
  return transcribe || transcribeCallback !== '';
}

/** Too long by its own words: then it is recorded, not transcribed (13615). */
export function isTooLong({ maxLength = 0 }: TranscriptionValues): boolean {
  return maxLength > LONGEST_TRANSCRIBED_MS;
}

/** What the recording's desk is asked for. What prevents it is reported; it is recorded all the same. */
export function transcriptionOrder(
  values: TranscriptionValues,
  element: TwimlElement,
  call: CallScope,
): TranscriptionOrder | null {
  if (!wantsTranscription(values) || isTooLong(values)) return null;
  const { attributes } = element;
  const asked = attributes.get(values.transcribe ? 'transcribe' : 'transcribeCallback');
  if (!call.world.speech) {
    const { line, column } = asked?.position ?? element.position;
    const message = `line ${line}, column ${column}: no speech recognition is set up here; the call is recorded without a transcription.`;
    call.world.report(diagnose(13619, message, { url: call.baseUrl, line, column }));
    return null;
  }
  if (!values.transcribeCallback) return { callback: null };
  const position = attributes.get('transcribeCallback')?.position ?? element.position;
  const url = call.resolve(values.transcribeCallback, position);
  if (typeof url === 'string') return { callback: url };
  const docs = url.docs.replace(`${url.code}`, '13257');
  call.world.report({ ...url, code: 13257, docs });
  return { callback: null };
}
