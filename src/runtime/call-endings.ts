import { endRecord, newCallRecord } from '../call/call-records.ts';
import { validationResult } from '../call/caller-id-validation.ts';
import type { CallJob } from '../call/job.ts';
import { parseOutgoingJournal } from '../call/outbound-order.ts';
import { type CallRecord, TERMINAL_STATUSES } from '../call/record.ts';
import {
  completedCallbackId,
  factsOf,
  progressEvents,
  statusCallbackParameters,
  statusCallbackTask,
} from '../call/status-callback.ts';
import { CALLBACK_ATTEMPTS, type CallbackTask, type StorageTask } from '../call/tasks.ts';
import type { TimelineEntry, TimelineEvent } from '../call/timeline.ts';
import { isoMs } from '../core/dates.ts';
import type { CallArchive } from './call-archive.ts';
import { endCallback, recordedEndCallback } from './call-configuration.ts';
import type { RegionTasksOptions } from './region-tasks.ts';
import { arrivalEvents } from './task-events.ts';

type TaskOf<K extends StorageTask['kind']> = Extract<StorageTask, { readonly kind: K }>;
type End = Pick<TaskOf<'end-lost-call'>, 'status' | 'cause' | 'endedAt'>;

type Parts = Pick<RegionTasksOptions, 'store' | 'config' | 'callbacks' | 'clock' | 'logger'>;

/** Our choice: more applications than one lost call can have been in; each begins where the one around it waits. */
const MOST_CHILDREN = 1_000;

/** The ends of calls whose worker does not write them: record, timeline, last callback. Each may be run again. */
export class CallEndings {
  readonly #parts: Parts;
  readonly #archive: CallArchive;
  readonly #archiveEnded: (record: CallRecord) => Promise<void>;

  constructor(parts: Parts, archive: CallArchive, archiveEnded: (record: CallRecord) => Promise<void>) {
    this.#parts = parts;
    this.#archive = archive;
    this.#archiveEnded = archiveEnded;
  }

  /** An edge gave it up. */
  async finish(task: TaskOf<'finish-call'>): Promise<void> {
    const { store, clock, config } = this.#parts;
    const { job, endedAt } = task;
    const known = await store.fetch(job.callSid);
    if (this.#ownedElsewhere(known, job)) return;
    const ended = known && TERMINAL_STATUSES.has(known.status) ? known : await this.#end(task, known);
    if (known) await this.#endApplications(known, endedAt, () => true);
    const asked = await endCallback(job, config);
    await this.#close(ended, asked && statusCallbackTask(asked, ended, clock.now()));
  }

  /** No edge had it, or the edge was lost as well. */
  async endLost(task: TaskOf<'end-lost-call'>): Promise<void> {
    const { store } = this.#parts;
    const known = await store.fetch(task.callSid);
    if (!known || this.#ownedElsewhere(known, task)) return;
    await this.#endLost(known, task);
    await this.#endApplications(known, task.endedAt, () => true);
  }

  /**
   * An application that `<Dial>` called has no leg of its own, so no edge gives it up: when the worker of both is lost
   * it ends with the call that called it, which another worker has ended by now.
   */
  async endApplicationsOf(parent: CallRecord): Promise<void> {
    if (parent.epoch === 1 || parent.end_time === null) return; // it never changed hands
    await this.#endApplications(
      parent,
      Date.parse(parent.end_time),
      ({ worker }) => worker !== parent.worker,
    );
  }

  #ownedElsewhere(
    known: CallRecord | undefined,
    { callSid, epoch }: { readonly callSid: string; readonly epoch: number },
  ): boolean {
    if (!known || known.epoch <= epoch) return false;
    this.#parts.logger.warn({ CallSid: callSid, epoch }, 'another worker owns this call: left to it');
    return true;
  }

