import type { Standstill, VirtualClock } from '../core/clock.ts';
import type { SimulatedBase } from '../leg/simulated/base-leg.ts';
import type { Chronicle } from './chronicle.ts';
import type { ReplayedCall } from './replayed-call.ts';
import { SimulatedChild } from './simulated-child.ts';

/** Our choice: the longest call that any time limit allows, 86,400 s. What goes on for longer never ends. */
export const LONGEST_CALL_MS = 86_400_000;

const MOST_TIMERS = 10;

/** A world in which a call will not end; `details` says who waits for what. */
export class StuckError extends Error {
  override readonly name = 'StuckError';
  readonly details: readonly string[];

  constructor(details: readonly string[], cause: Standstill) {
    super(details.join('\n'), { cause });
    this.details = details;
  }
}

/** What there is to look at when a run stands still. */
export interface Scene {
  readonly clock: VirtualClock;
  readonly call: ReplayedCall;
  /** Where its peer stands, a sentence each. */
  readonly standing: readonly string[];
  /** Requests that wait for their answer. */
  readonly requests: readonly string[];
}

/** Who waits for what, a line each. */
export function whoWaits(
  { clock, call, standing, requests }: Scene,
  { pending }: Standstill,
): readonly string[] {
  const now = `${(clock.monotonic() / 1000).toFixed(3)} s`;
  const children = call.dialer.children.filter(({ leg }) => leg.state !== 'ended');
  return [
    pending.length === 0
      ? `at ${now} nothing is left that could happen, and the call is not over:`
      : `after ${now} the call is still not over:`,
    `  the call ${running(call.chronicle)}`,
    ...about(call.leg).map((line) => `    ${line}`),
    ...standing.map((line) => `  ${line}`),
    ...children.flatMap((child) => [
      `  the call to ${child.record.to} ${running(child.chronicle)}`,
      ...(child instanceof SimulatedChild ? dialled(child) : []).map((line) => `    ${line}`),
    ]),
    ...requests.map((request) => `  ${request} has no answer`),
    ...scheduled(pending, clock),
  ];
}

function dialled({ leg, scripts }: SimulatedChild): readonly string[] {
  return [...about(leg), ...scripts.map(({ standing }) => `who was called ${standing}`)];
}

/** The verbs that have begun and not ended, the innermost last, and where they stand. */
function running({ timeline }: Chronicle): string {
  const verbs: string[] = [];
  let url = '';
  for (const event of timeline) {
    if (event.type === 'document') url = event.url;
    if (event.type === 'verb-ended') verbs.pop();
    if (event.type !== 'verb-started') continue;
    const { verb, line, column, detail } = event;
    verbs.push(`<${verb}> at ${url}:${line}:${column}${detail === undefined ? '' : ` (${detail})`}`);
  }
  return verbs.length === 0 ? 'runs no verb' : `runs ${verbs.join(', in it ')}`;
}

function about({ state, waiting }: Pick<SimulatedBase, 'state' | 'waiting'>): readonly string[] {
  const now = state === 'ringing' ? 'rings' : state === 'answered' ? 'is answered' : 'has ended';
  return [`its leg ${now}${waiting.length === 0 ? '' : `; it waits for ${waiting.join(', and ')}`}`];
}

function scheduled(pending: Standstill['pending'], clock: VirtualClock): readonly string[] {
  const named = pending.filter(({ label }) => label !== '').slice(0, MOST_TIMERS);
  const times = named.map(({ at, label }) => `    in ${((at - clock.now()) / 1000).toFixed(3)} s: ${label}`);
  return times.length === 0 ? [] : ['  still scheduled:', ...times];
}
