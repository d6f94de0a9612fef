import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import type { Ids } from '../../core/ids.ts';

/** Our choice: long enough for a telephone to use one nonce for a few calls, short enough to bound what is remembered. */
const LIFETIME_MS = 300_000;
/** Our choice: nonces whose counts are remembered; only those that a right password came with. */
const REMEMBERED = 50_000;
/** Counts behind the highest that may still come: requests sent at once overtake each other over UDP. */
const WINDOW = 32;

/** 64·T1: a request is repeated for as long as this, and seldom across two of them. */
const REPEATED_MS = 32_000;

/** Hexadecimal digits of the parts of a nonce: when it was made, chance, and the proof that it is ours. */
const TIME = 12;
const CHANCE = 16;
const PROOF = 32;

export interface NonceOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly lifetimeMs?: number;
  readonly remembered?: number;
}

/** The counts with which a nonce was used. */
interface Use {
  readonly madeAt: number;
  highest: number;
  /** Bit n: the count `highest - n` has been there. */
  seen: number;
}

/**
 * Nonces that nothing is kept of until a right answer has come with them (RFC 7616 §5.4): each carries when it was
 * made and whom it was made for, proved by a secret of this process. A nonce of another process, or of this one before
 * it was started again, is not its own: to the peer it is one that is too old.
 */
export class Nonces {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #lifetimeMs: number;
  readonly #remembered: number;
  readonly #secret: string;
  /** In the order of first use. */
  readonly #uses = new Map<string, Use>();
  /** What was made by then and is not remembered may have been used and forgotten. */
  #forgottenUpTo = -1;

  constructor({ clock, ids, lifetimeMs = LIFETIME_MS, remembered = REMEMBERED }: NonceOptions) {
    this.#clock = clock;
    this.#ids = ids;
    this.#lifetimeMs = lifetimeMs;
    this.#remembered = remembered;
    this.#secret = ids.token(32);
  }

  /** Nonces whose counts are remembered. */
  get size(): number {
    return this.#uses.size;
  }

  /**
   * @param owner whom it is for; an answer from somebody else is no answer to it
   * @param request names a request and its repetitions, which then get the same nonce, as long as it is unused: its
   *   chance is drawn by our secret. Absent: another one each time
   */
  make(owner: string, request?: string): string {
    if (request !== undefined) {
      const now = this.#now;
      const time = now - (now % REPEATED_MS);
      const same = this.#signed(time, this.#proof(`${time} ${request}`, owner).slice(0, CHANCE), owner);
      const isGood = now - time <= this.#lifetimeMs && time > this.#forgottenUpTo;
      if (isGood && !this.#uses.has(same)) return same;
    }
    return this.#signed(this.#now, this.#ids.token(CHANCE / 2), owner);
  }

  #signed(madeAt: number, chance: string, owner: string): string {
    const body = madeAt.toString(16).padStart(TIME, '0') + chance;
    return body + this.#proof(body, owner);
  }

  /** Claims that `nonce` was made here for this owner, not too long ago. */
  isFresh(nonce: string, owner: string): boolean {
    if (nonce.length !== TIME + CHANCE + PROOF) return false;
    const body = nonce.slice(0, TIME + CHANCE);
    const proof = Buffer.from(nonce.slice(TIME + CHANCE), 'latin1');
    const wanted = Buffer.from(this.#proof(body, owner), 'latin1');
    if (proof.length !== wanted.length || !timingSafeEqual(proof, wanted)) return false;
    const madeAt = madeAtOf(nonce);
    if (this.#now - madeAt > this.#lifetimeMs) return false;
    return this.#uses.has(nonce) || madeAt > this.#forgottenUpTo;
  }

  /**
   * Takes a fresh nonce for a request whose answer was right; false when it was there before.
   * @param count `nc`; undefined for a peer that does not count (RFC 2069), for which a nonce is good once
   */
  use(nonce: string, count: number | undefined): boolean {
    const use = this.#uses.get(nonce);
    if (!use) {
      if (count === 0) return false; // counting begins with 1 (RFC 7616 §3.4)
      this.#remember(nonce, { madeAt: madeAtOf(nonce), highest: count ?? Number.POSITIVE_INFINITY, seen: 1 });
      return true;
    }
    return count !== undefined && count > 0 && advance(use, count);
  }

  get #now(): number {
    return Math.floor(this.#clock.monotonic());
  }

  #proof(body: string, owner: string): string {
    return createHmac('sha256', this.#secret)
      .update(`${body} ${owner}`, 'latin1')
      .digest('hex')
      .slice(0, PROOF);
  }

  #remember(nonce: string, use: Use): void {
    const now = this.#now;
    this.#uses.set(nonce, use);
    for (const [oldest, { madeAt }] of this.#uses) {
      const expired = now - madeAt > this.#lifetimeMs;
      if (!expired && this.#uses.size <= this.#remembered) break;
      this.#uses.delete(oldest);
      this.#forgottenUpTo = Math.max(this.#forgottenUpTo, madeAt);
    }
  }
}

const madeAtOf = (nonce: string) => Number.parseInt(nonce.slice(0, TIME), 16);

function advance(use: Use, count: number): boolean {
  const ahead = count - use.highest;
  if (ahead > 0) {
    use.seen = ahead < WINDOW ? ((use.seen << ahead) | 1) >>> 0 : 1;
    use.highest = count;
    return true;
  }
  if (-ahead >= WINDOW) return false;
  const bit = (1 << -ahead) >>> 0;
  if ((use.seen & bit) !== 0) return false;
  use.seen = (use.seen | bit) >>> 0;
  return true;
}
