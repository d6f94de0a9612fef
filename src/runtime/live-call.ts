import { newCallRecord } from '../call/call-records.ts';
import { endedByApi } from '../call/ended-by-api.ts';
import type { CallFacts } from '../call/facts.ts';
import type { InboundJob } from '../call/job.ts';
import { LONGEST_CALL_MS, tooLong } from '../call/limits.ts';
import type { OrderedDocument } from '../call/orders.ts';
import type { RecordingRecord } from '../call/record.ts';
import { completedCallbackId, statusCallbackTask } from '../call/status-callback.ts';
import { CALLBACK_ATTEMPTS } from '../call/tasks.ts';
import type { InboundLink } from '../control/link.ts';
import { sleep } from '../core/clock.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import { type Leg, LegEnded } from '../leg/port.ts';
import { runCall } from '../twiml/interpreter/run-call.ts';
import type { CallEnd, CallWorld } from '../twiml/interpreter/world.ts';
import { afterLoss, type Beginning } from './beginning.ts';
import { type CallConfiguration, callConfiguration } from './call-configuration.ts';
import type { OrderableCall } from './call-directory.ts';
import { CallLedger } from './call-ledger.ts';
import type { CallParts, Closable } from './call-parts.ts';
import { type CallDialer, createDialer } from './dialer.ts';
import { goOnAlone, untilShutdown } from './document-run.ts';
import { guarded } from './guarded.ts';
import { continueInterrupted, endInterrupted, interruptedRecordings } from './interrupted-recordings.ts';
import { notedAudio } from './noted-audio.ts';
import { notedWebhooks } from './noted-webhooks.ts';
import { patiently } from './patiently.ts';
import { type CallRecordingDesk, createRecordingDesk } from './recording-desk.ts';
import { arrivalEvents } from './task-events.ts';

/** Our choice: a call does not wait longer for its Region's Redis before its application is asked. */
const ANNOUNCE_MS = 250;

/**
 * Runs a granted call to its end and leaves its record on the way into the bucket. Hang-up does not cancel the
 * clean-up; a call that another worker owns by now is left alone.
 */
export async function runLiveCall(link: InboundLink, parts: CallParts, shutdown: AbortSignal): Promise<void> {
  const call = new LiveCall(link, parts);
  const leave = parts.calls.enter(call);
  try {
    await call.run(shutdown);
  } finally {
    leave();
    await call.cleanUp();
  }
}

class LiveCall implements OrderableCall {
  readonly leg: Closable<Leg>;
  readonly timeline: CallLedger;
  readonly desk: CallRecordingDesk;
  readonly #parts: CallParts;
  readonly #link: InboundLink;
  readonly #job: InboundJob;
  readonly #log: Logger;
  readonly #dialer: CallDialer;
  #facts: CallFacts;
  #world: CallWorld | undefined;
  #config: CallConfiguration | undefined;
  #closing: Promise<void> | undefined;
  /** How the API ended it. */
  #ordered: CallEnd | undefined;
  /** What the worker before was recording. */
  #interrupted: readonly RecordingRecord[] = [];

