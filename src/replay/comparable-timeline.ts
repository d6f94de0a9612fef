import type { TimelineEvent } from '../call/timeline.ts';

/** The timelines of a call and of all that it dialled, by CallSid. */
export type Timelines = ReadonlyMap<string, readonly TimelineEvent[]>;

/** An event without what differs from one execution to the next. */
export interface ComparableEvent {
  readonly text: string;
  /** ISO 8601; not compared. */
  readonly at: string;
}

/** Events of which each may be the cause of the next. */
export interface Strand {
  /** Which call's it is, and of which of its children: `call`, `call, child 1`, `child 1 of call`. */
  readonly name: string;
  readonly callSid: string;
  readonly events: readonly ComparableEvent[];
}

/**
 * What is left out: how the call began and reached its worker, and which worker it was (a replay has neither);
 * callbacks, which a Region sends when it comes to it; requests for media, which may be at hand; what was said to
 * people.
 */
const LEFT_OUT: ReadonlySet<TimelineEvent['type']> = new Set<TimelineEvent['type']>([
  'call-received',
  'created',
  'routed',
  'note',
  'taken',
  'worker-lost',
  'resumed',
  'exchange',
  'recording-stored',
]);

/** Which voices speak is a matter of the installation. */
const OF_THE_VOICE: readonly number[] = [13511, 13512];

/** That a callback was not accepted comes when the Region has sent it, whatever the call does then. */
const OF_CALLBACKS = 15003;

/** Times, sizes and places that no two executions share, whatever the event. */
const VOLATILE: ReadonlySet<string> = new Set([
  'at',
  'ms',
  'duration_ms',
  'duration_s',
  'bytes',
  'content_type',
  'error',
  'message',
  'column',
  'detail',
  'edge',
  'uri',
  'phrase',
]);

/**
 * A call's execution as far as two executions of the same call can be the same, times aside: one live and one in replay,
 * for one. What happened to a call is one strand, in order; what became of each party that it dialled is another,
 * because parties end independently of each other, and so are the callbacks that were refused. SIDs are numbered in the order of their appearance.
 *
 * @param text applied to every text, to translate the names of one world into those of the other
 */
export function strandsOf(
  callSid: string,
  timelines: Timelines,
  text: (written: string) => string = (written) => written,
  name = 'call',
): readonly Strand[] {
  const events = timelines.get(callSid) ?? [];
  const named = namesOf(events);
  const children = events.flatMap((event) => (event.type === 'dialled' ? [event.call] : []));
  const strand = (of: string, those: readonly TimelineEvent[]): Strand => ({
    name: of,
    callSid,
    events: those.map((event) => ({ at: event.at, text: describe(event, named, text) })),
  });
  return [
    strand(name, events.filter(isCompared)),
    strand(`${name}, callbacks`, events.filter(isOfCallbacks)),
    ...children.flatMap((child, index) => [
      strand(`${name}, child ${index + 1}`, events.filter(isOf(child))),
      ...strandsOf(child, timelines, text, `child ${index + 1} of ${name}`),
    ]),
  ];
}

/** The first event in which two executions differ, in a sentence of two lines; undefined when they are the same. */
export function firstDifference(expected: readonly Strand[], found: readonly Strand[]): string | undefined {
  const names = new Set([...expected, ...found].map(({ name }) => name));
  for (const name of names) {
    const [before = [], after = []] = [expected, found].map(
      (strands) => strands.find((strand) => strand.name === name)?.events,
    );
    const index = commonLength(before, after);
    if (index === before.length && index === after.length) continue;
    const shown = (event: ComparableEvent | undefined) => event?.text ?? 'nothing more';
    return `${name}, event ${index + 1}: expected ${shown(before[index])}\n  found ${shown(after[index])}`;
  }
  return undefined;
}

/** How many events two strands share from their beginning. */
export function commonLength(before: readonly ComparableEvent[], after: readonly ComparableEvent[]): number {
  const end = before.findIndex(({ text }, index) => text !== after[index]?.text);
  return end < 0 ? before.length : end;
}

export function isCompared(event: TimelineEvent): boolean {
  if (LEFT_OUT.has(event.type) || event.type === 'dial-ended') return false;
  if (event.type === 'webhook') return event.purpose === 'document' || event.purpose === 'fallback';
  return event.type !== 'diagnostic' || !(OF_THE_VOICE.includes(event.code) || isOfCallbacks(event));
}

const isOfCallbacks = (event: TimelineEvent) => event.type === 'diagnostic' && event.code === OF_CALLBACKS;

const isOf = (child: string) => (event: TimelineEvent) =>
  (event.type === 'dialled' ||
    event.type === 'bridged' ||
    event.type === 'unbridged' ||
    event.type === 'dial-ended') &&
  event.call === child;

/** Names for the SIDs of a timeline. */
function namesOf(events: readonly TimelineEvent[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const name = (sid: string, kind: string) => {
    if (names.has(sid)) return;
    const same = [...names.values()].filter((other) => other.startsWith(kind)).length;
    names.set(sid, `${kind} ${same + 1}`);
  };
  for (const event of events) {
    if (event.type === 'dialled') name(event.call, 'child');
    if (event.type === 'transcription') name(event.transcription, 'transcription');
    if ('recording' in event && typeof event.recording === 'string') name(event.recording, 'recording');
  }
  return names;
}

function describe(
  event: TimelineEvent,
  names: ReadonlyMap<string, string>,
  text: (written: string) => string,
): string {
  const fields = Object.entries(event).flatMap(([name, value]) => {
    if (VOLATILE.has(name) || name === 'type') return [];
    // What a GET tells is in its address.
    if (event.type === 'webhook' && name === 'url') return [`url=${text(String(value).split('?')[0] ?? '')}`];
    // The other call of a child is the one that dialled it.
    if (name === 'call') return [`call=${names.get(String(value)) ?? 'parent'}`];
    if (name === 'cause') return [`cause=${sentence(text(String(value)))}`];
    const shown = typeof value === 'string' ? (names.get(value) ?? text(value)) : value;
    return [`${name}=${typeof shown === 'string' ? shown : text(JSON.stringify(shown))}`];
  });
  return [event.type, ...fields.sort()].join(' ');
}

/** Without the explanation behind the colon, which may quote addresses and times. */
function sentence(cause: string): string {
  return cause.split(': ')[0] ?? '';
}
