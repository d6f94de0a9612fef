import type { TwimlChoices } from '../call/choices.ts';
import type { InboundJob } from '../call/job.ts';
import { legIdOf } from '../control/leg-id.ts';
import type { DialRequest } from '../control/protocol.ts';
import type { ControlHandler, ControlServer, DialAnswer, WorkerLink } from '../control/server.ts';
import { failure } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import type { Endpoint } from '../media/format.ts';
import type { RelayHost, RelayLeg } from '../media/threads/port.ts';
import { type EdgeId, isEdgeId } from '../region/edge.ts';
import type { InboundInvite, SipAgent } from '../sip/agent/port.ts';
import { notActive } from './account-statuses.ts';
import { type AdmissionOptions, admit, type OwnCall } from './admission.ts';
import { newChain, nextInChain } from './chain.ts';
import type { TargetOptions } from './dial-target.ts';
import type { Dispatch } from './dispatch.ts';
import type { EdgeCall, OwnerLine } from './edge-call.ts';
import { InboundCall } from './inbound-call.ts';
import { bodyProblem, createMediaSession, type MediaRefusal } from './media-session.ts';
import { OutboundCall } from './outbound-call.ts';
import { place } from './placement.ts';
import { quotable, type Refusal } from './refusal.ts';
import { RefusalNotes } from './refusal-notes.ts';

export interface SwitchboardOptions extends Omit<AdmissionOptions, 'ownCall'>, TargetOptions {
  readonly agent: SipAgent;
  readonly relay: RelayHost;
  readonly dispatch: Dispatch;
  readonly choices: TwimlChoices;
  readonly dispatchTimeoutMs: number;
  readonly graceMs: number;
  /** INVITEs that may wait to be let in at once. */
  readonly mostAtOnce?: number;
  readonly onCall?: (edge: EdgeId, outcome: 'offered' | 'refused') => void;
  /** An INVITE got this final status instead of a call: 407 where it was asked who it is. */
  readonly onRefused?: (edge: EdgeId, status: number) => void;
}

/** Our choice: INVITEs that wait for a Region at once, half of what an agent holds; more are 503. */
const MOST_AT_ONCE = 10_000;

/** What became of a call that is still being placed. */
interface Placing {
  over?: 'released' | 'lost';
}

/** The calls of an edge process: takes INVITEs and finds their Region, sends those that workers ask for, keeps their dialogs. */
export class Switchboard {
  readonly #calls = new Map<string, EdgeCall>();
  /** Calls that workers asked for and that have no INVITE yet, by CallSid. */
  readonly #placing = new Map<string, Placing>();
  readonly #o: SwitchboardOptions;
  readonly #notes: RefusalNotes;
  #server: ControlServer | undefined;
  /** INVITEs of which nobody knows yet whether they may come in, those that were cancelled meanwhile as well. */
  #admitting = 0;
  #draining = false;
  #emptied: (() => void) | undefined;

