import type { SimulatedLeg } from '../leg/simulated/simulated-leg.ts';
import type { SimulatedOutgoingLeg } from '../leg/simulated/simulated-outgoing-leg.ts';
import type { CallEnd, CallWorld } from '../twiml/interpreter/world.ts';
import type { SimulatedCallParts } from './call-parts.ts';
import type { Chronicle } from './chronicle.ts';
import { type Party, partiesOf } from './mistakes.ts';
import { scheduleCaller } from './peers.ts';
import type { Scenario } from './scenario.ts';
import { SimulatedApiCall } from './simulated-api-call.ts';
import { SimulatedCall } from './simulated-call.ts';
import type { SimulatedDialer } from './simulated-dialer.ts';

/** The call of a scenario, whoever makes it. */
export interface ReplayedCall {
  readonly leg: SimulatedLeg | SimulatedOutgoingLeg;
  readonly chronicle: Chronicle;
  readonly dialer: SimulatedDialer;
  readonly world: CallWorld;
  /** Whole seconds in call, as its record has them; 0 for a call that was never answered. */
  readonly duration: number;
  /** Executes it. Resolves when it and all that it dialled are over; time has to be driven meanwhile. */
  run(): Promise<CallEnd>;
}

/** A call whose parties know what they do. */
export interface StagedCall {
  readonly call: ReplayedCall;
  /** Where its peer stands, a sentence each. */
  readonly standing: readonly string[];
  /** Those whose scripts count. */
  readonly parties: readonly Party[];
}

/** The call that a scenario describes: one that comes in, or one that the API creates. */
export async function stageCall(parts: SimulatedCallParts, scenario: Scenario): Promise<StagedCall> {
  const { created } = scenario;
  if (created) {
    const call = await SimulatedApiCall.create(parts, { ...scenario, created });
    const { called, dialer } = call;
    return {
      call,
      get standing() {
        return called.scripts.map(({ standing }) => `who is called ${standing}`);
      },
      get parties() {
        return partiesOf([called, ...dialer.children]);
      },
    };
  }
  const call = await SimulatedCall.create(parts, scenario);
  const { sounds } = call.leg.peer;
  const script = scheduleCaller(scenario.caller, call.leg.peer, parts.clock);
  return {
    call,
    get standing() {
      return [`the caller ${script.standing}`];
    },
    get parties() {
      return [{ name: 'the caller', script, sounds }, ...partiesOf(call.dialer.children)];
    },
  };
}
