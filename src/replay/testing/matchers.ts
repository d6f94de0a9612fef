import type { CallStatus } from '../../call/record.ts';
import { Call } from './call.ts';
import {
  type Claim,
  type DialedWith,
  dialed,
  type EndedWith,
  ended,
  heard,
  type RequestedWith,
  reported,
  requested,
  type Text,
} from './claims.ts';

/** What `expect(call)` can say once `matchers` are added to it. `R` is what a matcher returns. */
export interface CallMatchers<R = void> {
  /** The caller has heard this: part of it in either case, or a pattern. */
  toHaveHeard(expected: Text): R;
  /** The call has dialled this number, SIP URI or application SID. */
  toHaveDialed(address: Text, wanted?: DialedWith): R;
  /** The application was asked at this URL or path, with these parameters among others. */
  toHaveRequested(url: Text, wanted?: RequestedWith): R;
  /** The call is over, in this way. */
  toHaveEnded(wanted?: CallStatus | EndedWith): R;
  /** A mistake of the application was reported: this one, or any. */
  toHaveReported(code?: number): R;
}

/** For `expect.extend(matchers)` of Vitest and Jest. */
export const matchers = {
  toHaveHeard: (call: unknown, expected: Text) => heard(checked(call), expected),
  toHaveDialed: (call: unknown, address: Text, wanted?: DialedWith) => dialed(checked(call), address, wanted),
  toHaveRequested: (call: unknown, url: Text, wanted?: RequestedWith) =>
    requested(checked(call), url, wanted),
  toHaveEnded: (call: unknown, wanted?: CallStatus | EndedWith) => ended(checked(call), wanted),
  toHaveReported: (call: unknown, code?: number) => reported(checked(call), code),
} satisfies { [Name in keyof CallMatchers]: (call: unknown, ...args: never[]) => Claim };

function checked(call: unknown): Call {
  if (call instanceof Call) return call;
  throw new TypeError('expected a call, as `await scenario(…)` gives it');
}
