import type { CallRecord } from '../call/record.ts';
import type { CallFilter } from './ports.ts';

/** The part of a call that list filters look at; kept beside the index so that filtering reads no records. */
export interface CallFacets {
  readonly accountSid: string;
  readonly createdAt: number;
  readonly status: string;
  readonly from: string;
  readonly to: string;
  readonly parentCallSid: string | null;
}

export function facetsOf(record: CallRecord): CallFacets {
  return {
    accountSid: record.account_sid,
    createdAt: record.created_at_ms,
    status: record.status,
    from: record.from,
    to: record.to,
    parentCallSid: record.parent_call_sid,
  };
}

/** Claims the call passes everything but the bounds on its creation, which the index order takes care of. */
export function matchesCall(filter: CallFilter, call: CallFacets): boolean {
  return (
    (filter.status === undefined || filter.status === call.status) &&
    (filter.from === undefined || filter.from === call.from) &&
    (filter.to === undefined || filter.to === call.to) &&
    (filter.parentCallSid === undefined || filter.parentCallSid === call.parentCallSid)
  );
}

/** Claims that only the bounds on the creation restrict the list. */
export function isUnfiltered(filter: CallFilter): boolean {
  return [filter.status, filter.from, filter.to, filter.parentCallSid].every((field) => field === undefined);
}
