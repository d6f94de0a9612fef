import type { CallFacts } from '../call/facts.ts';
import type { OrderedDocument } from '../call/orders.ts';
import { type Clock, VirtualClock } from '../core/clock.ts';
import { CountingIds } from '../core/ids.ts';
import { SimulatedLeg } from '../leg/simulated/simulated-leg.ts';
import { runCall } from '../twiml/interpreter/run-call.ts';
import type { CallWorld } from '../twiml/interpreter/world.ts';
import { createWebhookSession } from '../webhook/client.ts';
import { Chronicle } from './chronicle.ts';
import { scheduleCaller } from './peers.ts';
import { renderChild, renderHeard, renderRecord, renderRequests, renderTimeline } from './render.ts';
import { readScenario, type Scenario, ScenarioError } from './scenario.ts';
import { ScriptedHttp } from './scripted-http.ts';
import { applicationOf } from './simulated-application.ts';
import { createSimulatedAudio } from './simulated-audio.ts';
import { SimulatedChild, SimulatedDialer } from './simulated-dialer.ts';
import { SimulatedRegistrations } from './simulated-registrations.ts';

const ACCOUNT_SID = `AC${'0'.repeat(31)}1`;
const AUTH_TOKEN = '0123456789abcdef0123456789abcdef';

/** What a run of a fixture left: the texts of its golden files, by name. */
export type FixtureRun = ReadonlyMap<string, string>;

/**
 * Runs a fixture's call in virtual time: the live interpreter and webhook client between a simulated leg and a
 * scripted application. Rejects with ScenarioError for a scenario that cannot be used.
 */
export async function runFixture(directory: string): Promise<FixtureRun> {
  const scenario = await readScenario(directory);
  const clock = new VirtualClock();
  const ids = new CountingIds();
  for (let skipped = 1; skipped < scenario.seed; skipped++) ids.uint32();
  const facts = factsOf(scenario, ids.sid('CA'));
  const chronicle = new Chronicle(clock);
  const http = await ScriptedHttp.load(directory, scenario.webhooks, clock);
  const session = (of: Chronicle) =>
    createWebhookSession({
      http,
      clock,
      ids,
      authToken: async () => AUTH_TOKEN,
      onWarning: (warning) => of.report(warning),
    });
  const webhooks = session(chronicle);
  const leg = new SimulatedLeg(clock);
  scheduleCaller(scenario.caller, leg.peer, clock);
  const { callees } = scenario;
  const registrations = await SimulatedRegistrations.create(scenario, ACCOUNT_SID, clock);
  const audio = createSimulatedAudio;
  const applications = scenario.applications.map((written) => applicationOf(written, ACCOUNT_SID));
  const shared = { clock, ids, callees, registrations, applications, webhooks: session, audio };
  const dialer = new SimulatedDialer(shared);
  const { url: voiceUrl, method: voiceMethod, fallbackUrl, fallbackMethod } = scenario.voice;
  const world: CallWorld = {
    clock,
    facts,
    config: { voiceUrl, voiceMethod, voiceFallbackUrl: fallbackUrl, voiceFallbackMethod: fallbackMethod },
    leg,
    webhooks,
    dialer: dialer.of(facts, leg),
    audio: createSimulatedAudio(webhooks, chronicle),
    recordings: chronicle.desk(() => ids.sid('RE')),
    timeline: chronicle,
    report: chronicle.report.bind(chronicle),
    checkpoint: async () => {},
    onRedirect: undefined,
  };
  scheduleOrders(scenario.orders, world);
  const end = await clock.run(runCall(world, { kind: 'fresh' }, new AbortController().signal));
  const duration_s = secondsSince(chronicle.answeredAt, clock);
  chronicle.add({ type: 'call-ended', status: end.status, duration_s, cause: end.cause });
  for (const child of dialer.children) await clock.run(child.over);
  const unused = [...http.unused, ...dialer.unused];
  if (unused.length > 0)
    throw new ScenarioError(`${directory}: the call never requested ${unused.join(', ')}`);
  return new Map([
    ['heard.txt', renderHeard(leg.heard)],
    ['record.json', renderRecord(end, duration_s, chronicle)],
    ['requests.txt', renderRequests(http.seen)],
    ['timeline.jsonl', renderTimeline(chronicle.timeline)],
    ...dialer.children.flatMap((child, index) => filesOf(child, `child-${index + 1}`)),
  ]);
}

function filesOf(
  child: SimulatedDialer['children'][number],
  name: string,
): readonly (readonly [string, string])[] {
  return [
    // An application hears and is heard through the call that dialled it.
    ...(child instanceof SimulatedChild
      ? ([[`${name}-heard.txt`, renderHeard(child.leg.heard)]] as const)
      : []),
    [`${name}-record.json`, renderChild(child.record, child.order)],
    [`${name}-timeline.jsonl`, renderTimeline(child.chronicle.timeline)],
  ];
}

/** Gives the call the documents that the API orders. */
function scheduleOrders(orders: Scenario['orders'], world: CallWorld): void {
  for (const order of orders) {
    const document: OrderedDocument =
      'twiml' in order
        ? { kind: 'twiml', twiml: order.twiml }
        : { kind: 'url', url: order.url, method: order.method, fallbackUrl: '', fallbackMethod: 'POST' };
    world.clock.after(order.at, () => world.onRedirect?.(document));
  }
}

/** Whole seconds from the answer until now, rounded up as billing does; 0 for a call that was never answered. */
function secondsSince(answeredAt: string | null, clock: Clock): number {
  return answeredAt === null ? 0 : Math.ceil((clock.now() - Date.parse(answeredAt)) / 1000);
}

function factsOf({ from, to }: Scenario, callSid: string): CallFacts {
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
