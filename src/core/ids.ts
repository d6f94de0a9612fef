import { randomBytes } from 'node:crypto';

/**
 * Twilio's SID prefixes: what the two letters stand for.
 * @see https://www.twilio.com/docs/glossary/what-is-a-sid
 */
export type SidPrefix =
  | 'AC'
  | 'CA'
  | 'RE'
  | 'PN'
  | 'QQ'
  | 'SK'
  | 'NO'
  | 'TX'
  | 'SD'
  | 'TK'
  | 'AL'
  | 'IP'
  | 'CL'
  | 'CR'
  | 'AP'
  | 'RB'
  | 'TR';

/** The source of every identifier and of chance. Deterministic in replay. */
export interface Ids {
  /** `<prefix>` and 32 lower-case hexadecimal digits. */
  sid(prefix: SidPrefix): string;
  /** `bytes` random bytes as hexadecimal: tags, branches, nonces, idempotency tokens. */
  token(bytes: number): string;
  /** A random integer, 0 ≤ n < 2³². */
  uint32(): number;
}

/** Identifiers from the operating system's random source, read in blocks: a call takes several. */
export class RandomIds implements Ids {
  #block = Buffer.alloc(0);

  #take(bytes: number): Buffer {
    if (this.#block.length < bytes) this.#block = randomBytes(Math.max(4096, bytes));
    const taken = this.#block.subarray(0, bytes);
    this.#block = this.#block.subarray(bytes);
    return taken;
  }

  sid(prefix: SidPrefix): string {
    return prefix + this.token(16);
  }

  token(bytes: number): string {
    return this.#take(bytes).toString('hex');
  }

  uint32(): number {
    return this.#take(4).readUInt32BE();
  }
}

/** Identifiers that count up, for replay and tests. */
export class CountingIds implements Ids {
  #next: number;

  constructor(first = 1) {
    this.#next = first;
  }

  sid(prefix: SidPrefix): string {
    return prefix + this.token(16);
  }

  token(bytes: number): string {
    return (this.#next++)
      .toString(16)
      .padStart(bytes * 2, '0')
      .slice(-bytes * 2);
  }

  uint32(): number {
    return this.#next++;
  }
}

const SID = /^[A-Z]{2}[0-9a-f]{32}$/;

/** Claims `text` has the shape of a SID with this prefix. */
export function isSid(text: string, prefix: SidPrefix): boolean {
  return SID.test(text) && text.startsWith(prefix);
}
