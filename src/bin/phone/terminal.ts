import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommanderError } from 'commander';
import { writeWav } from '../../media/wav.ts';
import { codeOf, UnusableArgument } from './arguments.ts';
import type { Conversation } from './conversation.ts';

/** What a telephone on the command line talks to. */
export interface PhoneIo {
  readonly stdout: { write(text: string): unknown };
  /** Where complaints go; `stdout` when absent. */
  readonly stderr?: { write(text: string): unknown };
  /** Hangs up when aborted; Ctrl-C when absent. */
  readonly interrupt?: AbortSignal;
}

/** `PhoneIo` with lines. */
export class Terminal {
  readonly #io: PhoneIo;

  constructor(io: PhoneIo) {
    this.#io = io;
  }

  say(line: string): void {
    this.#io.stdout.write(`${line}\n`);
  }

  /** Text of commander's, which ends its lines itself. */
  readonly write = (text: string): void => {
    this.#io.stdout.write(text);
  };

  readonly complain = (text: string): void => {
    (this.#io.stderr ?? this.#io.stdout).write(text);
  };

  /** Runs a command to its exit code; what cannot be used on the command line is said and is 1. */
  async run(command: () => Promise<number>): Promise<number> {
    try {
      return await command();
    } catch (error) {
      if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
      if (!(error instanceof UnusableArgument)) throw error;
      this.complain(`error: ${error.message}\n`);
      return 1;
    }
  }

  /** The first Ctrl-C, or a SIGTERM such as `timeout` sends, hangs up; a second one ends the process as usual. */
  hangUpSignal(): Disposable & { readonly signal: AbortSignal } {
    const given = this.#io.interrupt;
    if (given) return { signal: given, [Symbol.dispose]: () => {} };
    const controller = new AbortController();
    const forget = () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    };
    const onSignal = () => {
      forget();
      controller.abort();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    return { signal: controller.signal, [Symbol.dispose]: forget };
  }

  /** Saves what was heard, says so, and claims that it could be saved. */
  async save(path: string, { heard, durationMs }: Conversation): Promise<boolean> {
    const wav = writeWav(heard.pcm(durationMs));
    try {
      await writeFile(path, wav);
    } catch (error) {
      const found = `${resolve(path)} (${codeOf(error)})`;
      this.complain(`What was heard could not be saved in ${found}: is the disk full?\n`);
      return false;
    }
    const seconds = (durationMs / 1_000).toFixed(1);
    this.say(`Saved what was heard in ${path}: ${seconds} s, ${wav.length} bytes.`);
    return true;
  }
}

/** A time since the beginning, as lines begin with it. */
export function timestamp(ms: number): string {
  return `${(ms / 1_000).toFixed(3).padStart(8)} s`;
}

/** How a call was, in two sentences. */
export function summary({ ending, durationMs, heard }: Conversation): string {
  const { packets, bytes, lost } = heard;
  const loss = lost === 0 ? 'none lost' : `${lost} lost`;
  const audio = packets === 0 ? 'no audio' : `${packets} packets, ${bytes} bytes of audio, ${loss}`;
  return `${ending} The call lasted ${(durationMs / 1_000).toFixed(1)} s; received ${audio}.`;
}

/** A peer's text on a terminal: no control characters, and not endless. */
export function plain(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ').slice(0, 200);
}
