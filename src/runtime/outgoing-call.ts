import { newCallRecord, secondsInCall } from '../call/call-records.ts';
import type { CallFacts } from '../call/facts.ts';
import type { OutboundJob } from '../call/job.ts';
import { LONGEST_CALL_MS, tooLong } from '../call/limits.ts';
import type { OrderedCallback, OrderedDocument } from '../call/orders.ts';
import type { OutgoingJournal } from '../call/outbound-order.ts';
import type { Withdrawal } from '../call/outcomes.ts';
import { type OutgoingEnd, outgoingEnd } from '../call/outgoing-end.ts';
import type { CallRecord } from '../call/record.ts';
import type { OutgoingLink } from '../control/link.ts';
import type { Timer } from '../core/clock.ts';
import { rfc2822 } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import { LegEnded, type OutgoingLeg } from '../leg/port.ts';
import type { CallEnd } from '../twiml/interpreter/world.ts';
import type { WebhookSession } from '../webhook/port.ts';
import type { OrderableCall } from './call-directory.ts';
import { CallLedger } from './call-ledger.ts';
import type { CallParts, Closable, Placement } from './call-parts.ts';
import { notedWebhooks } from './noted-webhooks.ts';
import { ObservedLink } from './observed-link.ts';
import { type PlacingOrder, place } from './placing.ts';
import { createProgressCallbacks, type ProgressCallbacks } from './progress-callbacks.ts';
import { type CallRecordingDesk, createRecordingDesk } from './recording-desk.ts';
import { surely } from './surely.ts';

export interface OutgoingOrder extends PlacingOrder {
  readonly statusCallback: OrderedCallback | null;
  /** From the answer; absent: the longest there is. */
  readonly timeLimitMs?: number;
  /** What prevents it from the start: it fails without anybody being called. */
  readonly refused: Diagnostic | undefined;
  /** Its record when it has one already. */
  readonly record?: CallRecord;
  /** What its last callback says beside the others, asked for once its record and its timeline are stored. */
  readonly result?: () => Promise<Readonly<Record<string, string>>>;
  /** Kept in its journal beside its status callback: what another process needs to end it. */
  readonly journal?: object;
}

/**
 * A call we make, from the moment it is asked for: placing it, its record, its timeline and its status callbacks.
 * Whoever asked for it decides what is done with its leg, and calls `finish` when that is over.
 */
export class OutgoingCall implements OrderableCall {
  readonly callSid: string;
  readonly leg: Closable<OutgoingLeg>;
  readonly facts: CallFacts;
  readonly timeline: CallLedger;
  readonly desk: CallRecordingDesk;
  readonly webhooks: WebhookSession;
  /** What is done with another document from the API; false, or nobody there: nothing can be. */
  onRedirect: ((document: OrderedDocument) => boolean) | undefined;
  readonly #order: OutgoingOrder;
  readonly #parts: CallParts;
  readonly #log: Logger;
  readonly #progress: ProgressCallbacks;
  readonly #placing: Promise<Placement>;
  readonly #leave: () => void;
  #process: string | undefined;
  #longest: Timer | undefined;
  #hangingUp: Promise<void> | undefined;
  #rings = false;
  #answered = false;
  #endedAt: number | undefined;
  #withdrawn: Withdrawal | undefined;
  #finished: Promise<void> | undefined;

