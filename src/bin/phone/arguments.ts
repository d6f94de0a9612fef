import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { wrongDigit } from '../../media/stream/digit-frames.ts';
import { readWav } from '../../media/wav.ts';
import { parseUri } from '../../sip/message/uri.ts';
import type { Action, Start } from './script.ts';

/** Something on the command line that cannot be used: what was found, what was expected, what to do. */
export class UnusableArgument extends Error {
  override readonly name = 'UnusableArgument';
}

/** RFC 3261 §19.1.2. */
export const SIP_PORT = 5060;

/** Reads an option's value the way commander wants it refused. */
export function checked<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      throw error instanceof UnusableArgument ? new InvalidArgumentError(error.message) : error;
    }
  };
}

type Step =
  | { readonly kind: 'press'; readonly digits: string }
  | { readonly kind: 'play'; readonly path: string };

/** Adds --press and --play, which act in the order in which they are given; the result loads what they name. */
export function addSteps(command: Command, peer: 'callee' | 'caller'): () => Promise<readonly Action[]> {
  const steps: Step[] = [];
  command
    .option('--press <keys>', 'keys to press: 0-9 * # A-D, w waits 0.5 s, W 1 s', (keys) => {
      steps.push({ kind: 'press', digits: checked(readDigits)(keys) });
    })
    .option('--play <file>', `a WAV file to play to the ${peer}`, (path) => {
      steps.push({ kind: 'play', path });
    });
  return () =>
    Promise.all(
      steps.map(async (step) => (step.kind === 'press' ? step : { ...step, pcm: await readClip(step.path) })),
    );
}

function readDigits(text: string): string {
  const wrong = text === '' ? '' : wrongDigit(text);
  if (wrong === undefined) return text;
  const found = wrong === '' ? 'no keys' : `"${wrong}" in "${text}"`;
  throw new UnusableArgument(
    `found ${found}: expected keys 0-9 * # A-D, w for a pause of half a second, W for one of a second, such as 1w2#`,
  );
}

/** `60`, `60s`, `1.5s`, `800ms`, `2m` in milliseconds; at least one, at most a day. */
export function readDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's'];
  const ms = Math.round(Number(match?.[1] ?? Number.NaN) * (unit ?? Number.NaN));
  if (ms >= 1 && ms <= 86_400_000) return ms;
  throw new UnusableArgument(
    `"${text}" is not a length of time: expected seconds such as 60 or 60s, or 500ms, 2m`,
  );
}

export function readStart(text: string): Start {
  if (text === 'silence') return 'silence';
  return /^0(ms|s|m|h)?$/.test(text) ? { afterMs: 0 } : { afterMs: readDuration(text) };
}

/** `host:port`, `host`, `[v6]:port`. */
export function readAddress(text: string): { readonly host: string; readonly port: number } {
  const uri = parseUri(`sip:${text}`);
  if (uri && uri.user === undefined && uri.params.size === 0 && uri.headers.size === 0) {
    return { host: uri.host, port: uri.port ?? SIP_PORT };
  }
  throw new UnusableArgument(`"${text}" is not a SIP address: expected host:port such as 127.0.0.1:5060`);
}

async function readClip(path: string): Promise<Int16Array> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new UnusableArgument(
      `${resolve(path)} cannot be read (${codeOf(error)}): give --play the path of a WAV file`,
    );
  }
  const reading = readWav(bytes);
  if ('problem' in reading) {
    throw new UnusableArgument(
      `${resolve(path)} cannot be played: ${reading.problem}. Expected a WAV file, PCM or G.711`,
    );
  }
  return reading.pcm;
}

/** Finds out before the call whether the recording can be written after it. */
export async function checkWritable(path: string): Promise<void> {
  const folder = dirname(resolve(path));
  try {
    if ((await stat(path).catch(() => undefined))?.isDirectory())
      throw new UnusableArgument(`${path} is a folder`);
    await access(folder, constants.W_OK);
  } catch (error) {
    const found =
      error instanceof UnusableArgument ? error.message : `${folder} cannot be written to (${codeOf(error)})`;
    throw new UnusableArgument(`${found}: give --hear the path of a file in a folder that exists`);
  }
}

export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}
