import type { TwimlChoices } from '../call/choices.ts';
import type { CallFacts } from '../call/facts.ts';
import type { Application } from '../config/applications.ts';
import type { Clock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import type { Leg } from '../leg/port.ts';
import type { RegionId } from '../region/region.ts';
import type { SpeechToText } from '../speech/port.ts';
import type { AudioLibrary } from '../twiml/interpreter/world.ts';
import type { Dialer } from '../twiml/verbs/ports.ts';
import type { WebhookSession } from '../webhook/port.ts';
import type { ChildOf, PartyOrder } from './child-order.ts';
import type { Chronicle } from './chronicle.ts';
import { type CalleeAction, type Scenario, ScenarioError } from './scenario.ts';
import { type ApplicationCallOf, SimulatedApplication } from './simulated-application.ts';
import type { SimulatedCallbacks } from './simulated-callbacks.ts';
import { SimulatedChild } from './simulated-child.ts';
import type { SimulatedRegistrations } from './simulated-registrations.ts';

/** What the simulated calls of a fixture share. */
export interface DialerParts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly choices: TwimlChoices;
  readonly region: RegionId;
  readonly callees: Scenario['callees'];
  readonly registrations: SimulatedRegistrations;
  readonly applications: readonly Application[];
  /** What somebody does whom no callee stands for; absent: a call to them is a mistake of the scenario. */
  stranger?(address: string): readonly CalleeAction[];
  webhooks(chronicle: Chronicle): WebhookSession;
  callbacks(chronicle: Chronicle): SimulatedCallbacks;
  audio(webhooks: WebhookSession, chronicle: Chronicle): AudioLibrary;
  readonly speech: SpeechToText | undefined;
}

/** Calls the callees of a scenario. */
export class SimulatedDialer {
  readonly children: (SimulatedChild | SimulatedApplication)[] = [];
  readonly #parts: DialerParts;
  readonly #used = new Map<string, number>();

  constructor(parts: DialerParts) {
    this.#parts = parts;
  }

  /** The dialer of a call with these facts and this leg, in so many applications. */
  of(parent: CallFacts, leg: Leg, depth = 0): Dialer {
    return {
      dial: (order) => {
        const { target } = order;
        if (target.kind === 'application') {
          return this.#application({ order: { ...order, target }, parent, leg, depth });
        }
        const child = this.party(
          { ...order, target },
          {
            facts: {
              ...parent,
              callSid: this.#parts.ids.sid('CA'),
              from: order.callerId ?? parent.from,
              to: target.kind === 'number' ? target.number : target.uri,
              direction: 'outbound-dial',
              parentCallSid: parent.callSid,
              sip: null,
              domain: null,
            },
          },
        );
        this.children.push(child);
        this.begin(child);
        return child;
      },
    };
  }

  /** A call to somebody; `begin` has them called. */
  party(order: PartyOrder, of: ChildOf): SimulatedChild {
    return new SimulatedChild(order, of, this.#parts, this);
  }

  /** Throws ScenarioError when the scenario does not say what those do who are called. */
  begin(child: SimulatedChild): void {
    const { target, refused } = child.order;
    const { registrations } = this.#parts;
    if (refused) return child.refuse(refused);
    if (target.kind === 'sip' && registrations.has(target)) {
      const found = registrations.find(target, child.world.facts.accountSid);
      void found.then((devices) => child.beginAt(devices, registrations));
      return;
    }
    if (target.kind === 'sip' && target.barred) return child.refuse(target.barred);
    child.begin(this.#doingOf(child.address));
  }

  #doingOf(address: string): readonly CalleeAction[] {
    const matching = this.#parts.callees.filter((callee) => callee.address === address);
    const turn = this.#used.get(address) ?? 0;
    this.#used.set(address, turn + 1);
    const callee = matching[Math.min(turn, matching.length - 1)];
    const does = callee?.does ?? this.#parts.stranger?.(address);
    if (!does) throw new ScenarioError(`the scenario has no callee ${address}`);
    return does;
  }

  #application(call: ApplicationCallOf): SimulatedApplication {
    const { applications } = this.#parts;
    const child = new SimulatedApplication(call, this.#parts, {
      find: (sid) => {
        const found = applications.find((application) => application.sid === sid);
        if (found) this.#used.set(sid, 1);
        return found;
      },
      dialerOf: (facts, leg) => this.of(facts, leg, call.depth + 1),
    });
    this.children.push(child);
    return child;
  }

  /** Addresses of the scenario that were never dialled: most likely a mistake in it. */
  get unused(): readonly string[] {
    const { callees, applications } = this.#parts;
    const named = [...callees.map(({ address }) => address), ...applications.map(({ sid }) => sid)];
    return named.filter((address) => !this.#used.has(address));
  }
}