  async #endApplications(
    { account_sid, sid, created_at_ms }: CallRecord,
    endedAt: number,
    isLost: (child: CallRecord) => boolean,
  ): Promise<void> {
    const filter = { parentCallSid: sid, createdFrom: created_at_ms };
    const { items } = await this.#parts.store.list(account_sid, filter, 0, MOST_CHILDREN);
    for (const child of items) {
      // What has an edge is ended by that edge; an inbound call has no parent.
      if (TERMINAL_STATUSES.has(child.status) || child.egress_edge !== null || !isLost(child)) continue;
      const status = child.start_time === null ? 'failed' : 'completed';
      const cause = `worker ${child.worker} was lost, which held the call and the one that dialled it`;
      await this.#endLost(child, { status, cause, endedAt });
      await this.#endApplications(child, endedAt, isLost);
    }
  }

  async #endLost(known: CallRecord, end: End): Promise<void> {
    const { store, config, clock } = this.#parts;
    const over = TERMINAL_STATUSES.has(known.status);
    const ended = over ? known : endRecord(known, end, end.endedAt);
    if (!over) {
      const hangup: TimelineEntry = { type: 'hangup', by: 'platform', cause: end.cause };
      await this.#archive.addEvents(known.sid, [
        { at: isoMs(end.endedAt), ...hangup },
        callEnded(ended, end),
      ]);
      await store.save(ended);
    }
    const asked = await recordedEndCallback(ended, await store.timeline(ended.sid), config);
    await this.#close(ended, asked && statusCallbackTask(asked, ended, clock.now()));
  }

  /** Archives it, and tells its end: as what was called asks for it, or as its own journal does. */
  async #close(ended: CallRecord, configured: CallbackTask | undefined): Promise<void> {
    const callback = configured ?? (await this.#journaledCallback(ended)); // before its journal is dropped
    await this.#archiveEnded(ended);
    if (!callback) return;
    await this.#parts.callbacks.add(callback, { id: completedCallbackId(ended.sid), ...CALLBACK_ATTEMPTS });
  }

  async #journaledCallback(ended: CallRecord): Promise<CallbackTask | undefined> {
    if (ended.direction === 'inbound') return undefined; // its journal is a document
    if (ended.worker === null) return undefined; // nothing is told of a call that nobody placed
    const journal = await this.#parts.store.journal(ended.sid);
    const { statusCallback, told, validationCode } = (journal && parseOutgoingJournal(journal)) || {};
    if (!statusCallback || told === undefined) return undefined;
    if (!progressEvents(statusCallback.events).includes('completed')) return undefined;
    const { clock, store, config } = this.#parts;
    const facts = factsOf(ended);
    const stores = { callerIds: config.records.callerIds, store };
    const details = {
      at: clock.now(),
      sequence: told,
      ...(validationCode && { result: await validationResult(stores, facts, validationCode) }),
    };
    return {
      kind: 'status-callback',
      accountSid: ended.account_sid,
      callSid: ended.sid,
      url: statusCallback.url,
      method: statusCallback.method,
      params: statusCallbackParameters(facts, ended, details),
    };
  }

  /** Ends a call that no worker holds; its record is made here when no worker ever had it. */
  async #end(task: TaskOf<'finish-call'>, known: CallRecord | undefined): Promise<CallRecord> {
    const { store } = this.#parts;
    const { job, endedAt } = task;
    const record = known ?? newCallRecord(job);
    if (!known) await store.save(record);
    const ended = endRecord(
      { ...record, diagnostics: [...record.diagnostics, ...task.diagnostics] },
      task,
      endedAt,
    );
    await this.#archive.addEvents(job.callSid, [
      ...(await this.#arrivalOf(job)),
      ...task.timeline,
      ...task.diagnostics.map(
        ({ code, level, message }): TimelineEvent => ({
          at: isoMs(endedAt),
          type: 'diagnostic',
          code,
          level,
          message,
        }),
      ),
      callEnded(ended, task),
    ]);
    await store.save(ended);
    return ended;
  }

  /** Unless a worker has noted it. */
  async #arrivalOf(job: CallJob): Promise<readonly TimelineEvent[]> {
    const noted = (await this.#parts.store.timeline(job.callSid)).some(
      ({ type }) => type === 'call-received',
    );
    return noted ? [] : arrivalEvents(job);
  }
}

function callEnded(ended: CallRecord, { cause, endedAt }: End): TimelineEvent {
  const { status, duration } = ended;
  return { at: isoMs(endedAt), type: 'call-ended', status, duration_s: Number(duration), cause };
}
