import type { VirtualClock } from '../../core/clock.ts';
import { mistakes, partiesOf } from '../mistakes.ts';
import { scheduleCaller } from '../peers.ts';
import { type FixtureRun, textsOf } from '../run-fixture.ts';
import { type CalleeAction, readAnswerFiles, type Scenario, ScenarioError } from '../scenario.ts';
import { ScriptedHttp } from '../scripted-http.ts';
import type { CallOutcome } from '../testing/call.ts';
import { CallExpectation } from '../testing/ear.ts';
import { openCall } from '../testing/open-call.ts';
import type { LocatedApp } from './locate.ts';

/** A scenario and the application it is to be run against. */
export interface AppScenario {
  readonly app: LocatedApp;
  /** Where the answers of other servers are; undefined: there are none. */
  readonly directory: string | undefined;
  readonly scenario: Scenario;
  readonly token: string | undefined;
  readonly allowHosts: readonly string[];
  readonly seed: number | undefined;
  readonly plans: ReadonlyMap<string, readonly CalleeAction[]>;
  /** When the caller hangs up at the latest, in virtual ms. */
  readonly maxMs: number;
}

/** What came of it. */
export interface AppRun {
  readonly sid: string;
  /** The call, for people. */
  readonly transcript: string;
  /** Undefined: it never ended. */
  readonly outcome: CallOutcome | undefined;
  /** What is wrong, a sentence each. */
  readonly failures: readonly string[];
  /** As a fixture's `expected/` has them. */
  readonly texts: FixtureRun;
}

/** Everybody whom nobody has said anything about: they answer, and hang up again. */
const OBLIGING: readonly CalleeAction[] = [
  { at: 0, ring: 180, early: false },
  { at: 2_000, answer: true },
  { at: 12_000, hangup: true },
];

/** Runs a scenario's call against an application over HTTP. Rejects with ScenarioError when it cannot be used. */
export async function runAgainstApp(options: AppScenario): Promise<AppRun> {
  const { app, directory, scenario, maxMs } = options;
  if (scenario.created) {
    const message = 'created: --app makes calls that come in; replay a call that the API makes without it';
    throw new ScenarioError(message);
  }
  // What the scenario says of the application itself is what it stands in for.
  const stoodIn = new URL(scenario.voice.url, app.url).origin;
  const others = scenario.webhooks.filter(({ url }) => new URL(url).origin !== stoodIn);
  const files = readAnswerFiles(directory ?? '.', { webhooks: others });
  const scripted = (clock: VirtualClock) => new ScriptedHttp(files, others, clock);
  const opened = await openCall({
    app,
    scenario: moved(scenario, stoodIn, app),
    plans: new Map(options.plans),
    others: OBLIGING,
    allowHosts: options.allowHosts,
    token: options.token,
    seed: options.seed,
    ...(others.length > 0 && { scripted }),
  });
  const { call, simulated, application, clock } = opened;
  const caller = scheduleCaller(scenario.caller, simulated.leg.peer, clock);
  clock.after(maxMs, () => call.hangup(), 'the caller hanging up');
  const outcome = await call.ended.then(
    (ended) => ended,
    (error: unknown) => {
      if (error instanceof CallExpectation) return error;
      throw error;
    },
  );
  const { sounds } = simulated.leg.peer;
  const parties = [{ name: 'the caller', script: caller, sounds }, ...partiesOf(simulated.dialer.children)];
  const stuck = outcome instanceof CallExpectation ? [outcome.message.split('\n', 1)[0] ?? ''] : [];
  const unheard = mistakes([], parties);
  const errors = call.diagnostics.filter(({ level }) => level === 'error');
  const ended = outcome instanceof CallExpectation ? undefined : outcome;
  const end = ended ?? { status: 'failed', cause: 'it never ended' };
  return {
    sid: call.sid,
    transcript: call.transcript(),
    outcome: ended,
    failures: [...stuck, ...unheard, ...errors.map(({ code, message }) => `error ${code}: ${message}`)],
    texts: asExpected(textsOf(simulated, end, application.seen), app.origin, stoodIn),
  };
}

/** The scenario with the application where it runs. */
function moved(scenario: Scenario, stoodIn: string, { origin, url }: LocatedApp): Scenario {
  const at = (text: string) => (text.startsWith(`${stoodIn}/`) ? origin + text.slice(stoodIn.length) : text);
  const { voice, applications, orders } = scenario;
  const { fallbackUrl, statusCallback } = voice;
  return {
    ...scenario,
    voice: { ...voice, url, fallbackUrl: at(fallbackUrl), statusCallback: at(statusCallback) },
    applications: applications.map((application) => ({
      ...application,
      voiceUrl: at(application.voiceUrl),
      voiceFallbackUrl: at(application.voiceFallbackUrl),
      statusCallback: at(application.statusCallback),
    })),
    orders: orders.map((order) => ('url' in order ? { ...order, url: at(order.url) } : order)),
  };
}

/** Texts that are the same wherever the application runs, and whatever its requests are signed with. */
export function asExpected(texts: FixtureRun, origin: string, stoodIn: string): FixtureRun {
  const entries = [...texts].map(([name, text]) => {
    const unsigned = name === 'requests.txt' ? text.replaceAll(/^ {2}x-twilio-signature: .*\n/gm, '') : text;
    return [name, unsigned.replaceAll(origin, stoodIn)] as const;
  });
  return new Map(entries);
}
