import type { CallRecord } from '../call/record.ts';
import type { TimelineEvent } from '../call/timeline.ts';
import type { Heard } from '../leg/simulated/heard.ts';
import type { CallEnd } from '../twiml/interpreter/world.ts';
import type { DialOrder } from '../twiml/verbs/ports.ts';
import type { Chronicle } from './chronicle.ts';
import type { SeenRequest } from './scripted-http.ts';

const seconds = (ms: number) => (ms / 1000).toFixed(3);

/** One event a line, as it is stored, its time first. */
export function renderTimeline(timeline: readonly TimelineEvent[]): string {
  return lines(timeline.map((event) => JSON.stringify(event)));
}

/** What went over the line, from the caller's side, in the order it began. */
export function renderHeard(heard: readonly Heard[]): string {
  const inOrder = heard
    .filter((event) => event.kind !== 'played' || event.ms > 0)
    .toSorted((a, b) => a.at - b.at);
  return lines(inOrder.map((event) => `${seconds(event.at).padStart(9)}  ${describeHeard(event)}`));
}

/** One event in a few words. */
export function describeHeard(event: Heard): string {
  switch (event.kind) {
    case 'answered':
      return 'answered';
    case 'played':
      return `heard for ${seconds(event.ms)} s${event.cut ? ', cut short' : ''}${unheard(event)}: ${event.clip}`;
    case 'digits':
      return `heard keys: ${event.digits}`;
    case 'progress':
      return `rings: ${event.status}`;
    case 'voice':
      return `heard the other party for ${seconds(event.ms)} s`;
    case 'echo':
      return `heard itself for ${seconds(event.ms)} s`;
    case 'key':
      return `heard the other party's key: ${event.key}`;
    case 'asked-for':
      return `sent REFER to ${event.referTo}`;
    case 'notified':
      return `was notified of its REFER: ${event.status}`;
    case 'referred':
      return `was referred to ${event.uri}`;
    case 'pressed':
      return `pressed ${event.key}${toNobody(event)}`;
    case 'held':
      return 'put the call on hold';
    case 'resumed':
      return 'took the call off hold';
    case 'spoke':
      return `spoke for ${seconds(event.ms)} s${toNobody(event)}${event.said === undefined ? '' : `: ${event.said}`}`;
    case 'recorded':
      return `was recorded for ${seconds(event.ms)} s as ${event.sid}, until: ${event.reason}`;
    case 'ended':
      return `ended: ${event.cause}${event.sipStatus === undefined ? '' : ` (SIP ${event.sipStatus})`}`;
  }
}

const toNobody = ({ onHold }: { readonly onHold?: true }) => (onHold ? ', on hold, to nobody' : '');

const unheard = ({ onHold }: Extract<Heard, { kind: 'played' }>) =>
  onHold === undefined ? '' : `, ${seconds(onHold)} s of it on hold`;

/** Each request with its headers and decoded form parameters, sorted. */
export function renderRequests(seen: readonly SeenRequest[]): string {
  const blocks = seen.map(({ at, request }) => {
    const form = new URLSearchParams(request.body ?? '');
    const bare = new URL(request.url);
    const query = new URLSearchParams(request.method === 'GET' ? bare.search : '');
    if (request.method === 'GET') bare.search = '';
    const pairs = [...form, ...query].map(([name, value]) => `    ${name}=${value}`).sort();
    const headers = Object.entries(request.headers).map(([name, value]) => `  ${name}: ${value}`);
    return lines([`${seconds(at)}  ${request.method} ${bare.href}`, ...headers.sort(), ...pairs]);
  });
  return blocks.join('\n');
}

/** How the call ended and what the customer is told about it. */
export function renderRecord(
  end: CallEnd,
  duration: number,
  chronicle: Chronicle,
  made: Partial<Invite> = {},
): string {
  const { answeredAt, diagnostics, recordings, transcriptions } = chronicle;
  const record = { ...made, status: end.status, cause: end.cause, answered_at: answeredAt, duration };
  return `${JSON.stringify({ ...record, recordings, ...(transcriptions.length > 0 && { transcriptions }), diagnostics }, null, 2)}\n`;
}

/** What of a child call's record a scenario decides. */
export function renderChild(record: CallRecord, order: DialOrder): string {
  const { sid, parent_call_sid, status, cause, duration, diagnostics } = record;
  const shown = { sid, parent_call_sid, ...inviteOf(record, order), status, cause, duration, diagnostics };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

/** Who is called, from where and with what. */
interface Invite {
  readonly invite: Readonly<Record<string, unknown>>;
}

/** What of a call that we make its peer sees. */
export function inviteOf({ from, to, egress_edge }: CallRecord, { target }: DialOrder): Invite {
  const headers = target.kind === 'sip' ? target.headers : {};
  const user = target.kind === 'sip' ? target.credentials?.username : undefined;
  return { invite: { from, to, egress_edge, headers, ...(user !== undefined && { user }) } };
}

const lines = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');
