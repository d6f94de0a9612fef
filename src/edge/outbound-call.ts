import type { TwimlChoices } from '../call/choices.ts';
import type { OutboundJob } from '../call/job.ts';
import { outcomeOfOutgoing } from '../call/outcomes.ts';
import type { CommandResult } from '../control/link.ts';
import type { LegCommand } from '../control/protocol.ts';
import type { EdgeEnd } from '../control/server.ts';
import { type Diagnostic, warning } from '../core/diagnostic.ts';
import type { Endpoint } from '../media/format.ts';
import type { OutboundInvite, SipDialog } from '../sip/agent/port.ts';
import { contactOf } from '../sip/dialog/dialog-state.ts';
import type { SipResponse } from '../sip/message/message.ts';
import { parseUri } from '../sip/message/uri.ts';
import { isPrivateAddress } from '../webhook/private-address.ts';
import type { DialTarget } from './dial-target.ts';
import { endOfDialled } from './dialled-end.ts';
import { type EdgeCall, type EdgeCallOptions, endOf, type PartnerOf } from './edge-call.ts';
import { EdgeLeg } from './edge-leg.ts';
import { returnedHeaders } from './parties.ts';
import { Tenure } from './tenure.ts';

export interface OutboundCallOptions extends EdgeCallOptions {
  /** Names the leg: a call that rings at several devices has one for each. */
  readonly id: string;
  readonly job: OutboundJob;
  readonly target: DialTarget;
  /** The worker that dials, and its inner socket. */
  readonly worker: string;
  readonly workerMedia: Endpoint;
  /** A peer's Contact may be a private address. */
  readonly allowPrivate: boolean;
  readonly choices: TwimlChoices;
}

/**
 * One call that we make, at its edge. The worker that dials owns it from the start and nobody after it: what happens
 * to the call is lost with that worker's verb, so the callee is let go and the Region is told how it ended.
 */
export class OutboundCall implements EdgeCall {
  readonly job: OutboundJob;
  readonly target: DialTarget;
  readonly #tenure: Tenure;
  readonly #leg: EdgeLeg;
  #invite: OutboundInvite | undefined;
  #ended: EdgeEnd | undefined;
  #answered = false;
  /** The peer has sent an SDP before its answer. */
  #early = false;
  #closed = false;
  readonly #o: OutboundCallOptions;

