import type { CallFacts } from '../call/facts.ts';
import { tooLong } from '../call/limits.ts';
import type { OrderedDocument, OutboundOrder } from '../call/orders.ts';
import { progressEvents, type StatusCallbackDetails } from '../call/status-callback.ts';
import type { Clock } from '../core/clock.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import {
  beginCreated,
  configOf,
  createdParameters,
  createdTarget,
} from '../twiml/interpreter/created-call.ts';
import { runCall } from '../twiml/interpreter/run-call.ts';
import type { CallEnd, CallWorld } from '../twiml/interpreter/world.ts';
import type { DialTarget } from '../twiml/verbs/ports.ts';
import { ACCOUNT_SID, type CallScenario, partsOfCalls, type SimulatedCallParts } from './call-parts.ts';
import type { Chronicle } from './chronicle.ts';
import { type Scenario, ScenarioError } from './scenario.ts';
import { type CreatedWith, orderOf } from './scenario-created.ts';
import type { SimulatedChild } from './simulated-child.ts';
import { type DialerParts, SimulatedDialer } from './simulated-dialer.ts';
import { scheduleOrders } from './simulated-orders.ts';

/** What a scenario says of a call that the API creates. */
export type CreatedScenario = CallScenario & { readonly created: CreatedWith };

/** A call that the API creates, in virtual time: placed, executed and told of as `runApiCall` does it live. */
export class SimulatedApiCall {
  readonly dialer: SimulatedDialer;
  /** The call to whom it is made. */
  readonly called: SimulatedChild;
  readonly #clock: Clock;
  readonly #order: OutboundOrder;
  readonly #warnings: readonly Diagnostic[];
  readonly #orders: Scenario['orders'];

  private constructor(parts: DialerParts, { from, to, created, orders }: CreatedScenario) {
    const { clock, ids } = parts;
    const facts = factsOf(from, to, ids.sid('CA'));
    const order = orderOf(facts, created);
    const { target, warnings } = readTarget(order);
    const { statusCallback } = order;
    this.#clock = clock;
    this.#orders = orders;
    this.#order = order;
    this.#warnings = warnings;
    this.dialer = new SimulatedDialer(parts);
    this.called = this.dialer.party(
      {
        target,
        callerId: undefined,
        statusCallback: statusCallback && {
          ...statusCallback,
          events: progressEvents(statusCallback.events),
        },
      },
      {
        facts,
        config: configOf(order.document),
        params: createdParameters(order),
        conduct: {
          converse: (call) => this.#converse(call),
          lastWords: () => this.#lastWords(),
        },
      },
    );
  }

  /** Rejects with ScenarioError when the API would not have made such a call. */
  static async create(parts: SimulatedCallParts, scenario: CreatedScenario): Promise<SimulatedApiCall> {
    return new SimulatedApiCall(await partsOfCalls(parts, scenario), scenario);
  }

  get leg(): SimulatedChild['leg'] {
    return this.called.leg;
  }

  get chronicle(): Chronicle {
    return this.called.chronicle;
  }

  get world(): CallWorld {
    return this.called.world;
  }

  /** Whole seconds in call, as its record has them; 0 for a call that was never answered. */
  get duration(): number {
    return Number(this.called.record.duration);
  }

  /** Makes the call. Resolves when it and all that it dialled are over; time has to be driven meanwhile. */
  async run(): Promise<CallEnd> {
    const { called, leg } = this;
    const { timeoutMs, timeLimitMs } = this.#order;
    for (const warning of this.#warnings) this.chronicle.report(warning);
    const redirect = (document: OrderedDocument) => this.world.onRedirect?.(document);
    scheduleOrders(this.#orders, { redirect, end: () => called.withdraw('api') }, this.#clock);
    const timeout = this.#clock.after(timeoutMs, () => called.withdraw('timeout'));
    const onAnswer = () => {
      timeout.cancel();
      this.#clock.after(timeLimitMs, () => this.#limit(timeLimitMs));
    };
    void leg.answered.then(onAnswer, () => timeout.cancel());
    this.dialer.begin(called);
    await called.over;
    for (const { over, desk } of [called, ...this.dialer.children]) {
      await over;
      await desk.ended();
    }
    for (const call of [called, ...this.dialer.children]) await call.settled();
    const { status, cause } = called.record;
    return { status, cause: cause ?? '' };
  }

  #limit(limitMs: number): void {
    if (this.leg.state === 'ended') return;
    this.chronicle.report(tooLong(limitMs));
    this.called.withdraw('timeout');
  }

  async #converse({ world, leg, chronicle }: SimulatedChild): Promise<CallEnd> {
    const never = new AbortController().signal;
    const report = (diagnostic: Diagnostic) => chronicle.report(diagnostic);
    const desk = world.recordings;
    await beginCreated({ leg, timeline: chronicle, desk, report }, this.#order, never);
    return await runCall(world, { kind: 'document', document: this.#order.document }, never);
  }

  /** The recording of the whole call, where one was asked for. */
  async #lastWords(): Promise<Partial<StatusCallbackDetails>> {
    const { desk } = this.called;
    await desk.ended();
    const record = desk.startedBy('OutboundAPI');
    return record ? { recording: { record, url: record.media_url } } : {};
  }
}

function readTarget(order: OutboundOrder): {
  readonly target: DialTarget;
  readonly warnings: readonly Diagnostic[];
} {
  const { target, diagnostics } = createdTarget(order);
  if (!target) throw new ScenarioError(`to: the API makes no such call: ${diagnostics.at(-1)?.message}`);
  return { target, warnings: diagnostics };
}

function factsOf(from: string, to: string, callSid: string): CallFacts {
  return {
    callSid,
    accountSid: ACCOUNT_SID,
    from,
    to,
    direction: 'outbound-api',
    parentCallSid: null,
    callerName: null,
    forwardedFrom: null,
    sip: null,
    domain: null,
  };
}
