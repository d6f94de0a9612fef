import { newCallRecord } from '../../call/call-records.ts';
import type { OutboundJob } from '../../call/job.ts';
import type { OutboundOrder } from '../../call/orders.ts';
import type { CallRecord, CallStatus } from '../../call/record.ts';
import type { Application } from '../../config/applications.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { ApiError, invalid } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { applicationOf } from './applications.ts';
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
  const { warnings, ...parties } = await readParties(options, accountSid, form);
  const read = readTerms(form, await callApplication(options, accountSid, form));
  const order = { accountSid, ...parties, ...read.terms };
  return await queueCall(options, order, { warnings: [...warnings, ...read.warnings] });
}

/**
 * Queues a call: see `createCall`.
 *
 * @throws ApiError 503
 */
export async function queueCall(
  options: RegionOptions,
  ordered: Omit<OutboundOrder, 'callSid'>,
  { warnings = [], delayMs = 0 }: { warnings?: readonly Diagnostic[]; delayMs?: number },
): Promise<CallRecord> {
  const { region, clock, ids, store } = options;
  const { accountSid, to, from } = ordered;
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
  const order: OutboundOrder = { callSid: job.callSid, ...ordered };
  const record = { ...newCallRecord(job), diagnostics: [...warnings] };
  try {
    await store.update(job.callSid, { record, journal: JSON.stringify(order) });
    await options.calls.add(job, { delayMs: delayMs + (await options.pace.next(accountSid)) });
  } catch (error) {
    options.logger.error(
      { CallSid: job.callSid, err: error },
      'a call that the API created cannot be queued',
    );
    const cause = `the call queue of ${region.id} could not be reached`;
    // The same Redis, so it is not waited for: what was stored all the same is ended by the Region's watch.
    finishUntaken(options, job, 'failed', cause).catch(() => {});
    throw new ApiError(503, 20503, `${cause}; try again.`, { 'Retry-After': '5' });
  }
  return record;
}

/** The application that answers for a new call. @throws ApiError 21218 */
async function callApplication(
  options: RegionOptions,
  accountSid: string,
  form: Parameters,
): Promise<Application | undefined> {
  const sid = form.filled('ApplicationSid');
  if (sid === undefined) return undefined;
  const application = await applicationOf(options, accountSid, sid);
  if (application) return application;
  const { id } = options.region;
  throw invalid(21218, `ApplicationSid ${sid}: ${id} has no such application of this account.`);
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
