import { answeredRecord, endRecord, newCallRecord, secondsInCall } from '../call/call-records.ts';
import type { OrderedDocument } from '../call/orders.ts';
import type { Withdrawal } from '../call/outcomes.ts';
import { type OutgoingEnd, outgoingEnd } from '../call/outgoing-end.ts';
import { ProgressTeller } from '../call/progress-teller.ts';
import type { CallRecord } from '../call/record.ts';
import type { StatusCallbackDetails } from '../call/status-callback.ts';
import { deviceRefused, type RegisteredDevices } from '../config/registered-address.ts';
import type { Clock } from '../core/clock.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { LegEnded } from '../leg/port.ts';
import { type SimulatedCallee, SimulatedOutgoingLeg } from '../leg/simulated/simulated-outgoing-leg.ts';
import { REGIONS } from '../region/region.ts';
import { runCall } from '../twiml/interpreter/run-call.ts';
import type { CallEnd, CallWorld } from '../twiml/interpreter/world.ts';
import type { ChildCall, ChildEnd } from '../twiml/verbs/ports.ts';
import { withParameters } from '../webhook/with-parameters.ts';
import { type ChildOf, type Conduct, NO_DOCUMENT, type PartyOrder } from './child-order.ts';
import { Chronicle } from './chronicle.ts';
import { type CalleeEvents, scheduleCallee } from './peers.ts';
import type { CalleeAction } from './scenario.ts';
import type { Script } from './script.ts';
import type { SimulatedCallbacks } from './simulated-callbacks.ts';
import { SimulatedDesk } from './simulated-desk.ts';
import type { DialerParts, SimulatedDialer } from './simulated-dialer.ts';
import { SimulatedFork } from './simulated-fork.ts';
import type { SimulatedRegistrations } from './simulated-registrations.ts';

/** A call that is made in virtual time: its timeline, record and callbacks are made as the live ones are. */
export class SimulatedChild implements ChildCall {
  readonly callSid: string;
  readonly leg: SimulatedOutgoingLeg;
  readonly order: PartyOrder;
  readonly chronicle: Chronicle;
  readonly world: CallWorld;
  readonly end: Promise<ChildEnd>;
  /** Resolves when nothing of the call is left to happen. */
  readonly over: Promise<void>;
  /** What the called party does; several devices do something each. */
  readonly scripts: Script<CalleeAction>[] = [];
  /** When it was dialled, on the clock's `monotonic`. */
  readonly begunAt: number;
  readonly #clock: Clock;
  readonly #conduct: Conduct | undefined;
  readonly #departed = new AbortController();
  /** Its recordings. */
  readonly desk: SimulatedDesk;
  readonly #callbacks: SimulatedCallbacks;
  readonly #teller: ProgressTeller;
  #record: CallRecord;
  #withdrawn: Withdrawal | undefined;
  #document: OrderedDocument | undefined;
  /** The document it was given, once it runs: its end is the call's. */
  #running: Promise<CallEnd> | undefined;
  #rang = false;
  #answered = false;
  #resolveEnd: (end: ChildEnd) => void = () => {};
  #resolveOver: () => void = () => {};

