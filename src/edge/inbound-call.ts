import { type InboundJob, jobId } from '../call/job.ts';
import type { CallStatus } from '../call/record.ts';
import type { TimelineEntry } from '../call/timeline.ts';
import type { CommandResult } from '../control/link.ts';
import type { LegCommand } from '../control/protocol.ts';
import type { ClaimAnswer, ClaimRequest, EdgeEnd } from '../control/server.ts';
import type { Timer } from '../core/clock.ts';
import { failure } from '../core/diagnostic.ts';
import type { LegEndCause } from '../leg/port.ts';
import type { InboundInvite } from '../sip/agent/port.ts';
import { type EdgeCall, type EdgeCallOptions, endOf, type PartnerOf } from './edge-call.ts';
import { EdgeLeg } from './edge-leg.ts';
import { Tenure } from './tenure.ts';

/**
 * How long a caller may wait for an answer. Our choice: the longest `timeout` of a `<Dial>`, 600 s, and half a minute
 * for the documents around it. Over UDP nothing else tells that a caller has vanished while it rang.
 */
export const RING_LIMIT_MS = 630_000;

export interface InboundCallOptions extends EdgeCallOptions {
  readonly job: InboundJob;
  readonly invite: InboundInvite;
  /** How long an offer may stay unclaimed. */
  readonly dispatchTimeoutMs: number;
  /** How long a call waits for its worker's connection to come back before it is offered again. */
  readonly graceMs: number;
}

/**
 * One inbound call at its edge: the dialog, the media relay, and who in the Region owns it. The dialog lives here
 * for the whole call; owners come and go by epoch.
 */
export class InboundCall implements EdgeCall {
  #job: InboundJob;
  readonly #tenure: Tenure;
  readonly #leg: EdgeLeg;
  readonly #ringing: Timer;
  /** While the call is offered, or its worker is lost. */
  #waiting: Timer | undefined;
  #ended: EdgeEnd | undefined;
  /** The caller hears us before the answer. */
  #heard = false;
  #closed = false;
  readonly #o: InboundCallOptions;