  constructor(order: OutgoingOrder, parts: CallParts) {
    const { job } = order;
    const { worker, clock } = parts;
    this.callSid = job.callSid;
    this.#order = order;
    this.#parts = parts;
    this.#log = parts.logger.child({ CallSid: job.callSid });
    this.facts = factsOfJob(job);
    const record = order.record ?? newCallRecord({ ...job, egressEdge: null });
    const waited = Math.max(0, clock.now() - job.createdAt);
    this.timeline = new CallLedger({ ...record, worker, queue_time: String(waited) }, parts, this.#log);
    this.desk = createRecordingDesk({ ...parts, facts: this.facts, logger: this.#log });
    const session = parts.webhooks(job.accountSid, (warning) => this.timeline.report(warning));
    this.webhooks = notedWebhooks(session, this.timeline);
    const asked = order.statusCallback;
    this.#progress = createProgressCallbacks({ ...parts, asked, facts: this.facts, logger: this.#log });
    this.timeline.change({});
    for (const message of job.notes) this.timeline.add({ type: 'note', message });
    this.#journal();
    this.#placing = this.#place();
    this.leg = parts.legs.outgoing(this.#placing);
    this.leg.ended.addEventListener('abort', () => this.#over(), { once: true });
    this.#leave = parts.calls.enter(this);
  }

  /** The edge process that holds it; '' until one does. */
  get process(): string {
    return this.#process ?? '';
  }

  get answered(): boolean {
    return this.#answered;
  }

  get inProgress(): boolean {
    return this.answered && !this.leg.ended.aborted;
  }

  /** From answer to end, or until now, in s; 0 when it was never answered. */
  get duration(): number {
    return secondsInCall(this.timeline.record, this.#endedAt ?? this.#parts.clock.now());
  }

  /** How its leg ended; only when it has. */
  get outcome(): OutgoingEnd {
    const { reason } = this.leg.ended;
    const end = reason instanceof LegEnded ? reason : new LegEnded('local-hangup');
    return outgoingEnd({
      end,
      answered: this.answered,
      withdrawn: this.#withdrawn,
      placed: this.#process !== undefined,
      rang: this.#rings,
      choices: this.#parts.choices,
    });
  }

  /** Ends it and says why. Does nothing when it is over. */
  withdraw(why: Withdrawal): void {
    if (this.leg.ended.aborted) return;
    this.#withdrawn ??= why;
    this.#hangingUp = this.leg.hangup().catch((error: unknown) => {
      this.#log.warn({ error }, 'ending a call failed');
    });
  }

  end(): void {
    this.withdraw('api');
  }

  redirect(document: OrderedDocument): boolean {
    return this.onRedirect?.(document) ?? false;
  }

  /**
   * Ends it if it still lives, and writes down how it ended: as `verdict` says, or as its leg does. Resolves when the
   * record is certain to reach the bucket.
   */
  finish(verdict?: CallEnd): Promise<void> {
    this.#finished ??= this.#finish(verdict);
    return this.#finished;
  }

  async #finish(verdict: CallEnd | undefined): Promise<void> {
    await this.leg.hangup();
    await this.leg.close();
    this.#leave();
    const { outcome } = this;
    const { diagnostic }: { diagnostic?: Diagnostic } = this.leg.ended.reason;
    if (diagnostic) this.timeline.report(diagnostic);
    // What we ended ourselves, no document did.
    const withdrawn = this.answered && this.#withdrawn !== undefined;
    const { status, cause } = withdrawn ? outcome : (verdict ?? outcome);
    if (!this.timeline.hungUp) this.timeline.add({ type: 'hangup', by: outcome.by, cause }, this.#endedAt);
    const record = this.timeline.end({ status, cause }, this.#endedAt);
    // What the last callback says of a recording has to be so by then.
    if (this.desk.startedBy('OutboundAPI')) await this.desk.settled();
    const result = await this.#result();
    this.#progress.tell('completed', record, {
      ...(result && { result }),
      ...(outcome.sipStatus !== undefined && { sipResponseCode: outcome.sipStatus }),
      ...this.#recording(),
    });
    await this.#progress.settled();
    await this.timeline.close(this.desk.settled());
    const placement = await this.#placing;
    await this.#hangingUp; // an edge that was told to forget a call would not end it
    if (!('notDialled' in placement)) await placement.release();
  }

  async #result() {
    const { result, statusCallback } = this.#order;
    if (!result || !statusCallback) return undefined;
    await this.timeline.flushed();
    return await surely(result, this.#parts.clock, this.#log, 'what a call has come to cannot be read yet');
  }

  /** The recording of the whole call, where the API asked for one. */
  #recording() {
    const record = this.desk.startedBy('OutboundAPI');
    return record ? { recording: { record, url: record.media_url } } : {};
  }

  async #place(): Promise<Placement> {
    const { refused } = this.#order;
    if (refused) return { notDialled: refused };
    const { from, to } = this.facts;
    const isOver = () => this.leg.ended.aborted;
    const placement = await place(this.#order, this.#parts, {
      edge: (edge) => this.timeline.change({ egress_edge: edge }),
      invited: (edge, uri) => this.timeline.add({ type: 'call-placed', edge, from, to, uri }),
      note: (message) => this.timeline.add({ type: 'note', message }),
      get over() {
        return isOver();
      },
    });
    if ('notDialled' in placement) return placement;
    this.#holds(placement);
    this.#tell('initiated');
    return new ObservedLink(placement, {
      progress: (status, early) => this.#progressed(status, early),
      answered: () => {
        this.#holds(placement);
        this.#answer();
      },
    });
  }

  /** Which leg is the call's: of several devices, the one that answers has the last word. */
  #holds({ sipCallId, process, job }: OutgoingLink): void {
    this.#process = process;
    const egressEdge = job.direction === 'inbound' ? null : job.egressEdge;
    const { sip_call_id, egress_edge } = this.timeline.record;
    if (sip_call_id === sipCallId && egress_edge === egressEdge) return;
    this.timeline.change({ sip_call_id: sipCallId, egress_edge: egressEdge });
  }

  #progressed(status: number, early: boolean): void {
    if (this.leg.ended.aborted) return;
    this.timeline.add({ type: 'progress', status, early });
    if (status < 180 || this.#rings || this.answered) return;
    this.#rings = true;
    this.timeline.change({ status: 'ringing', date_updated: rfc2822(this.#parts.clock.now()) });
    this.#tell('ringing');
  }

  #answer(): void {
    if (this.leg.ended.aborted || this.answered) return;
    this.#answered = true;
    this.timeline.add({ type: 'answered' });
    this.#tell('answered');
    const limitMs = Math.min(this.#order.timeLimitMs ?? LONGEST_CALL_MS, LONGEST_CALL_MS);
    this.#longest = this.#parts.clock.after(limitMs, () => {
      this.timeline.report(tooLong(limitMs));
      this.withdraw('timeout');
    });
  }

  #tell(event: 'initiated' | 'ringing' | 'answered'): void {
    if (this.leg.ended.aborted) return; // it was withdrawn meanwhile: only its end is told
    const before = this.#progress.told;
    this.#progress.tell(event, this.timeline.record);
    if (this.#progress.told > before) this.#journal();
  }

  #journal(): void {
    const { statusCallback, journal } = this.#order;
    const point: OutgoingJournal = { ...journal, statusCallback, told: this.#progress.told };
    this.timeline.journal(point);
  }

  #over(): void {
    this.#endedAt = this.#parts.clock.now();
    this.#longest?.cancel();
  }
}

function factsOfJob(job: Omit<OutboundJob, 'egressEdge'>): CallFacts {
  const { callSid, accountSid, from, to, direction, parentCallSid } = job;
  return {
    callSid,
    accountSid,
    from,
    to,
    direction,
    parentCallSid,
    callerName: null,
    forwardedFrom: null,
    sip: null,
    domain: null,
  };
}
