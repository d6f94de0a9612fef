import { AssertionError } from 'node:assert';
import type { CallStatus } from '../../call/record.ts';
import type { Call } from './call.ts';
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

/** The caller has heard this: part of it in either case, or a pattern. Throws AssertionError, as all of these do. */
export function assertHeard(call: Call, expected: Text): void {
  demand(heard(call, expected), assertHeard);
}

/** The call has dialled this number, SIP URI or application SID. */
export function assertDialed(call: Call, address: Text, wanted?: DialedWith): void {
  demand(dialed(call, address, wanted), assertDialed);
}

/** The application was asked at this URL or path, with these parameters among others. */
export function assertRequested(call: Call, url: Text, wanted?: RequestedWith): void {
  demand(requested(call, url, wanted), assertRequested);
}

/** The call is over, in this way. */
export function assertEnded(call: Call, wanted?: CallStatus | EndedWith): void {
  demand(ended(call, wanted), assertEnded);
}

/** Nothing was wrong with the application. */
export function assertNothingReported(call: Call): void {
  const { pass, message } = reported(call);
  demand({ pass: !pass, message }, assertNothingReported);
}

function demand({ pass, message }: Claim, stackStartFn: (...args: never[]) => void): void {
  if (!pass) throw new AssertionError({ message: message(), stackStartFn });
}
