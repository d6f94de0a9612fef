import { createCipheriv, createDecipheriv } from 'node:crypto';
import { MOST_DIAGNOSTICS } from '../../call/call-records.ts';

/**
 * The SIDs of notifications, which are kept nowhere: a notification is the nth diagnostic of a call, and its SID says
 * of which. A call's SID is first permuted, so that the SIDs of calls that follow one another do not overlap, and n is
 * added. What is permuted with is no secret: whoever asks is shown the calls of one account only.
 */
const PERMUTATION = Buffer.alloc(16);
const ALL = 1n << 128n;

/** `NO` and 32 hex digits: the same for the same diagnostic, always. */
export function notificationSid(callSid: string, index: number): string {
  const cipher = createCipheriv('aes-128-ecb', PERMUTATION, null).setAutoPadding(false);
  const permuted = BigInt(`0x${cipher.update(callSid.slice(2), 'hex', 'hex')}`);
  return `NO${hex((permuted + BigInt(index)) % ALL)}`;
}

/** The diagnostics that a SID may stand for: as many as a call can have, each of another call. */
export function* candidatesOf(sid: string): Generator<{ readonly callSid: string; readonly index: number }> {
  const number = BigInt(`0x${sid.slice(2)}`);
  for (let index = 0; index < MOST_DIAGNOSTICS; index++) {
    const permuted = hex((number - BigInt(index) + ALL) % ALL);
    const cipher = createDecipheriv('aes-128-ecb', PERMUTATION, null).setAutoPadding(false);
    yield { callSid: `CA${cipher.update(permuted, 'hex', 'hex')}`, index };
  }
}

function hex(number: bigint): string {
  return number.toString(16).padStart(32, '0');
}
