import type { CallChain } from '../call/job.ts';
import { type Diagnostic, warning } from '../core/diagnostic.ts';

/** RFC 3261 §8.1.1.6. */
const MAX_FORWARDS = 70;

/**
 * Live calls that one call may lead to at one edge process. Our choice: three rounds of the ten parties a `<Dial>`
 * may call at once. A number whose document dials itself stops here, before it has taken every port of the machine.
 */
export const MOST_LIVE = 32;

/** A chain that begins with this call. */
export function newChain(callSid: string, maxForwards: string | undefined): CallChain {
  const forwards = Number(maxForwards ?? MAX_FORWARDS);
  return { origin: callSid, forwards: forwards <= 255 ? forwards : MAX_FORWARDS };
}

/**
 * The chain one call further. As a user agent in the middle does, each hop takes one off Max-Forwards (RFC 7332 §4),
 * so a loop ends even when it runs through somebody else's equipment; `live` ends one that runs through ours.
 */
export function nextInChain(chain: CallChain, live: number): CallChain | Diagnostic {
  const forwards = chain.forwards - 1;
  if (forwards > 0 && live < MOST_LIVE) return { ...chain, forwards };
  const found =
    forwards > 0
      ? `${live} calls that are live now come from one call, which is the most there may be`
      : 'the call has been passed on as often as Max-Forwards allows';
  return warning(
    32006,
    `Too many hops: ${found}. Look for a number that dials itself, or two that dial each other.`,
  );
}