  constructor(link: InboundLink, parts: CallParts) {
    const { job } = link;
    const { clock } = parts;
    this.#parts = parts;
    this.#link = link;
    this.#job = job;
    this.#log = parts.logger.child({ CallSid: job.callSid, edge: job.ingressEdge });
    this.#facts = factsOf(job);
    this.leg = parts.legs.inbound(link);
    const waited = Math.max(0, clock.now() - job.createdAt);
    const { worker } = parts;
    const record = { ...newCallRecord(job), worker, epoch: job.epoch, queue_time: String(waited) };
    this.timeline = new CallLedger(record, parts, this.#log);
    this.desk = createRecordingDesk({ ...parts, facts: this.#facts, logger: this.#log });
    const { leg, timeline } = this;
    const { process } = link;
    const parent = { facts: this.#facts, leg, timeline, process, chain: job.chain };
    this.#dialer = createDialer({ parent, parts, goOn: goOnAlone(parts) });
  }

  get callSid(): string {
    return this.#job.callSid;
  }

  get inProgress(): boolean {
    return this.leg.state === 'answered';
  }

  redirect(document: OrderedDocument): boolean {
    this.#world?.onRedirect?.(document);
    return this.#world?.onRedirect !== undefined;
  }

  end(): void {
    if (this.leg.ended.aborted) return;
    this.#ordered = endedByApi(this.inProgress);
    this.#hangUp();
  }

  async run(shutdown: AbortSignal): Promise<void> {
    const longest = this.#parts.clock.after(LONGEST_CALL_MS, () => {
      this.timeline.report(tooLong(LONGEST_CALL_MS));
      this.#hangUp();
    });
    try {
      const end = await guarded(
        () => untilShutdown(shutdown, (signal) => this.#execute(signal)),
        this.timeline,
        this.#log,
      );
      if (this.leg.state === 'ringing' && end.status === 'failed') await this.leg.reject(503).catch(() => {}); // it ended meanwhile
      await this.leg.hangup();
      this.#closing = this.#dialer.close(); // not waited for here: their ends may have to wait for Redis
      await this.#finish(this.#ordered ?? end);
    } finally {
      longest.cancel();
    }
  }

  /** Its children are over before it gives up what it holds. */
  async cleanUp(): Promise<void> {
    await this.leg.close();
    await (this.#closing ?? this.#dialer.close());
    await this.timeline.flushed();
    await this.#link.release();
  }

  #hangUp(): void {
    this.leg.hangup().catch((error: unknown) => this.#log.warn({ error }, 'ending a call failed'));
  }

  /** Announces the call in the Region's store and says where its execution begins. */
  async #start(): Promise<Beginning> {
    const job = this.#job;
    if (job.epoch > 1) return this.#resume();
    const { timeline } = this;
    for (const { at: _, ...entry } of arrivalEvents(job)) timeline.add(entry, job.createdAt);
    const waited = Number(timeline.record.queue_time);
    timeline.add({ type: 'taken', worker: this.#parts.worker, epoch: 1, waited_ms: waited });
    timeline.change({});
    // An application may ask for a call as soon as it hears of it: its record is stored by then, unless Redis is away.
    await patiently(timeline.flushed(), this.#parts.clock, ANNOUNCE_MS);
    return { kind: 'fresh' };
  }

  async #resume(): Promise<Beginning> {
    const { store, storage, worker } = this.#parts;
    const { callSid, epoch } = this.#job;
    const before = await store.fetch(callSid);
    const lost = before?.worker ?? 'unknown';
    this.timeline.add({ type: 'worker-lost', epoch: epoch - 1, worker: lost });
    this.timeline.change({ ...before, worker, epoch });
    const beginning = await afterLoss(store, callSid, lost);
    if (beginning.kind === 'lost') return beginning;
    const verb = beginning.kind === 'resume' ? { verb: beginning.point.name } : {};
    this.timeline.add({ type: 'resumed', worker, epoch, ...verb });
    this.#interrupted = await interruptedRecordings(store, this.#job);
    await endInterrupted(this.#interrupted, lost, this.#job, storage);
    this.#log.warn({ lost, epoch, ...verb }, 'going on with a call whose worker was lost');
    return beginning;
  }

  async #execute(signal: AbortSignal): Promise<CallEnd> {
    // Both are sent to the Region's Redis at once. The call is announced first, whatever becomes of the other.
    const configuration = callConfiguration(this.#job, this.#parts.config);
    configuration.catch(() => {}); // thrown below
    const start = await this.#start();
    const config = await configuration;
    if ('code' in config) return this.#notConfigured(config);
    this.#config = config;
    if (start.kind === 'lost') return this.#giveUp(start.cause);
    const { clock, choices } = this.#parts;
    const report = (diagnostic: Diagnostic) => this.timeline.report(diagnostic);
    const callerName = config.voiceCallerIdLookup ? this.#job.callerName : null;
    this.#facts = { ...this.#facts, callerName };
    this.#world = {
      clock,
      facts: this.#facts,
      config,
      leg: this.leg,
      webhooks: notedWebhooks(this.#parts.webhooks(this.#job.accountSid, report), this.timeline),
      audio: notedAudio(this.#parts.audio, this.timeline),
      speech: this.#parts.speech,
      choices,
      recordings: this.desk,
      dialer: this.#dialer,
      timeline: this.timeline,
      report,
      // Not waited for: a call goes on when its Region's Redis is away, and the journal catches up.
      checkpoint: async (point) => this.timeline.journal(point),
      onRedirect: undefined,
    };
    await continueInterrupted(this.#interrupted, this, this.desk);
    return runCall(this.#world, start, signal);
  }

  #giveUp(cause: string): CallEnd {
    this.timeline.report(failure(12400, `${cause}: the call was ended`));
    this.timeline.add({ type: 'hangup', by: 'platform', cause });
    return { status: this.leg.state === 'answered' ? 'completed' : 'failed', cause };
  }

  /** The routed Region has no configuration for what was called: never another Region's (22199). */
  async #notConfigured(diagnostic: Diagnostic): Promise<CallEnd> {
    const { to, region } = this.#job;
    this.timeline.report(diagnostic);
    this.timeline.add({ type: 'rejected', status: 404, phrase: 'Not Found' });
    await this.leg.reject(404);
    return { status: 'failed', cause: `no configuration of ${to} in ${region}` };
  }

  async #finish(end: CallEnd): Promise<void> {
    if (await this.#ownedElsewhere()) return this.timeline.discard();
    const { callbacks, clock } = this.#parts;
    const record = this.timeline.end(end);
    await this.timeline.close(this.desk.settled());
    const callback = this.#config && statusCallbackTask(this.#config, record, clock.now());
    if (!callback) return;
    const id = completedCallbackId(record.sid);
    await this.timeline.surely(() => callbacks.add(callback, { id, ...CALLBACK_ATTEMPTS }));
  }

  /**
   * When the connection to the edge was lost the edge may live and have offered the call again. Waits until that
   * would have happened, then reads who owns the call.
   */
  async #ownedElsewhere(): Promise<boolean> {
    const reason: unknown = this.leg.ended.reason;
    if (!(reason instanceof LegEnded) || !['edge-lost', 'epoch-lost'].includes(reason.cause)) return false;
    const { clock, store, handoverMs } = this.#parts;
    const { epoch } = this.#job;
    await sleep(clock, handoverMs);
    const current = await store.fetch(this.callSid);
    const elsewhere = current === undefined || current.epoch > epoch;
    if (elsewhere) this.#log.warn({ epoch }, 'another worker owns this call now: leaving its record alone');
    return elsewhere;
  }
}

/** What is known of it; the name of its caller only where the number asks for it. */
function factsOf(job: InboundJob): CallFacts {
  return {
    callSid: job.callSid,
    accountSid: job.accountSid,
    from: job.from,
    to: job.to,
    direction: job.direction,
    parentCallSid: null,
    callerName: null,
    forwardedFrom: job.forwardedFrom,
    sip: job.sip,
    domain: job.domain,
  };
}
