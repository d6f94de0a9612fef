import type { TimelineEvent } from '../../call/timeline.ts';
import { isCompared } from '../comparable-timeline.ts';
import { callsOf, type ExportedCall, type ToldCall, timeOf } from './exported-call.ts';

/** Something that somebody did in a call, and between which of its events. */
export interface ExportedStep {
  /** The call between whose events it happened. */
  readonly callSid: string;
  /** The call of whoever did it: an application that was dialled has the caller of the call that dialled it. */
  readonly party: string;
  readonly by: 'party' | 'api';
  /** As `scenario.yaml` writes it, without its time. */
  readonly step: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** So many of the call's compared events had happened. */
  readonly after: number;
  /** Milliseconds since the last of them. */
  readonly since: number;
}

export interface ExportedSteps {
  /** In the order in which they happened. */
  readonly steps: readonly ExportedStep[];
  /** What happened and cannot be told in a scenario. */
  readonly missing: readonly string[];
}

/** How a call ends when its leg does, by the beginning of its cause. */
const ENDS: readonly (readonly [RegExp, Readonly<Record<string, unknown>>])[] = [
  [/^the (?:caller|called party|callee) (?:hung|gave) up/, { hangup: true }],
  [/^the (?:caller|called party) never acknowledged|^the callee never completed/, { end: 'no-ack' }],
  [/^no audio arrived/, { end: 'media-timeout' }],
  [/^the edge (?:process|ended)/, { end: 'edge-lost' }],
  [/^the connection to the/, { end: 'transport-failed' }],
  [/^the (?:called party|callee) could not be reached/, { end: 'unreachable' }],
  [/^the call (?:was not placed|could not be made)/, { end: 'not-placed' }],
];

/** Of what is recorded, 2 s and less are not transcribed. */
const LONG_ENOUGH = '3s';

/** In place of what was said in a recording that was transcribed, which no timeline tells. */
const WRITTEN_DOWN = 'Something that was understood.';

/** Of somebody who says something, when it begins after what went before. */
const SPEAKS_AFTER_MS = 100;

/** Reads from the timelines what the caller, the dialled parties and the API did. */
export function exportSteps(call: ExportedCall): ExportedSteps {
  const missing: string[] = [];
  const calls = callsOf(call);
  const steps = calls
    .flatMap((told) => stepsOf(told, missing))
    .map((step) => ({ ...step, party: partyOf(step.party, calls) }));
  return { steps: steps.toSorted((a, b) => a.at - b.at), missing };
}

/** The nearest call with a peer of its own. */
function partyOf(sid: string, calls: readonly ToldCall[]): string {
  const call = calls.find((one) => one.sid === sid);
  if (!call?.dialled?.to.startsWith('AP')) return sid;
  const { dialled } = call;
  const parent = calls.find(({ events }) => events.includes(dialled));
  return parent ? partyOf(parent.sid, calls) : sid;
}

function stepsOf(call: ToldCall, missing: string[]): readonly ExportedStep[] {
  const { events } = call;
  return events.flatMap((event, index): readonly ExportedStep[] => {
    switch (event.type) {
      case 'dtmf':
        return [stepAt(call, beforeInterrupted(events, index), { press: event.digit })];
      case 'speech':
        return [speech(call, beforeInterrupted(events, index), event)];
      case 'recording-started':
        return spokenInto(call, index);
      case 'progress':
        return [stepAt(call, index, { ring: event.status, ...(event.early && { early: true }) })];
      case 'answered':
        return call.created || (call.dialled && isPlaced(call))
          ? [stepAt(call, index, { answer: true })]
          : [];
      case 'redirected':
        return redirected(call, index, event, missing);
      case 'referred':
        return [referral(call, index, event)];
      case 'resumed':
        missing.push('another worker went on with the call');
        return [];
      case 'hangup':
        return ending(call, index, event, missing);
      default:
        return [];
    }
  });
}

/** A step that happened just before the event at `index`, whose time it has. */
function stepAt(
  call: ToldCall,
  index: number,
  step: ExportedStep['step'],
  by: ExportedStep['by'] = 'party',
): ExportedStep {
  const { events, sid } = call;
  const before = events.slice(0, index).filter(isCompared);
  const cause = before.at(-1) ?? events[0];
  const event = events[index];
  const at = event ? timeOf(event) : 0;
  return {
    callSid: sid,
    party: sid,
    by,
    step,
    at,
    after: before.length,
    since: cause ? at - timeOf(cause) : 0,
  };
}

/** What was interrupted by something is told before it. */
function beforeInterrupted(events: readonly TimelineEvent[], index: number): number {
  let first = index;
  for (;;) {
    const before = events[first - 1];
    if (before?.type !== 'verb-ended' || before.outcome !== 'interrupted') return first;
    first--;
  }
}

/** Who asked to be replaced is not told; our choice: the party that was dialled, if there is one. */
function referral(
  call: ToldCall,
  index: number,
  { by, target, status = 200 }: Extract<TimelineEvent, { type: 'referred' }>,
): ExportedStep {
  const { events, sid } = call;
  if (by === 'peer') {
    const bridged = events.slice(0, index).findLast(({ type }) => type === 'bridged');
    const party = bridged?.type === 'bridged' ? bridged.call : sid;
    return { ...stepAt(call, index, { refer: target }), party };
  }
  const step = { whenReferred: 202, notifies: status === 202 ? [] : [status] };
  const verb = events.slice(0, index).findLastIndex(({ type }) => type === 'verb-started');
  const asked = stepAt(call, verb, step); // before it is asked
  return { ...asked, since: 0 };
}

