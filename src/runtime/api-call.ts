import { validationResult } from '../call/caller-id-validation.ts';
import { createdEntry } from '../call/created-entry.ts';
import type { OutboundJob } from '../call/job.ts';
import type { OutboundOrder } from '../call/orders.ts';
import { parseOutboundOrder } from '../call/outbound-order.ts';
import { type CallRecord, TERMINAL_STATUSES } from '../call/record.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import type { TakenCall } from '../queue/port.ts';
import { beginCreated, createdParameters, createdTarget } from '../twiml/interpreter/created-call.ts';
import type { CallEnd } from '../twiml/interpreter/world.ts';
import { CallLedger } from './call-ledger.ts';
import type { CallParts } from './call-parts.ts';
import { userOf } from './dialer.ts';
import { runDocument } from './document-run.ts';
import { OutgoingCall } from './outgoing-call.ts';
import { surely } from './surely.ts';

/**
 * Makes a call that the REST API created and executes its document, to the call's end. The job is done before anybody
 * is called: a call is rather not made than made twice.
 */
export async function runApiCall(
  job: OutboundJob,
  taken: TakenCall,
  parts: CallParts,
  shutdown: AbortSignal,
): Promise<void> {
  const { store, clock, worker } = parts;
  const log = parts.logger.child({ CallSid: job.callSid });
  const reading = <T>(read: () => Promise<T>) =>
    surely(read, clock, log, 'what the API ordered cannot be read yet');
  const known = await reading(() => store.fetch(job.callSid));
  if (!known || TERMINAL_STATUSES.has(known.status)) {
    log.info({ status: known?.status }, 'a call that waited was canceled: nobody is called');
    return taken.complete('gone');
  }
  const journal = await reading(() => store.journal(job.callSid));
  const record = { ...known, worker };
  // From here on orders find this worker, and the call is found when this worker is lost.
  await reading(() => store.update(job.callSid, { record }));
  try {
    await taken.complete('granted');
  } catch (error) {
    // Another worker may be given the job again, and finds the call over.
    return await fail(record, `its job could not be taken out of the queue: ${error}`, parts, log);
  }
  const order = readOrder(journal, log);
  if (!order)
    return await fail(record, 'what the API ordered for it is not in the store any more', parts, log);
  await new ApiCall(job, order, record, parts).run(shutdown);
}

function readOrder(journal: string | undefined, log: Logger): OutboundOrder | undefined {
  try {
    return journal === undefined ? undefined : parseOutboundOrder(journal);
  } catch (error) {
    log.error({ error }, 'what the API ordered cannot be read');
    return undefined;
  }
}

async function fail(record: CallRecord, cause: string, parts: CallParts, log: Logger): Promise<void> {
  const ledger = new CallLedger(record, parts, log);
  ledger.report(failure(12400, `${cause}: nobody was called`));
  ledger.end({ status: 'failed', cause });
  await ledger.close(Promise.resolve());
}

class ApiCall {
  readonly #parts: CallParts;
  readonly #order: OutboundOrder;
  readonly #call: OutgoingCall;

  constructor(job: OutboundJob, order: OutboundOrder, record: CallRecord, parts: CallParts) {
    const { target, diagnostics } = createdTarget(order);
    const { validationCode } = order;
    const stores = { callerIds: parts.config.records.callerIds, store: parts.store };
    this.#parts = parts;
    this.#order = order;
    this.#call = new OutgoingCall(
      {
        job,
        target: target ?? { kind: 'number', number: order.to },
        fromUser: userOf(order.from),
        onBehalfOf: [],
        near: undefined,
        statusCallback: order.statusCallback,
        timeLimitMs: order.timeLimitMs,
        refused: target ? undefined : diagnostics.at(-1),
        record: { ...record, diagnostics: [] }, // reported below, once and in the timeline too
        ...(validationCode && { result: () => validationResult(stores, order, validationCode) }),
        journal: { ...order, credentials: null }, // needed to place it, and kept no longer
      },
      parts,
    );
    const waited = Number(this.#call.timeline.record.queue_time);
    this.#call.timeline.add(createdEntry(order), job.createdAt);
    this.#call.timeline.add({ type: 'taken', worker: parts.worker, epoch: job.epoch, waited_ms: waited });
    // What its URI lacks was noticed when it was created.
    for (const diagnostic of record.diagnostics) this.#call.timeline.report(diagnostic);
  }

  async run(shutdown: AbortSignal): Promise<void> {
    const call = this.#call;
    const { clock } = this.#parts;
    const timeout = clock.after(this.#order.timeoutMs, () => call.withdraw('timeout'));
    let cut: CallEnd | undefined;
    const onShutdown = () => {
      cut = { status: 'failed', cause: 'the worker was shut down before the answer' };
      call.withdraw('caller-gone');
    };
    if (shutdown.aborted) onShutdown();
    shutdown.addEventListener('abort', onShutdown, { once: true });
    const answered = await call.leg.answered.then(
      () => true,
      () => false,
    );
    timeout.cancel();
    shutdown.removeEventListener('abort', onShutdown);
    await call.finish(answered ? await this.#converse(shutdown) : cut);
  }

  async #converse(shutdown: AbortSignal): Promise<CallEnd> {
    const call = this.#call;
    const { leg, timeline, desk } = call;
    const report = (diagnostic: Diagnostic) => timeline.report(diagnostic);
    const order = this.#order;
    await beginCreated({ leg, timeline, desk, report }, order, shutdown);
    return await runDocument(call, order.document, this.#parts, shutdown, createdParameters(order));
  }
}