  constructor(options: OutboundCallOptions) {
    const { id, job, owner, worker } = options;
    const { epoch } = job;
    this.#o = options;
    this.job = job;
    this.target = options.target;
    this.#tenure = new Tenure(epoch);
    this.#tenure.apply({ type: 'claim', epoch, worker });
    this.#leg = new EdgeLeg({
      relay: options.relayLeg,
      media: options.media,
      logger: options.logger,
      news: {
        format: (format) => owner.notifyFormat(id, epoch, format),
        referred: (status, final) => owner.notifyReferred(id, epoch, status, final),
        refer: (referTo) => {
          owner.notifyRefer(id, epoch, referTo);
          return true; // it is held for as long as it runs
        },
        unusable: () => this.#end({ cause: 'transport-failed' }),
      },
      onSilent: () => this.#end({ cause: 'media-timeout' }),
    });
    this.#leg.attach(options.workerMedia);
  }

  /** Sends the INVITE; what becomes of it goes to the owner. */
  place(invite: (offer: string) => OutboundInvite) {
    const sent = invite(this.#leg.localSdp);
    this.#invite = sent;
    sent.onProgress = (response) => this.#progress(response);
    // both handlers end in a notification: what they throw is a fault of ours
    sent.answered
      .then(
        ({ dialog, response }) => this.#accepted(dialog, response),
        (reason: unknown) => this.#end(endOfDialled(reason, this.target)),
      )
      .catch((error: unknown) => this.#o.logger.error({ error }, 'an answer could not be handled'));
    return { sipCallId: sent.callId, leg: this.#leg.grantedBy(this.#o.relay.inner) };
  }

  get sipCallId(): string | undefined {
    return this.#invite?.callId;
  }

  async command(epoch: number, command: LegCommand, partnerOf: PartnerOf): Promise<CommandResult> {
    const verdict = this.#tenure.applyOf(epoch, 'command');
    if (this.#ended) throw new Error(`the leg has ended: ${this.#ended.cause}`);
    if (verdict !== 'ok') throw new Error(`epoch ${epoch} no longer owns this call`);
    switch (command.verb) {
      case 'hangup':
        this.#hangUp();
        return {};
      case 'answer':
      case 'progress':
      case 'reject':
        throw new Error(`${command.verb} is for a call that came in; this one we made`);
      default:
        return this.#leg.command(command, (other) => partnerOf(other, this.#o.worker));
    }
  }

  release(epoch: number): void {
    if (this.#tenure.applyOf(epoch, 'release') !== 'ok') return;
    this.#letGo({ cause: 'local-hangup' });
    this.#close();
  }

  lost(worker: string): void {
    if (this.#tenure.apply({ type: 'lost', worker }) !== 'ok') return;
    const before = this.#ended;
    this.#letGo({ cause: 'local-hangup' });
    const cause = before
      ? `worker ${worker} was lost before it had stored the end of the call`
      : `worker ${worker}, which made this call, was lost: the called party was ${this.#answered ? 'hung up on' : 'no longer called'}`;
    const end = before ?? { cause: 'local-hangup' };
    const withdrawn = end.cause === 'local-hangup' ? 'caller-gone' : undefined;
    this.#o.dispatch.finish(this.job, {
      status: outcomeOfOutgoing(end, this.#answered, withdrawn, true, this.#o.choices),
      cause,
      diagnostics: before?.diagnostic ? [before.diagnostic] : [],
      timeline: [{ type: 'hangup', by: before?.cause === 'peer-hangup' ? 'peer' : 'platform', cause }],
    });
    this.#close();
  }

  shutDown(): void {
    this.#end({ cause: 'shutdown' });
  }

  legHeldBy(worker: string): EdgeLeg | undefined {
    return !this.#ended && this.#tenure.isHeldBy(worker) ? this.#leg : undefined;
  }

  #progress(response: SipResponse): void {
    if (this.#ended) return;
    const early = response.body !== '' && isSdp(response) && this.#leg.hear(response.body, true);
    if (early) this.#early = true;
    this.#o.owner.notifyProgress(this.#o.id, this.job.epoch, response.status, early);
  }

  /** ACK has been sent. Without an SDP that can be used there is nothing to talk over: BYE (RFC 3261 §13.2.2.4). */
  #accepted(dialog: SipDialog, response: SipResponse): void {
    this.#leg.confirm(dialog);
    if (this.#ended) return this.#leg.bye(); // we let it go while its answer was on its way to us
    const problem = this.#sdpProblem(response) ?? this.#contactProblem(response);
    if (problem) {
      const text = problem.code === 32105 ? 'the Contact cannot be used' : 'the SDP cannot be used';
      return this.#end({ cause: 'transport-failed', sipStatus: response.status, diagnostic: problem }, text);
    }
    this.#answered = true;
    this.#o.owner.notifyAnswered(this.#o.id, this.job.epoch, returnedHeaders(response));
    const over = () => this.#end(endOf(dialog.ended.reason));
    if (dialog.ended.aborted) over();
    else dialog.ended.addEventListener('abort', over, { once: true });
  }

  /** A peer that sent an SDP in an 18x may leave it out of its 200: our choice, as some do without 100rel. */
  #sdpProblem(response: SipResponse): Diagnostic | undefined {
    if (response.body === '' && this.#early) return undefined;
    if (response.body !== '' && isSdp(response) && this.#leg.hear(response.body, false)) return undefined;
    const found = response.body === '' ? 'without an SDP' : 'with an SDP that cannot be used';
    return warning(
      32102,
      `${this.target.uri} answered ${found}: it was hung up on. Expected is an answer to the offer, with PCMU or PCMA at an address that can be reached.`,
    );
  }

  /** @see https://www.twilio.com/docs/api/errors/32105 */
  #contactProblem(response: SipResponse): Diagnostic | undefined {
    const contact = contactOf(response);
    const host = contact === undefined ? undefined : parseUri(contact)?.host;
    if (this.#o.allowPrivate || this.target.kind !== 'sip') return undefined;
    if (host === undefined || !isPrivateAddress(host)) return undefined;
    return warning(
      32105,
      `${this.target.uri} answered with the Contact ${contact}, which is not a public address, and TRUNKLINE_ALLOW_PRIVATE is false: it was hung up on.`,
    );
  }

  #hangUp(): void {
    this.#end(this.#answered ? { cause: 'local-hangup' } : { cause: 'local-hangup', sipStatus: 487 });
  }

  /** Marks the leg as ended, once, and tells the owner. */
  #end(end: EdgeEnd, reason?: string): void {
    if (!this.#letGo(end, reason)) return;
    this.#o.owner.notifyEnded(this.#o.id, this.job.epoch, end);
  }

  /** CANCEL or BYE, whichever the callee understands; neither does anything where it has gone itself. */
  #letGo(end: EdgeEnd, reason?: string): boolean {
    if (this.#ended) return false;
    this.#ended = end;
    this.#invite?.cancel();
    this.#leg.bye(reason === undefined ? undefined : { Reason: `SIP;cause=488;text="${reason}"` });
    this.#leg.close();
    return true;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tenure.apply({ type: 'end' });
    this.#o.onGone();
  }
}

function isSdp(response: SipResponse): boolean {
  const type = response.headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  return type === undefined || type === 'application/sdp';
}
