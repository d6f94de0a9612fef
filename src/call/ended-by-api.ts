import type { CallStatus } from './record.ts';

/** How a call that came in is written down when the API ends it. */
export function endedByApi(answered: boolean): { readonly status: CallStatus; readonly cause: string } {
  return answered
    ? { status: 'completed', cause: 'it was ended through the API' }
    : { status: 'canceled', cause: 'it was canceled through the API' };
}
