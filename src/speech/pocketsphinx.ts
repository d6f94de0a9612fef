import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock, Timer } from '../core/clock.ts';
import { Places } from '../core/places.ts';
import { pcmBytes } from '../media/wav.ts';
import { grammarOf, HypothesisReader, knownPhrases } from './pocketsphinx-text.ts';
import type { Recognition, RecognitionOptions, SpeechToText } from './port.ts';
import { maskProfanity } from './profanity.ts';

export interface PocketsphinxOptions {
  readonly clock: Clock;
  /** Path of `pocketsphinx_continuous`. */
  readonly binary: string;
  /** Its pronunciations: hints with other words are left out. Default: where Debian's pocketsphinx-en-us has them. */
  readonly dictionary?: string;
  /** Processes at once. Default: 2; each takes most of a core while it works. */
  readonly most?: number;
  /** A process that has not ended so long after the last audio is killed, in ms. Default: two minutes. */
  readonly patienceMs?: number;
}

const DICTIONARY = '/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict';
const LANGUAGE = 'en-US';

/**
 * Speech recognised on this machine by CMU Pocketsphinx, a process for each stretch of speech: English, freely, or with
 * hints only what they say, one or several of them (our choice: of telephone speech the small model understands little,
 * of a few expected phrases almost all).
 *
 * @see https://cmusphinx.github.io/wiki/tutorialpocketsphinx/
 */
export function createPocketsphinx(options: PocketsphinxOptions): SpeechToText {
  const places = new Places(options.most ?? 2);
  const dictionary = options.dictionary ?? DICTIONARY;
  let words: Promise<ReadonlySet<string>> | undefined;
  const wordsOf = () => {
    words ??= readFile(dictionary, 'utf8').then(wordsIn, () => new Set()); // without one no hint can be used
    return words;
  };
  return {
    languageFor: (asked) => (/^en(?:-|$)/i.test(asked) ? asked : LANGUAGE),
    async recognise(audio, asked, signal) {
      using _place = await places.take(signal);
      const phrases = asked.hints.length === 0 ? [] : knownPhrases(asked.hints, await wordsOf());
      const folder = phrases.length === 0 ? undefined : await mkdtemp(join(tmpdir(), 'trunkline-speech-'));
      try {
        const grammar = folder && join(folder, 'hints.gram');
        if (grammar) await writeFile(grammar, grammarOf(phrases));
        return await listen(audio, grammar, asked, options, signal);
      } finally {
        if (folder) await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

function wordsIn(dictionary: string): ReadonlySet<string> {
  return new Set(dictionary.split('\n').map((line) => line.slice(0, line.indexOf(' '))));
}

async function listen(
  audio: AsyncIterable<Int16Array>,
  grammar: string | undefined,
  { profanityFilter, onPartial }: RecognitionOptions,
  { binary, clock, patienceMs = 120_000 }: PocketsphinxOptions,
  signal: AbortSignal,
): Promise<Recognition> {
  signal.throwIfAborted();
  const given = ['-infile', '/dev/stdin', '-time', 'yes', '-logfn', '/dev/null'];
  // What Node makes for a child's input is a socket, which cannot be opened by name: `cat` makes a pipe of it.
  const child = spawn(
    '/bin/sh',
    ['-c', 'cat | "$@"', 'sh', binary, ...given, ...(grammar ? ['-jsgf', grammar] : [])],
    {
      env: {}, // nothing of ours
      detached: true, // a process group, to be ended as one
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const kill = () => endGroup(child);
  signal.addEventListener('abort', kill, { once: true });
  let patience: Timer | undefined;
  try {
    const shown = (text: string) => (profanityFilter ? maskProfanity(text) : text);
    const reader = new HypothesisReader((text) => onPartial?.({ stable: shown(text), unstable: '' }));
    createInterface({ input: child.stdout }).on('line', (line) => reader.line(line));
    const ended = endOf(child);
    const fed = feed(audio, child).then(() => {
      patience = clock.after(patienceMs, kill);
    });
    const code = await Promise.race([ended, fed.then(() => ended)]);
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`${binary} ended with ${code}`);
    const { text, confidence } = reader.result();
    // A grammar leaves it no choice, and every word is certain.
    return { text: shown(text), confidence: grammar ? undefined : confidence };
  } finally {
    patience?.cancel();
    signal.removeEventListener('abort', kill);
    kill();
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // nobody of it is left
  }
}

/** Its exit code, or the signal that ended it, once all that it said has been read. */
async function endOf(child: ChildProcess): Promise<number | string | null> {
  const [code, signal]: [number | null, string | null] = await once(child, 'close').then(([c, s]) => [c, s]);
  return signal ?? code;
}

/** Its model is of 16 kHz: what is between two samples is half of both. */
async function feed(audio: AsyncIterable<Int16Array>, child: ChildProcess): Promise<void> {
  const { stdin } = child;
  if (!stdin) return;
  stdin.on('error', () => {}); // it has ended, which says why
  let last = 0;
  for await (const pcm of audio) {
    const doubled = new Int16Array(pcm.length * 2);
    for (let i = 0; i < pcm.length; i++) {
      const sample = pcm[i] ?? 0;
      doubled[2 * i] = (last + sample) >> 1;
      doubled[2 * i + 1] = sample;
      last = sample;
    }
    if (!stdin.writable) return;
    stdin.write(pcmBytes(doubled));
  }
  stdin.end();
}
