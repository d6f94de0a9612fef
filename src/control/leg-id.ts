import type { DialRequest } from './protocol.ts';

/** What names a leg at its edge: the CallSid, and the number of its fork where the call has several. */
export function legIdOf({ job, fork }: Pick<DialRequest, 'job' | 'fork'>): string {
  return fork === undefined ? job.callSid : `${job.callSid}-${fork}`;
}

/** A leg's name as it may arrive. */
export const LEG_ID = /^CA[0-9a-f]{32}(-\d{1,3})?$/;
