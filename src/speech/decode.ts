import { decodeG711 } from '../media/g711.ts';
import { readWav } from '../media/wav.ts';
import { decodeAiff } from './aiff.ts';
import { decodeMp3 } from './mp3.ts';
import type { DecodedAudio } from './port.ts';

type Format = 'mp3' | 'wav' | 'aiff' | 'ulaw' | 'gsm';

/**
 * The media types of audio that can be played, with the spellings servers use for them.
 * @see https://www.twilio.com/docs/voice/twiml/play#supported-audio-file-types
 */
const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['audio/mpeg', 'mp3'],
  ['audio/mp3', 'mp3'],
  ['audio/wav', 'wav'],
  ['audio/wave', 'wav'],
  ['audio/x-wav', 'wav'],
  ['audio/vnd.wave', 'wav'],
  ['audio/aiff', 'aiff'],
  ['audio/x-aiff', 'aiff'],
  ['audio/x-aifc', 'aiff'],
  ['audio/ulaw', 'ulaw'],
  ['audio/basic', 'ulaw'], // RFC 2046 §4.3: µ-law, 8 kHz, one channel
  ['audio/gsm', 'gsm'],
  ['audio/x-gsm', 'gsm'],
]);

const CONVERT = 'convert it to WAV or MP3, for example with: sox in out.wav rate 8000 channels 1';

/** Decodes a file by its media type. Long ones take seconds: for worker threads, or short audio in replay. */
export async function decodeAudio(body: Uint8Array, contentType: string): Promise<DecodedAudio> {
  const format = FORMATS.get(contentType);
  if (format === undefined) {
    const known = 'audio/mpeg, audio/wav, audio/aiff or audio/ulaw';
    return { problem: `"${contentType}" is no type of audio that can be played; send ${known}` };
  }
  const decoded = await decodeAs(format, body);
  return 'problem' in decoded ? { problem: `${decoded.problem}; ${CONVERT}` } : decoded;
}

async function decodeAs(format: Format, body: Uint8Array): Promise<DecodedAudio> {
  if (format === 'wav') return readWav(body);
  if (format === 'mp3') return decodeMp3(body);
  if (format === 'aiff') return decodeAiff(body);
  if (format === 'gsm') return { problem: 'GSM 06.10 audio is not supported' };
  const pcm = new Int16Array(body.length);
  decodeG711('PCMU', body, pcm);
  return { pcm };
}
