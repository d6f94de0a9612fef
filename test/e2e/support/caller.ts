import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callCommand } from '../../../src/bin/call/call-command.ts';
import { until } from '../../support/until.ts';
import { readPcm } from '../../support/wav-compare.ts';

export interface PlacedCall {
  /** Everything said so far. */
  readonly printed: () => string;
  /** Waits until this was said. */
  says(pattern: RegExp): Promise<void>;
  /** 0 when it was answered. */
  readonly code: Promise<number>;
  hangUp(): void;
  /** What was heard, once the call is over; empty when it was not answered. */
  heard(): Promise<Int16Array>;
}

/** Callers with telephones of the product's own kind, in this process: SIP and RTP over real sockets. */
export class Callers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'trunkline-heard-'));
  readonly #sip: string;
  #placed = 0;

  constructor(sip: { readonly host: string; readonly port: number }) {
    this.#sip = `${sip.host}:${sip.port}`;
  }

  /** Calls `number`; `more` are further arguments of `trunkline call`. */
  call(number: string, ...more: string[]): PlacedCall {
    const file = join(this.#folder, `${this.#placed++}.wav`);
    const interrupt = new AbortController();
    let printed = '';
    const stdout = {
      write: (text: string) => {
        printed += text;
      },
    };
    const code = callCommand([number, '--hear', file, '--max', '30s', ...more], {
      stdout,
      sip: this.#sip,
      interrupt: interrupt.signal,
    });
    return {
      printed: () => printed,
      says: async (pattern) => {
        await until(`"${pattern}" from the caller`, () => pattern.test(printed)).catch((error: unknown) => {
          throw new Error(`${String(error)}; it said:\n${printed}`);
        });
      },
      code,
      hangUp: () => interrupt.abort(),
      heard: async () => {
        await code;
        return existsSync(file) ? readPcm(file) : new Int16Array();
      },
    };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
