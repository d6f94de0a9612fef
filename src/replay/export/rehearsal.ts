import { Standstill, VirtualClock } from '../../core/clock.ts';
import { CountingIds } from '../../core/ids.ts';
import { commonLength, type Strand, strandsOf } from '../comparable-timeline.ts';
import { stageCall } from '../replayed-call.ts';
import { ScenarioError, scenarioSchema } from '../scenario.ts';
import { ScriptedHttp } from '../scripted-http.ts';
import { LONGEST_CALL_MS } from '../stuck.ts';
import type { ExportedCall } from './exported-call.ts';
import { type PlacedStep, type WrittenScenario, writeScenario } from './exported-scenario.ts';
import type { ExportedStep } from './exported-steps.ts';
import type { ExportedApplication } from './exported-webhooks.ts';

/** When virtual time begins, in milliseconds since the epoch. */
const START = new VirtualClock().now();

/** Our choice: when a rehearsal is over whose caller would listen for ever, beyond the length of the call. */
const ENDS_AFTER_MS = 60_000;

/**
 * Gives each step the time at which it has to happen in virtual time to happen between the same events as it did live.
 * Verbs take other times there: the step of a second into the third prompt is to be a step into the third prompt.
 *
 * Step after step, the call is rehearsed with the steps before it: what it waits for next, and how long, is where the
 * next one belongs. A step whose place is never reached keeps its live time.
 */
export async function placeSteps(
  call: ExportedCall,
  application: ExportedApplication,
  steps: readonly ExportedStep[],
): Promise<readonly PlacedStep[]> {
  const live = strandsOf(call.sid, call.timelines);
  const begun = (sid: string) => Date.parse(call.timelines.get(sid)?.[0]?.at ?? '');
  const longest = ENDS_AFTER_MS + 2 * lengthOf(call);
  const placed: PlacedStep[] = [];
  for (const { callSid, party, by, step, at, after, since } of steps) {
    const rehearsal = writeRehearsal(call, application, placed, longest);
    const { strands: found } = await rehearse(rehearsal, application.files);
    const [own, others] = [live, found ?? []].map((strands) => strandFor(callSid, strands, live));
    const gap = own && others ? gapAfter(own, others, after) : undefined;
    const partyBegan = party === call.sid ? START : begunAt(strandFor(party, found ?? [], live));
    const time = gap ? gap.from - partyBegan + within(since, gap.ms) : at - begun(party);
    placed.push({ party, by, step, time: Math.max(time, lastOf(placed, party)) });
  }
  return placed;
}

/** What a scenario leaves, or why it leaves nothing: it never ends, or comes to something that it does not tell of. */
export type Rehearsal =
  | { readonly strands: readonly Strand[] }
  | { readonly strands?: undefined; readonly why: string };

export async function rehearse(
  written: WrittenScenario,
  files: ExportedApplication['files'],
): Promise<Rehearsal> {
  const checked = scenarioSchema.safeParse(written);
  if (!checked.success) throw new ScenarioError(`the call makes no scenario: ${checked.error.message}`);
  const scenario = checked.data;
  const clock = new VirtualClock();
  const ids = new CountingIds(scenario.seed);
  const bodies = new Map([...files].map(([name, text]) => [name, Buffer.from(text)] as const));
  const http = new ScriptedHttp(bodies, scenario.webhooks, clock);
  const { call } = await stageCall({ clock, ids, http, listener: http.listener }, scenario);
  try {
    await clock.run(call.run(), LONGEST_CALL_MS);
  } catch (error) {
    if (error instanceof ScenarioError) return { why: error.message };
    if (error instanceof Standstill) return { why: 'nothing more happens in it, and it does not end' };
    throw error;
  }
  const timelines = call.dialer.children.map((child) => [child.callSid, child.chronicle.timeline] as const);
  const { callSid } = call.world.facts;
  return { strands: strandsOf(callSid, new Map([[callSid, call.chronicle.timeline], ...timelines])) };
}

function writeRehearsal(
  call: ExportedCall,
  application: ExportedApplication,
  placed: readonly PlacedStep[],
  longest: number,
): WrittenScenario {
  const end: PlacedStep = { party: call.sid, by: 'party', step: { hangup: true }, time: longest };
  return writeScenario(call, application, [...placed, end], 'A rehearsal.');
}

/** What happened to this call: strands have the same names in both executions. */
function strandFor(callSid: string, strands: readonly Strand[], live: readonly Strand[]): Strand | undefined {
  const name = live.find((strand) => strand.callSid === callSid)?.name;
  return strands.find((strand) => strand.name === name);
}

/** When the event that a step follows happens in the rehearsal, and how long until the next. */
function gapAfter(
  live: Strand,
  found: Strand,
  after: number,
): { readonly from: number; readonly ms: number } | undefined {
  if (commonLength(live.events.slice(0, after), found.events) < after) return undefined;
  const timeAt = (index: number) => Date.parse(found.events[index]?.at ?? '');
  const from = after === 0 ? (found.name === 'call' ? START : timeAt(0)) : timeAt(after - 1);
  const next = timeAt(after);
  return { from, ms: Number.isNaN(next) ? Number.POSITIVE_INFINITY : next - from };
}

/** As long after as it was, unless something else would have happened by then. */
function within(since: number, ms: number): number {
  return since < ms ? since : ms / 2;
}

const begunAt = (strand: Strand | undefined) => Date.parse(strand?.events[0]?.at ?? '') || START;

function lastOf(placed: readonly PlacedStep[], party: string): number {
  return Math.max(0, ...placed.filter((step) => step.party === party).map(({ time }) => time));
}

function lengthOf({ sid, timelines }: ExportedCall): number {
  const events = timelines.get(sid) ?? [];
  return Date.parse(events.at(-1)?.at ?? '') - Date.parse(events[0]?.at ?? '') || 0;
}
