import { newCallRecord } from '../../call/call-records.ts';
import type { OutboundJob } from '../../call/job.ts';
import type { OutboundOrder } from '../../call/orders.ts';
import type { CallRecord, CallStatus } from '../../call/record.ts';
import { ApiError } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { readTerms } from './call-order.ts';
import { readParties } from './call-parties.ts';

/**
 * Creates a call: its record is `queued`, its order kept in the Region's store, its job on the way to a worker as
 * soon as the account's pace allows.
 *
 * @see https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
 * @throws ApiError
 */
export async function createCall(
  options: RegionOptions,
  accountSid: string,
  form: Parameters,
): Promise<CallRecord> {
  const { to, from, credentials, warnings } = await readParties(options, accountSid, form);
  const read = readTerms(form);
  const { region, clock, ids, store } = options;
  const job: OutboundJob = {
    callSid: ids.sid('CA'),
    epoch: 1,
    accountSid,
    region: region.id,
    direction: 'outbound-api',
    from,
    to,
    parentCallSid: null,
    egressEdge: null,
    createdAt: clock.now(),
    notes: [],
  };
  const order: OutboundOrder = { callSid: job.callSid, accountSid, to, from, credentials, ...read.terms };
  const record = { ...newCallRecord(job), diagnostics: [...warnings, ...read.warnings] };
  try {
    await store.update(job.callSid, { record, journal: JSON.stringify(order) });
    await options.calls.add(job, { delayMs: await options.pace.next(accountSid) });
  } catch (error) {
    options.logger.error(
      { CallSid: job.callSid, err: error },
      'a call that the API created cannot be queued',
    );
    const cause = `the call queue of ${region.id} could not be reached`;
    // The same Redis: the answer says it, and what was stored all the same is ended by the Region's watch.
    await finishUntaken(options, job, 'failed', cause).catch(() => {});
    throw new ApiError(503, 20503, `${cause}; try again.`, { 'Retry-After': '5' });
  }
  return record;
}

/** Leaves the end of a call that no worker has, or ever had, to the Region's tasks. */
export async function finishUntaken(
  { storage, clock }: RegionOptions,
  job: OutboundJob,
  status: CallStatus,
  cause: string,
): Promise<void> {
  const endedAt = clock.now();
  await storage.add(
    { kind: 'finish-call', job, status, cause, endedAt, diagnostics: [], timeline: [] },
    { id: `finish-${job.callSid}-${job.epoch}`, attempts: 20, backoffMs: 500 },
  );
}