  constructor(options: SwitchboardOptions) {
    this.#o = options;
    this.#notes = new RefusalNotes(options);
    options.agent.screens = true;
    options.agent.onInvite = (invite) => {
      this.#receive(invite).catch((error: unknown) => {
        options.logger.error({ error }, 'an INVITE could not be handled');
        invite.respond(500);
      });
    };
  }

  /** The workers' side; `server` is how the owners of calls are told what happens to them. */
  connect(server: ControlServer): void {
    this.#server = server;
  }

  readonly handler: Omit<ControlHandler, 'related' | 'domainRelated'> = {
    claim: (request) => {
      const call = this.#calls.get(request.callSid);
      return call instanceof InboundCall ? call.claim(request) : { refused: 'gone' };
    },
    dial: (request, media, link) => this.#dial(request, media, link),
    command: async (callSid, epoch, command) => {
      const call = this.#calls.get(callSid);
      if (!call) throw new Error(`this edge holds no call ${callSid}`);
      return call.command(epoch, command, (other, worker) => {
        const leg = this.#calls.get(other)?.legHeldBy(worker);
        if (!leg || other === callSid) throw new Error(`this worker holds no other live call ${other} here`);
        return leg;
      });
    },
    release: (callSid, epoch) => {
      this.#forsake(callSid, 'released');
      this.#calls.get(callSid)?.release(epoch);
    },
    lost: (worker, callSids) => {
      for (const callSid of callSids) {
        this.#forsake(callSid, 'lost');
        this.#calls.get(callSid)?.lost(worker);
      }
    },
  };

  /** Calls of both directions. */
  get live(): number {
    return this.#calls.size;
  }

  /** No new calls; resolves when the last one has ended or the signal is aborted, then ends what is left. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#draining = true;
    this.#o.agent.drain();
    if (this.#calls.size > 0 && !deadline.aborted) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    for (const call of this.#calls.values()) call.shutDown();
  }

  async #receive(invite: InboundInvite): Promise<void> {
    const job = await this.#admit(invite);
    if ('status' in job) this.#refuse(invite, job);
    else if (!invite.ended.aborted) {
      invite.trying();
      await this.#open(invite, job);
    }
  }

  async #admit(invite: InboundInvite): Promise<InboundJob | Refusal> {
    if (this.#draining) return { status: 503, reason: 'this edge is being stopped' };
    if (this.#admitting >= (this.#o.mostAtOnce ?? MOST_AT_ONCE))
      return { status: 503, reason: 'too many INVITEs wait to be let in' };
    this.#admitting++;
    try {
      return await admit(invite, { ...this.#o, ownCall: (own) => this.#ownCall(own) });
    } finally {
      this.#admitting--;
    }
  }

  #refuse(invite: InboundInvite, refusal: Refusal): void {
    const { status, reason, headers, secret, proved } = refusal;
    const { label } = invite.source.listener;
    this.#notes.note(invite, refusal);
    if (isEdgeId(label)) {
      if (!refusal.asks) this.#o.onCall?.(label, 'refused');
      this.#o.onRefused?.(label, status);
    }
    const why = secret ? {} : { Reason: `SIP;cause=${status};text="${quotable(reason)}"` };
    invite.respond(status, { headers: { ...why, ...headers }, ...(proved ? {} : { stateless: true }) });
  }

  /** The INVITE we sent ourselves: its Call-ID never left this machine, and it comes from the socket it left by. */
  #ownCall({ request, source }: InboundInvite): OwnCall | undefined {
    const callId = request.headers.get('Call-ID');
    for (const call of this.#calls.values()) {
      if (!(call instanceof OutboundCall) || call.sipCallId !== callId) continue;
      const { kind, listener } = call.target;
      const looped = kind === 'own' && listener === source.listener && source.port === listener.bound.port;
      return { toOwnNumber: looped, chain: call.job.chain };
    }
    return undefined;
  }

  async #open(invite: InboundInvite, job: InboundJob): Promise<void> {
    const { relay, dispatch, clock, dispatchTimeoutMs, graceMs } = this.#o;
    const logger = this.#loggerOf(job, job.ingressEdge);
    let relayLeg: RelayLeg;
    try {
      relayLeg = await relay.open(invite.source.listener.bound.address);
    } catch (error) {
      logger.error({ error }, 'no media ports are left: raise TRUNKLINE_RTP');
      invite.respond(503);
      return dispatch.finish(job, { status: 'failed', cause: 'the edge had no media port left' });
    }
    const local = this.#localEnd(invite.source.listener.advertised, relayLeg);
    const media = bodyProblem(invite.request) ?? createMediaSession(invite.request.body || undefined, local);
    if ('status' in media) {
      await relayLeg.close();
      return this.#refuseMedia(invite, job, media, logger);
    }
    if (invite.ended.aborted) {
      await relayLeg.close();
      const cause = 'the caller gave up before the call was queued';
      return dispatch.finish(job, { status: 'no-answer', cause });
    }
    invite.respond(180);
    const owner = this.#owner;
    const onGone = () => this.#gone(job.callSid);
    const times = { dispatchTimeoutMs, graceMs };
    const parts = { relay, relayLeg, media, dispatch, owner, clock, logger, onGone };
    const call = new InboundCall({ ...parts, ...times, job, invite });
    this.#calls.set(job.callSid, call);
    this.#o.onCall?.(job.ingressEdge, 'offered');
    await call.offer();
  }

  async #dial(request: DialRequest, media: Endpoint, link: WorkerLink): Promise<DialAnswer> {
    const { job } = request;
    const id = legIdOf(request);
    if (link.region !== job.region) throw new Error(`a worker of ${link.region} dials for ${job.region}`);
    if (this.#calls.has(id) || this.#placing.has(id)) throw new Error(`${id} is a call of this edge already`);
    const placing: Placing = {};
    this.#placing.set(id, placing);
    try {
      return await this.#place(request, media, link, placing);
    } finally {
      this.#placing.delete(id);
      if (placing.over === 'lost') {
        const cause = `worker ${link.worker}, which made this call, was lost: nobody was called`;
        this.#o.dispatch.finish(job, { status: 'canceled', cause });
      }
    }
  }

  async #place(
    request: DialRequest,
    workerMedia: Endpoint,
    { worker }: WorkerLink,
    placing: Placing,
  ): Promise<DialAnswer> {
    const { job, edge } = request;
    const id = legIdOf(request);
    const stopping = this.#stopping(request);
    if (stopping) return { notDialled: stopping };
    const inactive = await this.#inactive(request);
    if (inactive) return { notDialled: inactive };
    const placed = await place(request, {
      ...this.#o,
      worker,
      workerMedia,
      owner: this.#owner,
      logger: this.#loggerOf(job, edge),
      onGone: () => this.#gone(id),
      chain: () => {
        if (!placing.over) return this.#chainOf(request);
        return failure(20503, `The call was ${placing.over} before it was placed.`);
      },
    });
    if ('code' in placed) return { notDialled: placed };
    this.#calls.set(id, placed.call);
    return { dialling: placed.dialling };
  }

  /** While it stops, an edge calls for calls that live on here, and for no others. */
  #stopping({ job }: DialRequest) {
    if (!this.#draining || this.#callOf(job.parentCallSid)) return undefined;
    return failure(20503, 'This edge is being stopped: nobody was called.');
  }

  /** Live calls go on as they began, and may ring devices of their own account: whose they are is asked with them. */
  async #inactive({ job, party }: DialRequest) {
    if (party.kind === 'device' && job.direction === 'outbound-dial') return undefined;
    const status = await this.#o.accounts.of(job.accountSid);
    return status === 'active' ? undefined : notActive(job.accountSid, status);
  }

  /** A worker that does not say what its call came from may be asked about a call of this process. */
  #chainOf({ job }: DialRequest) {
    const parent = this.#callOf(job.parentCallSid);
    const chain = job.chain ?? parent?.job.chain ?? newChain(job.parentCallSid ?? job.callSid, undefined);
    const live = new Set<string>(); // the legs of one call count once
    for (const call of this.#calls.values()) {
      const others = call instanceof OutboundCall && call.job.callSid !== job.callSid;
      if (others && call.job.chain?.origin === chain.origin) live.add(call.job.callSid);
    }
    return nextInChain(chain, live.size);
  }

  /** A call, or a leg of one that was made to several devices. */
  #callOf(callSid: string | null): EdgeCall | undefined {
    if (callSid === null) return undefined;
    return this.#calls.get(callSid) ?? [...this.#calls.values()].find(({ job }) => job.callSid === callSid);
  }

  /** A call that has no INVITE yet, and is to get none. */
  #forsake(callSid: string, over: 'released' | 'lost'): void {
    const placing = this.#placing.get(callSid);
    if (placing && !placing.over) placing.over = over;
  }

  readonly #owner: OwnerLine = {
    notifyEnded: (...end) => this.#server?.notifyEnded(...end),
    notifyFormat: (...format) => this.#server?.notifyFormat(...format),
    notifyProgress: (...progress) => this.#server?.notifyProgress(...progress),
    notifyAnswered: (...answer) => this.#server?.notifyAnswered(...answer),
    notifyRefer: (...refer) => this.#server?.notifyRefer(...refer),
    notifyReferred: (...referred) => this.#server?.notifyReferred(...referred),
  };

  #refuseMedia(invite: InboundInvite, job: InboundJob, refusal: MediaRefusal, logger: Logger): void {
    const { status, code, reason } = refusal;
    logger.warn({ status, code }, reason);
    this.#o.onCall?.(job.ingressEdge, 'refused');
    invite.respond(status, { headers: { Warning: `399 trunkline "${quotable(reason)}"` } });
    this.#o.dispatch.finish(job, {
      status: 'failed',
      cause: `refused with ${status}: ${reason}`,
      diagnostics: [failure(code, reason)],
      timeline: [{ type: 'rejected', status, phrase: reason }],
    });
  }

  #localEnd({ address }: Endpoint, { port }: RelayLeg) {
    return { address, port, sessionId: this.#o.ids.uint32() };
  }

  #loggerOf({ callSid, region }: { callSid: string; region: string }, edge: EdgeId): Logger {
    return this.#o.logger.child({ CallSid: callSid, region, edge });
  }

  #gone(callSid: string): void {
    this.#calls.delete(callSid);
    if (this.#calls.size === 0) this.#emptied?.();
  }
}
