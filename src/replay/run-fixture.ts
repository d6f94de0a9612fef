import { Standstill, VirtualClock } from '../core/clock.ts';
import { CountingIds } from '../core/ids.ts';
import type { CallEnd } from '../twiml/interpreter/world.ts';
import type { SimulatedCallParts } from './call-parts.ts';
import { mistakes } from './mistakes.ts';
import {
  inviteOf,
  renderChild,
  renderHeard,
  renderRecord,
  renderRequests,
  renderTimeline,
} from './render.ts';
import { type ReplayedCall, stageCall } from './replayed-call.ts';
import { readAnswerFiles, readScenario, type Scenario, ScenarioError } from './scenario.ts';
import { ScriptedHttp, type SeenRequest } from './scripted-http.ts';
import { SimulatedApiCall } from './simulated-api-call.ts';
import { SimulatedChild } from './simulated-child.ts';
import type { SimulatedDialer } from './simulated-dialer.ts';
import { LONGEST_CALL_MS, StuckError, whoWaits } from './stuck.ts';

/** What a run of a fixture left: the texts of its golden files, by name. */
export type FixtureRun = ReadonlyMap<string, string>;

/** A fixture as it was read: to be run any number of times. */
export interface Fixture {
  readonly scenario: Scenario;
  /** The files that its webhooks answer with. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Throws ScenarioError for a scenario that cannot be used. */
export function readFixture(directory: string): Fixture {
  const scenario = readScenario(directory);
  return { scenario, files: readAnswerFiles(directory, scenario) };
}

/**
 * Runs a fixture's call in virtual time: the live interpreter and webhook client between a simulated leg and a
 * scripted application. Rejects with ScenarioError for what the scenario has and the call never came to, with
 * StuckError when the call does not end.
 */
export async function runFixture(
  { scenario, files }: Fixture,
  parts: Pick<SimulatedCallParts, 'audio'> = {},
): Promise<FixtureRun> {
  const clock = new VirtualClock();
  const ids = new CountingIds(scenario.seed);
  const http = new ScriptedHttp(files, scenario.webhooks, clock);
  const staged = await stageCall({ ...parts, clock, ids, http, listener: http.listener }, scenario);
  const { call } = staged;
  const end = await clock.run(call.run(), LONGEST_CALL_MS).catch((error: unknown) => {
    if (!(error instanceof Standstill)) throw error;
    const scene = { clock, call, standing: staged.standing, requests: http.waiting };
    throw new StuckError(whoWaits(scene, error), error);
  });
  const wrong = mistakes([...http.unused, ...call.dialer.unused], staged.parties);
  if (wrong.length > 0) throw new ScenarioError(wrong.join('\n'));
  return textsOf(call, end, http.seen);
}

/** What there is to read of a call that is over, by file name. */
export function textsOf(call: ReplayedCall, end: CallEnd, seen: readonly SeenRequest[]): FixtureRun {
  const { leg, chronicle, dialer } = call;
  return new Map([
    ['heard.txt', renderHeard(leg.heard)],
    ['record.json', recordOf(call, end)],
    ['requests.txt', renderRequests(seen)],
    ['timeline.jsonl', renderTimeline(chronicle.timeline)],
    ...dialer.children.flatMap((child, index) => filesOf(child, `child-${index + 1}`)),
  ]);
}

function recordOf(call: ReplayedCall, end: CallEnd): string {
  const { chronicle, duration } = call;
  const made = call instanceof SimulatedApiCall ? inviteOf(call.called.record, call.called.order) : {};
  return renderRecord(end, duration, chronicle, made);
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
