import { secondsInCall } from '../call/call-records.ts';
import { endedByApi } from '../call/ended-by-api.ts';
import type { CallFacts } from '../call/facts.ts';
import type { OrderedDocument } from '../call/orders.ts';
import { ProgressTeller } from '../call/progress-teller.ts';
import type { Clock } from '../core/clock.ts';
import { SimulatedLeg } from '../leg/simulated/simulated-leg.ts';
import { runCall } from '../twiml/interpreter/run-call.ts';
import type { CallEnd, CallWorld } from '../twiml/interpreter/world.ts';
import { ACCOUNT_SID, type CallScenario, partsOfCalls, type SimulatedCallParts } from './call-parts.ts';
import { Chronicle } from './chronicle.ts';
import type { Scenario } from './scenario.ts';
import type { SimulatedCallbacks } from './simulated-callbacks.ts';
import { SimulatedDesk } from './simulated-desk.ts';
import { type DialerParts, SimulatedDialer } from './simulated-dialer.ts';
import { scheduleOrders } from './simulated-orders.ts';

/** One inbound call in virtual time: the live interpreter and webhook client around a simulated leg. */
export class SimulatedCall {
  readonly leg: SimulatedLeg;
  readonly chronicle: Chronicle;
  readonly dialer: SimulatedDialer;
  readonly world: CallWorld;
  readonly #clock: Clock;
  readonly #orders: Scenario['orders'];
  readonly #desk: SimulatedDesk;
  readonly #callbacks: SimulatedCallbacks;
  readonly #teller: ProgressTeller;
  #duration = 0;
  /** How the API ended it. */
  #ordered: CallEnd | undefined;

  private constructor(parts: DialerParts, { from, to, voice, orders }: CallScenario) {
    const { clock, ids, choices, webhooks, audio, speech } = parts;
    this.#clock = clock;
    this.#orders = orders;
    const facts = factsOf(from, to, ids.sid('CA'));
    this.chronicle = new Chronicle(clock);
    this.#callbacks = parts.callbacks(this.chronicle);
    this.#desk = new SimulatedDesk(this.chronicle, { ...parts, facts, callbacks: this.#callbacks });
    const { statusCallback: url, statusCallbackMethod: method } = voice;
    this.#teller = new ProgressTeller({
      asked: url === '' ? null : { url, method, events: ['completed'] },
      facts,
      clock,
      queue: (task) => this.#callbacks.add(task),
    });
    this.leg = new SimulatedLeg(clock);
    this.dialer = new SimulatedDialer(parts);
    const session = webhooks(this.chronicle);
    this.world = {
      clock,
      facts,
      config: {
        voiceUrl: voice.url,
        voiceMethod: voice.method,
        voiceFallbackUrl: voice.fallbackUrl,
        voiceFallbackMethod: voice.fallbackMethod,
      },
      leg: this.leg,
      webhooks: session,
      dialer: this.dialer.of(facts, this.leg),
      audio: audio(session, this.chronicle),
      speech,
      choices,
      recordings: this.#desk,
      timeline: this.chronicle,
      report: this.chronicle.report.bind(this.chronicle),
      checkpoint: async () => {},
      onRedirect: undefined,
    };
  }

  static async create(parts: SimulatedCallParts, scenario: CallScenario): Promise<SimulatedCall> {
    return new SimulatedCall(await partsOfCalls(parts, scenario), scenario);
  }

  /** Whole seconds in call, as its record has them; 0 for a call that was never answered. */
  get duration(): number {
    return this.#duration;
  }

  /** Executes the call. Resolves when it and all that it dialled are over; time has to be driven meanwhile. */
  async run(): Promise<CallEnd> {
    const redirect = (document: OrderedDocument) => this.world.onRedirect?.(document);
    scheduleOrders(this.#orders, { redirect, end: () => this.#end() }, this.#clock);
    const ended = await runCall(this.world, { kind: 'fresh' }, new AbortController().signal);
    const end = this.#ordered ?? ended;
    this.#duration = secondsSince(this.chronicle.answeredAt, this.#clock);
    const { status, cause } = end;
    this.chronicle.add({ type: 'call-ended', status, duration_s: this.#duration, cause });
    for (const child of this.dialer.children) {
      await child.over;
      await child.desk.ended();
    }
    this.#teller.tell('completed', { status, duration: String(this.#duration) });
    for (const call of [this, ...this.dialer.children]) await call.settled();
    return end;
  }

  #end(): void {
    if (this.leg.ended.aborted) return;
    this.#ordered = endedByApi(this.leg.state === 'answered');
    void this.leg.hangup(); // a simulated leg never fails to
  }

  /** Resolves when nobody is being told of anything any more. */
  async settled(): Promise<void> {
    await this.#desk.settled();
    await this.#callbacks.settled();
  }
}

/** As a record counts them. */
function secondsSince(answeredAt: string | null, clock: Clock): number {
  return answeredAt === null ? 0 : secondsInCall({ start_time: answeredAt }, clock.now());
}

function factsOf(from: string, to: string, callSid: string): CallFacts {
  return {
    callSid,
    accountSid: ACCOUNT_SID,
    from,
    to,
    direction: 'inbound',
    parentCallSid: null,
    callerName: null,
    forwardedFrom: null,
    sip: null,
    domain: null,
  };
}
