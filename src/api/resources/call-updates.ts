import type { OutboundJob } from '../../call/job.ts';
import type { CallOrder, OrderReply } from '../../call/orders.ts';
import { type CallRecord, TERMINAL_STATUSES } from '../../call/record.ts';
import { sleep } from '../../core/clock.ts';
import { OrderUnanswered } from '../../queue/port.ts';
import { ApiError, invalid } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';
import type { RegionOptions } from '../region-options.ts';
import { finishUntaken } from './call-creation.ts';
import { readDocument } from './call-order.ts';

/** How often, and how many times, the store is looked at for what an order has brought about. Our choice: 2 s. */
const LOOK_MS = 50;
const LOOKS = 40;

/** Parameters of an update that change what only the creation of a call can say here. */
const FIXED = ['StatusCallback', 'StatusCallbackMethod', 'TimeLimit'] as const;

/**
 * Changes a call that is not over: ends it, or gives it another document.
 *
 * @see https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
 * @throws ApiError
 */
export async function updateCall(
  options: RegionOptions,
  call: CallRecord,
  form: Parameters,
): Promise<CallRecord> {
  const fixed = FIXED.find((name) => form.filled(name) !== undefined);
  if (fixed) throw invalid(20001, `${fixed} cannot be changed here once a call was created.`);
  const status = form.oneOf('Status', ['canceled', 'completed']);
  const { document, warnings } = readDocument(form);
  if (status !== undefined && document !== undefined) {
    throw invalid(20001, 'Status ends the call, Url and Twiml let it go on: give one of them.');
  }
  if (status === undefined && document === undefined) {
    throw invalid(20001, 'Nothing to change: give Status (canceled, completed), Url or Twiml.');
  }
  if (TERMINAL_STATUSES.has(call.status)) throw wrongState(`Call ${call.sid} is over: ${call.status}.`);
  if (status !== undefined) return await end(options, call, status);
  if (call.status === 'queued')
    throw wrongState(`Call ${call.sid} is queued; it can be cancelled until it rings.`);
  if (document) {
    const noted = warnings.length > 0 && { warnings };
    await command(options, call, { kind: 'redirect', callSid: call.sid, document, ...noted });
  }
  return (await options.store.fetch(call.sid)) ?? call;
}

/** Carries an order to the worker that runs the call. @throws ApiError when it cannot be carried out */
export async function command(
  options: RegionOptions,
  call: CallRecord,
  order: CallOrder,
): Promise<Extract<OrderReply, { ok: true }>> {
  const { worker } = call;
  if (worker === null) throw wrongState(`Call ${call.sid} has no worker yet; try again.`);
  let reply: OrderReply;
  try {
    reply = await options.orders.send(worker, order);
  } catch (error) {
    if (!(error instanceof OrderUnanswered)) throw error;
    options.logger.warn({ CallSid: call.sid, err: error }, 'an order was not answered');
    throw new ApiError(503, 20503, `The worker of call ${call.sid} does not answer; try again.`, {
      'Retry-After': '1',
    });
  }
  if (reply.ok) return reply;
  throw wrongState(reply.message);
}

async function end(
  options: RegionOptions,
  call: CallRecord,
  status: 'canceled' | 'completed',
): Promise<CallRecord> {
  if (status === 'canceled' && call.status === 'in-progress') {
    throw wrongState(`Call ${call.sid} is in-progress and cannot be cancelled; Status=completed ends it.`);
  }
  const live =
    call.direction === 'outbound-api' && call.worker === null ? await withdrawn(options, call) : call;
  if (live) await command(options, live, { kind: 'end', callSid: call.sid, status });
  return await look(options, call, (found) => TERMINAL_STATUSES.has(found.status));
}

/**
 * Takes a call out of the queue, or ends one that never reached it; one that a worker was faster to take is returned as
 * that worker keeps it.
 */
async function withdrawn(options: RegionOptions, call: CallRecord): Promise<CallRecord | undefined> {
  if (!(await options.calls.withdraw(call.sid, call.epoch))) {
    const taken = ({ worker, status }: CallRecord) => worker !== null || TERMINAL_STATUSES.has(status);
    const found = await look(options, call, taken);
    if (taken(found) || (await options.calls.holds(call.sid, call.epoch))) return found;
  }
  const job: OutboundJob = {
    callSid: call.sid,
    epoch: call.epoch,
    accountSid: call.account_sid,
    region: call.region,
    direction: 'outbound-api',
    from: call.from,
    to: call.to,
    parentCallSid: null,
    egressEdge: null,
    createdAt: call.created_at_ms,
    notes: [],
  };
  await finishUntaken(options, job, 'canceled', 'it was canceled through the API while it was queued');
  return undefined;
}

/** The call's record once it is as expected, or as it is after a while. */
async function look(
  { store, clock }: RegionOptions,
  call: CallRecord,
  expected: (record: CallRecord) => boolean,
): Promise<CallRecord> {
  let found = call;
  for (let looks = 0; looks < LOOKS; looks++) {
    found = (await store.fetch(call.sid)) ?? found;
    if (expected(found)) break;
    await sleep(clock, LOOK_MS);
  }
  return found;
}

/** @see https://www.twilio.com/docs/api/errors/21220 */
function wrongState(message: string): ApiError {
  return invalid(21220, message);
}
