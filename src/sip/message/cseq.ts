import { isToken, parseDecimal } from './grammar.ts';

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

/** RFC 3261 §8.1.1.5: expressible in 32 bits and below 2³¹. */
const LARGEST = 2 ** 31 - 1;

/** The CSeq header's value; undefined when it is malformed or its number too large (RFC 4475 §3.1.2.4). */
export function parseCSeq(value: string): CSeq | undefined {
  const space = value.search(/[ \t]/);
  if (space < 0) return undefined;
  const number = parseDecimal(value.slice(0, space), LARGEST);
  const method = value.slice(space + 1).trim();
  return number === undefined || !isToken(method) ? undefined : { number, method };
}
