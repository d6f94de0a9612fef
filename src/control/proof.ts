import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RegionId } from '../region/region.ts';

/** What both sides know once challenge and hello have been exchanged. */
export interface Handshake {
  readonly process: string;
  readonly edgeNonce: string;
  readonly worker: string;
  readonly region: RegionId;
  readonly workerNonce: string;
}

export type Side = 'worker' | 'edge';

/**
 * The proof that `side` knows the secret: HMAC-SHA256, in hex, over everything the handshake said. The side is part
 * of it, so that a proof sent back to its author proves nothing; JSON keeps the parts apart.
 */
export function proof(secret: string, side: Side, handshake: Handshake): string {
  const { process, edgeNonce, worker, region, workerNonce } = handshake;
  return createHmac('sha256', secret)
    .update(JSON.stringify([side, edgeNonce, workerNonce, process, worker, region]))
    .digest('hex');
}

/** Compares two proofs in constant time. */
export function sameProof(expected: string, received: string): boolean {
  const a = Buffer.from(expected, 'hex');
  const b = Buffer.from(received, 'hex');
  return a.length === b.length && timingSafeEqual(a, b);
}