function speech(
  call: ToldCall,
  index: number,
  { text, confidence }: Extract<TimelineEvent, { type: 'speech' }>,
): ExportedStep {
  const said = text === '' ? { speak: '1s' } : { say: text, ...(confidence !== undefined && { confidence }) };
  return { ...stepAt(call, index, said), since: SPEAKS_AFTER_MS };
}

/** A recording that silence did not end was spoken into all the time. */
function spokenInto(call: ToldCall, index: number): readonly ExportedStep[] {
  const { events } = call;
  const started = events[index];
  const verb = events.slice(0, index).findLast(({ type }) => type === 'verb-started');
  if (started?.type !== 'recording-started' || verb?.type !== 'verb-started' || verb.verb !== 'Record')
    return [];
  const end = events
    .slice(index)
    .find((event) => event.type === 'recording-ended' && event.recording === started.recording);
  if (end?.type !== 'recording-ended') return [];
  const said = wasSaid(events, started.recording);
  if (end.reason === 'silence' && !said) return [];
  const ms = end.reason === 'silence' ? LONG_ENOUGH : `${Math.ceil(end.duration_ms)}ms`;
  const step = stepAt(call, index + 1, said ? { say: WRITTEN_DOWN, for: ms } : { speak: ms });
  return [{ ...step, at: timeOf(started), since: 0 }];
}

/** Something was said in a recording: it was transcribed, or would have been. */
function wasSaid(events: readonly TimelineEvent[], recording: string): boolean {
  return events.some(
    (event) =>
      (event.type === 'transcription' && event.recording === recording && event.status === 'completed') ||
      (event.type === 'diagnostic' && event.code === 13620),
  );
}

function redirected(
  call: ToldCall,
  index: number,
  { url, method, twiml }: Extract<TimelineEvent, { type: 'redirected' }>,
  missing: string[],
): readonly ExportedStep[] {
  const first = beforeInterrupted(call.events, index);
  if (call.dialled) {
    if (twiml !== undefined || !URL.canParse(url)) missing.push('a dialled party was given TwiML by the API');
    else return [stepAt(call, first, { redirect: url })];
    return [];
  }
  if (twiml === undefined && !URL.canParse(url))
    missing.push('the TwiML that the API gave the call was not kept');
  else
    return [stepAt(call, first, twiml === undefined ? { url, method: method ?? 'POST' } : { twiml }, 'api')];
  return [];
}

function ending(
  call: ToldCall,
  index: number,
  { cause }: Extract<TimelineEvent, { type: 'hangup' }>,
  missing: string[],
): readonly ExportedStep[] {
  if (call.dialled && !isPlaced(call)) return []; // an application has the caller's leg
  const refused = /^the callee refused the call with (\d+)/.exec(cause)?.[1];
  if (refused !== undefined) return [stepAt(call, index, { refuse: Number(refused) })];
  const last = call.events.findLast((event) => event.type === 'call-ended');
  const verdict = last?.type === 'call-ended' ? last.cause : cause;
  if (/ through the API$/.test(verdict)) return endedByApi(call, index, verdict, missing);
  if (/^the worker was/.test(verdict)) missing.push(verdict);
  const step = ENDS.find(([pattern]) => pattern.test(cause))?.[1];
  if (step) return [stepAt(call, aftermath(call.events, index), step)];
  if (call.dialled && /^the application hung up during/.test(cause))
    missing.push(`a call was ended: ${verdict}`);
  return [];
}

function endedByApi(
  call: ToldCall,
  index: number,
  verdict: string,
  missing: string[],
): readonly ExportedStep[] {
  if (call.dialled) missing.push(`the API ended a call that was dialled: ${verdict}`);
  if (call.dialled) return [];
  const status = verdict.includes('canceled') ? 'canceled' : 'completed';
  return [stepAt(call, aftermath(call.events, index), { status }, 'api')];
}

/** Somebody was to be rung, or could not be: no application was called. */
function isPlaced({ dialled, events }: ToldCall): boolean {
  return !dialled?.to.startsWith('AP') && events.length > 0;
}

/**
 * Where what follows a hang-up begins: verbs are interrupted, a recording ends, a bridge, and `action` is told. Until a
 * verb that ended by itself.
 */
function aftermath(events: readonly TimelineEvent[], index: number): number {
  let first = index;
  let sure = index;
  while (first > 0) {
    const event = events[first - 1];
    if (!event || !isAftermath(event)) break;
    first--;
    if (event.type !== 'exchange' && event.type !== 'webhook' && event.type !== 'diagnostic') sure = first;
  }
  return sure;
}

function isAftermath(event: TimelineEvent): boolean {
  switch (event.type) {
    case 'verb-ended':
      return event.outcome === 'interrupted';
    case 'recording-ended':
      return event.reason === 'hangup';
    case 'exchange':
    case 'webhook':
    case 'diagnostic':
    case 'unbridged':
    case 'dial-ended':
    case 'note':
    case 'recording-stored':
      return true;
    default:
      return false;
  }
}