  constructor(
    order: PartyOrder,
    { facts, config = NO_DOCUMENT, params = {}, conduct }: ChildOf,
    parts: DialerParts,
    dialer: SimulatedDialer,
  ) {
    const { clock, region, choices, webhooks, audio, speech } = parts;
    this.order = order;
    this.#clock = clock;
    this.#conduct = conduct;
    this.begunAt = clock.monotonic();
    this.callSid = facts.callSid;
    this.leg = new SimulatedOutgoingLeg(clock, `call-id-${this.callSid.slice(-4)}`);
    this.chronicle = new Chronicle(clock);
    this.#callbacks = parts.callbacks(this.chronicle);
    this.#teller = new ProgressTeller({
      asked: order.statusCallback,
      facts,
      clock,
      queue: (task) => this.#callbacks.add(task),
    });
    this.desk = new SimulatedDesk(this.chronicle, { ...parts, facts, callbacks: this.#callbacks });
    const session = webhooks(this.chronicle);
    const { homeEdge } = REGIONS[region];
    this.world = {
      clock,
      facts,
      config,
      leg: this.leg,
      ...(conduct && { answered: true as const }),
      webhooks: withParameters(session, params),
      dialer: dialer.of(facts, this.leg),
      audio: audio(session, this.chronicle),
      choices,
      speech,
      recordings: this.desk,
      timeline: this.chronicle,
      report: (diagnostic) => this.chronicle.report(diagnostic),
      checkpoint: async () => {},
      onRedirect: undefined,
    };
    this.#record = newCallRecord({
      direction: facts.direction === 'outbound-api' ? 'outbound-api' : 'outbound-dial',
      callSid: facts.callSid,
      accountSid: facts.accountSid,
      parentCallSid: facts.parentCallSid,
      region,
      egressEdge: order.target.kind === 'sip' ? (order.target.edge ?? homeEdge) : homeEdge,
      from: facts.from,
      to: facts.to,
      epoch: 1,
      createdAt: clock.now(),
      notes: [],
    });
    this.end = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
  }

  get departed(): AbortSignal {
    return this.#departed.signal;
  }

  get record(): CallRecord {
    return { ...this.#record, diagnostics: this.chronicle.diagnostics };
  }

  /** Whom it calls: a number or a URI. */
  get address(): string {
    const { target } = this.order;
    return target.kind === 'number' ? target.number : target.uri;
  }

  begin(actions: readonly CalleeAction[]): void {
    const { from, to, egress_edge } = this.#record;
    this.chronicle.add({ type: 'call-placed', edge: egress_edge ?? '', from, to, uri: this.address });
    this.#teller.tell('initiated', this.#record);
    this.does(actions);
    this.#watch();
  }

  /** The called party does this from now on. */
  does(actions: readonly CalleeAction[]): void {
    this.#schedule(actions, this.leg.peer, (status, early) => this.#ring(status, early));
  }

  /** Ends at once: nobody can be called. */
  refuse(why: Diagnostic): void {
    this.#watch();
    this.#record = { ...this.#record, egress_edge: null };
    if (this.leg.state !== 'ended') this.leg.peer.end('not-placed', why);
  }

  /** Rings at the devices that are registered under its address, or says why there are none. */
  beginAt(found: RegisteredDevices | Diagnostic, registrations: SimulatedRegistrations): void {
    this.#watch();
    if (this.leg.state === 'ended') return;
    const bindings = 'code' in found ? [] : found.bindings;
    this.#record = { ...this.#record, egress_edge: bindings[0]?.flow.edge ?? null };
    if ('code' in found) return this.leg.peer.end('not-placed', found);
    for (const message of found.notes) this.chronicle.add({ type: 'note', message });
    const fork = new SimulatedFork(this.leg, bindings.length, {
      rang: (status, early) => this.#ring(status, early),
      chose: (branch) => {
        this.#record = { ...this.#record, egress_edge: bindings[branch]?.flow.edge ?? null };
      },
      branchEnded: (branch, end) => {
        const binding = bindings[branch];
        if (binding) this.chronicle.add({ type: 'note', message: deviceRefused(binding, end) });
      },
    });
    const { from, to } = this.#record;
    for (const [branch, binding] of bindings.entries()) {
      this.chronicle.add({ type: 'call-placed', edge: binding.flow.edge, from, to, uri: binding.contact });
      this.#schedule(registrations.doingOf(binding), fork.device(branch), () => {}); // the fork tells it
    }
    this.#teller.tell('initiated', this.#record);
  }

  #schedule(actions: readonly CalleeAction[], peer: SimulatedCallee, rang: CalleeEvents['rang']): void {
    const redirect = (url: string) => {
      const document = { kind: 'url', url, method: 'POST', fallbackUrl: '', fallbackMethod: 'POST' } as const;
      if (this.#conduct) this.world.onRedirect?.(document);
      else this.leave(document);
    };
    this.scripts.push(scheduleCallee(actions, peer, this.#clock, { rang, redirect }));
  }

  #watch(): void {
    this.leg.answered.then(
      () => this.#answer(),
      () => {},
    );
    const over = () => this.#ended(this.leg.ended.reason);
    if (this.leg.ended.aborted) over();
    else this.leg.ended.addEventListener('abort', over, { once: true });
  }

  /** Resolves when nobody is being told of anything any more. */
  async settled(): Promise<void> {
    await this.desk.settled();
    await this.#callbacks.settled();
  }

  withdraw(why: Withdrawal): void {
    if (this.leg.state === 'ended') return;
    this.#withdrawn ??= why;
    void this.leg.hangup(); // a simulated leg never fails to
  }

  release(): void {
    const document = this.#document;
    if (!document) return;
    this.#document = undefined;
    if (this.leg.ended.aborted) return;
    this.#running = runCall(this.world, { kind: 'document', document }, new AbortController().signal);
  }

  leave(document: OrderedDocument): void {
    if (this.leg.state === 'ended' || this.departed.aborted) return;
    this.#document = document;
    const url = document.kind === 'url' ? document.url : 'the TwiML of the request';
    this.chronicle.add({ type: 'redirected', url });
    this.#departed.abort();
    this.#resolveEnd({ ...this.#endOf(undefined), status: 'completed' });
  }

  #ring(status: number, early: boolean): void {
    if (this.leg.state !== 'ringing') return;
    this.chronicle.add({ type: 'progress', status, early });
    if (this.#rang || status < 180) return;
    this.#rang = true;
    this.#record = { ...this.#record, status: 'ringing' };
    this.#teller.tell('ringing', this.#record);
  }

  #answer(): void {
    this.#answered = true;
    this.#record = answeredRecord(this.#record, this.#clock.now());
    this.chronicle.add({ type: 'answered' });
    this.#teller.tell('answered', this.#record);
    this.#running = this.#conduct?.converse(this);
  }

  #ended(reason: unknown): void {
    if (!(reason instanceof LegEnded)) throw new Error('a leg ended without a reason');
    const at = this.#clock.now();
    // Whoever else sees the leg end has its say first, as live.
    void Promise.resolve(this.#running).then((verdict) => this.#finish(reason, at, verdict));
  }

  /** As `OutgoingCall.finish` does it live. */
  #finish(reason: LegEnded, at: number, verdict?: CallEnd): void {
    const outcome = this.#outcomeOf(reason);
    if (reason.diagnostic) this.chronicle.report(reason.diagnostic);
    const withdrawn = this.#answered && this.#withdrawn !== undefined;
    const { status, cause } = withdrawn ? outcome : (verdict ?? outcome);
    const hungUp = this.chronicle.timeline.some(({ type }) => type === 'hangup');
    if (!hungUp) this.chronicle.add({ type: 'hangup', by: outcome.by, cause });
    this.#record = endRecord(this.#record, { status, cause }, at);
    const duration_s = Number(this.#record.duration);
    this.chronicle.add({ type: 'call-ended', status, duration_s, cause });
    const end = this.#endOf(reason);
    if (!this.#conduct) return this.#close(end);
    void this.#conduct.lastWords().then((details) => this.#close(end, details));
  }

  #close(end: ChildEnd, details: Partial<StatusCallbackDetails> = {}): void {
    const { sipStatus } = end;
    const more = { ...details, ...(sipStatus !== undefined && { sipResponseCode: sipStatus }) };
    this.#teller.tell('completed', this.#record, more);
    this.#resolveEnd(end);
    this.#resolveOver();
  }

  #outcomeOf(end: LegEnded): OutgoingEnd {
    return outgoingEnd({
      end,
      answered: this.#answered,
      withdrawn: this.#withdrawn,
      placed: end.cause !== 'not-placed',
      rang: this.#rang,
      choices: this.world.choices,
    });
  }

  #endOf(reason: LegEnded | undefined): ChildEnd {
    return {
      status: this.#record.status,
      sipStatus: reason && this.#outcomeOf(reason).sipStatus,
      sipCallId: reason?.cause === 'not-placed' ? '' : this.leg.sipCallId,
      headers: reason?.headers ?? {},
      duration: secondsInCall(this.#record, this.#clock.now()),
    };
  }
}
