import { SipEnded } from './port.ts';

/**
 * A SipEnded without stack trace: a call that ends is no fault to be traced, and tracing costs more than the rest
 * of ending it.
 */
export function ended(...reason: ConstructorParameters<typeof SipEnded>): SipEnded {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new SipEnded(...reason);
  Error.stackTraceLimit = limit;
  return error;
}