  constructor(options: InboundCallOptions) {
    const { invite, job, owner, clock } = options;
    this.#o = options;
    this.#job = job;
    this.#tenure = new Tenure(job.epoch);
    this.#leg = new EdgeLeg({
      relay: options.relayLeg,
      media: options.media,
      logger: options.logger,
      news: {
        format: (format) => owner.notifyFormat(job.callSid, this.#tenure.epoch, format),
        referred: (status, final) => owner.notifyReferred(job.callSid, this.#tenure.epoch, status, final),
        refer: (referTo) => {
          if (this.#tenure.state !== 'held') return false;
          owner.notifyRefer(job.callSid, this.#tenure.epoch, referTo);
          return true;
        },
        unusable: () => this.#end({ cause: 'transport-failed' }, () => this.#leg.bye()),
      },
      onSilent: () => this.#end({ cause: 'media-timeout' }, () => this.#hangUp()),
    });
    this.#ringing = clock.after(RING_LIMIT_MS, () => this.#rangTooLong());
    const over = () => this.#end(endOf(invite.ended.reason), () => {});
    invite.ended.addEventListener('abort', over, { once: true });
  }

  get job(): InboundJob {
    return this.#job;
  }

  /** Puts the call into its Region's queue. */
  async offer(): Promise<void> {
    const job = this.#job;
    this.#waiting = this.#o.clock.after(this.#o.dispatchTimeoutMs, () => this.#nobodyTookIt());
    try {
      await this.#o.dispatch.offer(job);
    } catch (error) {
      this.#o.logger.error(
        { error, job: jobId(job.callSid, job.epoch) },
        `the queue of ${job.region} cannot be reached`,
      );
      if (this.#tenure.state === 'offered' && this.#tenure.epoch === job.epoch) {
        this.#giveUp(`the call queue of ${job.region} could not be reached`);
      }
      return;
    }
    if (this.#ended) await this.#o.dispatch.withdraw(job); // the caller left while the job was being queued
  }

  claim({ epoch, worker, region, media }: ClaimRequest): ClaimAnswer {
    if (this.#ended) return { refused: 'gone' };
    if (region !== this.#job.region) return { refused: 'wrong-region' };
    const verdict = this.#tenure.apply({ type: 'claim', epoch, worker });
    if (verdict !== 'ok') return { refused: verdict === 'ignored' ? 'gone' : verdict };
    this.#waiting?.cancel();
    this.#leg.attach(media);
    return { granted: { job: this.#job, leg: this.#leg.grantedBy(this.#o.relay.inner) } };
  }

  async command(epoch: number, command: LegCommand, partnerOf: PartnerOf): Promise<CommandResult> {
    const verdict = this.#tenure.applyOf(epoch, 'command');
    const worker = this.#tenure.worker;
    if (this.#ended) throw new Error(`the leg has ended: ${this.#ended.cause}`);
    if (verdict !== 'ok' || worker === undefined) throw new Error(`epoch ${epoch} no longer owns this call`);
    switch (command.verb) {
      case 'answer':
        this.#answer();
        return {};
      case 'progress':
        this.#progress();
        return {};
      case 'reject':
        this.#reject(command.status, command.phrase);
        return {};
      case 'hangup':
        this.#end({ cause: 'local-hangup' }, () => this.#hangUp());
        return {};
      default:
        return this.#leg.command(command, (other) => partnerOf(other, worker));
    }
  }

  release(epoch: number): void {
    if (this.#tenure.applyOf(epoch, 'release') !== 'ok') return;
    if (!this.#ended) this.#endLeg({ cause: 'local-hangup' }, () => this.#hangUp());
    this.#close();
  }

  lost(worker: string): void {
    if (this.#tenure.apply({ type: 'lost', worker }) !== 'ok') return;
    this.#leg.attach(undefined);
    if (this.#ended) {
      return this.#endUnheld(`worker ${worker} was lost before it had stored the end of the call`);
    }
    this.#waiting = this.#o.clock.after(this.#o.graceMs, () => this.#offerAgain(worker));
  }

  shutDown(): void {
    this.#end({ cause: 'shutdown' }, () => this.#hangUp());
  }

  legHeldBy(worker: string): EdgeLeg | undefined {
    return !this.#ended && this.#tenure.isHeldBy(worker) ? this.#leg : undefined;
  }

  #offerAgain(worker: string): void {
    if (this.#tenure.apply({ type: 'offer' }) !== 'ok') return;
    this.#o.logger.warn(
      { worker, epoch: this.#job.epoch },
      'the worker of this call is lost: offering it again',
    );
    this.#job = { ...this.#job, epoch: this.#tenure.epoch };
    this.offer().catch((error: unknown) => this.#o.logger.error({ error }, 'offering the call again failed'));
  }

  #answer(): void {
    if (this.#leg.answered) return;
    this.#ringing.cancel();
    this.#leg.confirm(this.#o.invite.accept(this.#leg.localSdp));
    this.#leg.listen();
  }

  /** RFC 3960 §3.2. Without an offer in the INVITE there is nowhere to send it: an 18x may bring none of ours. */
  #progress(): void {
    if (this.#leg.answered || this.#heard || !this.#leg.listen()) return;
    this.#heard = true;
    this.#o.invite.respond(183, { body: this.#leg.localSdp, contentType: 'application/sdp' });
  }

  #reject(status: number, phrase: string | undefined): void {
    if (this.#leg.answered) return this.#end({ cause: 'local-hangup' }, () => this.#hangUp());
    const wording = phrase === undefined ? {} : { phrase };
    this.#end({ cause: 'rejected', sipStatus: status }, () => this.#o.invite.respond(status, wording));
  }

  #hangUp(): void {
    if (this.#leg.answered) this.#leg.bye();
    else this.#o.invite.respond(603);
  }

  /** Taken as what it most likely is: a caller that left without a word. */
  #rangTooLong(): void {
    const cause = `the call rang for ${RING_LIMIT_MS / 1000} s without an answer`;
    this.#o.logger.warn({}, `${cause}: its caller is taken to have gone`);
    this.#end({ cause: 'peer-cancelled', sipStatus: 480 }, () =>
      this.#o.invite.respond(480, { headers: { Reason: `SIP;cause=480;text="${cause}"` } }),
    );
  }

  /** Marks the leg as ended, once, and tells whoever has to know; `act` tells the peer. */
  #end(end: EdgeEnd, act: () => void): void {
    if (this.#ended) return;
    this.#endLeg(end, act);
    const { state, epoch } = this.#tenure;
    if (state === 'held') return this.#o.owner.notifyEnded(this.#job.callSid, epoch, end);
    if (state === 'over') return this.#close();
    if (state === 'offered') this.#withdraw();
    this.#endUnheld(endOfUnheld(end.cause));
  }

  #endLeg(end: EdgeEnd, act: () => void): void {
    this.#ended = end; // before `act`, which ends the INVITE, too
    this.#ringing.cancel();
    this.#waiting?.cancel();
    act();
    this.#leg.close();
  }

  #withdraw(): void {
    const withdrawn = this.#o.dispatch.withdraw(this.#job);
    withdrawn.catch((error: unknown) => this.#o.logger.warn({ error }, 'withdrawing the job failed'));
  }

  #nobodyTookIt(): void {
    if (this.#tenure.state !== 'offered') return;
    const seconds = this.#o.dispatchTimeoutMs / 1000;
    const cause =
      this.#job.epoch === 1
        ? `no worker of ${this.#job.region} took the call within ${seconds} s`
        : `the worker of the call was lost and no other took it over within ${seconds} s`;
    this.#o.logger.error({ waited_ms: this.#o.dispatchTimeoutMs }, cause);
    this.#withdraw();
    this.#giveUp(cause);
  }

  /** Ends a call that no worker holds: 503 to a ringing peer (RFC 3261 §21.5.4), BYE to an answered one. */
  #giveUp(cause: string): void {
    const answered = this.#leg.answered;
    this.#endLeg({ cause: answered ? 'local-hangup' : 'rejected', sipStatus: 503 }, () => {
      if (answered) this.#leg.bye();
      else this.#o.invite.respond(503, { headers: { 'Retry-After': '5' } });
    });
    const timeline: TimelineEntry[] = answered
      ? [{ type: 'hangup', by: 'platform', cause }]
      : [{ type: 'rejected', status: 503, phrase: cause }];
    const told = `${cause}; the caller was ${answered ? 'hung up on' : 'refused with 503'}`;
    const diagnostics = [failure(20503, told)];
    const status = answered ? 'completed' : 'failed';
    this.#o.dispatch.finish(this.#job, { status, cause, diagnostics, timeline });
    this.#close();
  }

  #endUnheld(cause: string): void {
    const byPeer = this.#ended?.cause === 'peer-hangup' || this.#ended?.cause === 'peer-cancelled';
    const status: CallStatus = this.#leg.answered ? 'completed' : byPeer ? 'no-answer' : 'failed';
    const timeline: TimelineEntry[] = [{ type: 'hangup', by: byPeer ? 'peer' : 'platform', cause }];
    this.#o.dispatch.finish(this.#job, { status, cause, timeline });
    this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tenure.apply({ type: 'end' });
    this.#leg.close();
    this.#o.onGone();
  }
}

function endOfUnheld(cause: LegEndCause): string {
  if (cause === 'peer-cancelled') return 'the caller gave up before a worker had the call';
  if (cause === 'peer-hangup') return 'the caller hung up while no worker had the call';
  if (cause === 'shutdown') return 'the edge was stopped while no worker had the call';
  return `the leg ended (${cause}) while no worker had the call`;
}
