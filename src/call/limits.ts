import { type Diagnostic, failure } from '../core/diagnostic.ts';

/** Four hours. @see https://www.twilio.com/docs/api/errors/32015 */
export const LONGEST_CALL_MS = 14_400_000;

/** A call that reached its time limit. */
export function tooLong(limitMs: number): Diagnostic {
  const seconds = (limitMs / 1_000).toLocaleString('en');
  return failure(32015, `the call reached its longest allowed length of ${seconds} s and was ended`);
}
