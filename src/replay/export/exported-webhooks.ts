import { keptBodies } from '../../call/kept-bodies.ts';
import type { TimelineEvent } from '../../call/timeline.ts';
import type { HttpFailure } from '../../webhook/port.ts';
import { callsOf, type ExportedCall, timeOf } from './exported-call.ts';

type WebhookEvent = Extract<TimelineEvent, { type: 'webhook' }>;

/** An answer as `scenario.yaml` writes it. */
export type WrittenAnswer = Record<string, unknown>;

export interface WrittenWebhook {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly when?: Readonly<Record<string, string>>;
  readonly answers: WrittenAnswer[];
}

/** The application of a call: what it answered, and the documents by file name. */
export interface ExportedApplication {
  readonly webhooks: readonly WrittenWebhook[];
  readonly files: ReadonlyMap<string, string>;
  /** What the timeline does not tell in full. */
  readonly missing: readonly string[];
}

/** Longer than any limit of a request: the answer that never came. */
const NEVER = '60s';

/** What kept a request from being answered, by the code of its attempt; one of those that share it. */
const FAILURES: ReadonlyMap<number, HttpFailure> = new Map([
  [11210, 'dns'],
  [11201, 'connect-timeout'],
  [11202, 'connect-refused'],
  [11205, 'connect-failed'],
  [11206, 'protocol'],
  [11220, 'tls-handshake'],
  [11235, 'tls-host'],
  [11236, 'tls-expired'],
  [11237, 'tls-untrusted'],
]);

/** Reads from the timelines what every request was answered with. */
export function exportApplication(call: ExportedCall): ExportedApplication {
  const application = new Application();
  const answers = callsOf(call).flatMap(({ events }) => answersOf(events, application));
  const told = answers.toSorted((a, b) => a.at - b.at).filter((answer) => matters(answer, answers));
  for (const { at: _, ...answer } of told) application.add(answer);
  return application;
}

/** By which parameter a scenario knows a callback from the other requests to its address. */
const MARKS: ReadonlyMap<WebhookEvent['purpose'], string> = new Map([
  ['status-callback', 'CallbackSource'], // requests for documents tell CallStatus, too
  ['recording-callback', 'RecordingStatus'],
  ['transcription-callback', 'TranscriptionStatus'],
]);

/** Recordings that the API started, which no scenario does. */
const isOfApi = ({ parameters }: WebhookEvent) => parameters?.['RecordingSource'] === 'StartCallRecordingAPI';

/** A replay takes a callback that it has no answer for, unless it is one of a document. */
function matters({ url, method, when, answer }: TimedAnswer, all: readonly TimedAnswer[]): boolean {
  const wasTaken = !('fail' in answer) && answer['delay'] !== NEVER && Number(answer['status'] ?? 200) < 400;
  if (!when || !wasTaken) return true;
  return all.some(
    (other) => !other.when && other.method === method && withoutQuery(other.url) === withoutQuery(url),
  );
}

interface TimedAnswer {
  readonly at: number;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Of callbacks. */
  readonly when?: Readonly<Record<string, string>>;
  readonly answer: WrittenAnswer;
}

function answersOf(events: readonly TimelineEvent[], application: Application): readonly TimedAnswer[] {
  const bodyOf = keptBodies();
  let body: string | undefined;
  const answers: TimedAnswer[] = [];
  for (const [index, event] of events.entries()) {
    if (event.type === 'exchange') {
      body = bodyOf(event);
      if (event.cut) application.missing.push(`${event.url}: only the beginning of its document was kept`);
    }
    if (event.type === 'media' && !requestedBefore(events, index)) {
      // It was at hand from an earlier call.
      const audio = `${Math.round(event.duration_ms)}ms`;
      answers.push({ at: timeOf(event), url: event.url, method: 'GET', answer: { audio } });
    }
    if (event.type === 'verb-ended') answers.push(...neverAnswered(events, index));
    if (event.type !== 'webhook' || isOfApi(event)) continue;
    const next = followUp(events, index);
    const answer = application.answer(event, next, body, durationAfter(events, index));
    const method = event.method === 'GET' ? 'GET' : 'POST';
    const mark = MARKS.get(event.purpose) ?? '';
    const value = event.parameters?.[mark];
    const when = value === undefined ? {} : { when: { [mark]: value } };
    answers.push({ at: timeOf(event), url: event.url, method, ...when, answer });
  }
  return answers;
}

/** The next attempt of the same request: what a redirect led to, or a log-in, or a retry. */
function followUp(events: readonly TimelineEvent[], index: number): WebhookEvent | undefined {
  const [event, next] = [events[index], events[index + 1]];
  const isNext = event?.type === 'webhook' && next?.type === 'webhook' && next.attempt === event.attempt + 1;
  return isNext ? next : undefined;
}

/** Of audio that was requested, how long it plays; undefined when none was played. */
function durationAfter(events: readonly TimelineEvent[], index: number): number | undefined {
  const after = events.slice(index + 1).find(({ type }) => type === 'media' || type === 'webhook');
  return after?.type === 'media' ? after.duration_ms : undefined;
}

function requestedBefore(events: readonly TimelineEvent[], index: number): boolean {
  const before = events.slice(0, index).findLast(({ type }) => ['webhook', 'media'].includes(type));
  return before?.type === 'webhook';
}

/** A document that was asked for and that the call did not live to see. */
function neverAnswered(events: readonly TimelineEvent[], index: number): readonly TimedAnswer[] {
  const event = events[index];
  if (event?.type !== 'verb-ended') return [];
  const [, method, url] = /^redirect (GET|POST) (\S+)$/.exec(event.outcome) ?? [];
  const next = events.slice(index + 1).find(({ type }) => ['webhook', 'diagnostic', 'hangup'].includes(type));
  if (url === undefined || next?.type !== 'hangup') return [];
  const answer = { body: '', delay: NEVER };
  return [{ at: timeOf(event), url, method: method === 'GET' ? 'GET' : 'POST', answer }];
}

class Application implements ExportedApplication {
  readonly webhooks: WrittenWebhook[] = [];
  readonly files = new Map<string, string>();
  readonly missing: string[] = [];

  add({ url, method, when, answer }: Omit<TimedAnswer, 'at'>): void {
    const bare = withoutQuery(url);
    const same = JSON.stringify(when);
    const known = this.webhooks.find(
      (webhook) => webhook.url === bare && webhook.method === method && JSON.stringify(webhook.when) === same,
    );
    if (known) known.answers.push(answer);
    else if (when)
      this.webhooks.unshift({ url: bare, method, when, answers: [answer] }); // before those that fit all
    else this.webhooks.push({ url: bare, method, answers: [answer] });
  }

  /** What one attempt was answered with. */
  answer(
    event: WebhookEvent,
    next: WebhookEvent | undefined,
    body: string | undefined,
    audioMs: number | undefined,
  ): WrittenAnswer {
    const { status, error_code: code, content_type: type, ms } = event;
    const delay = ms > 0 ? { delay: `${Math.round(ms)}ms` } : {};
    if (status === undefined) {
      const fail = FAILURES.get(code ?? 0);
      if (fail) return { fail };
      return code === 11750 ? { bytes: 100_000, ...delay } : { body: '', delay: NEVER };
    }
    if (status >= 300 && status < 400 && next) return { redirect: next.url, status, ...delay };
    const ok = status === 304 ? {} : status === 200 ? {} : { status };
    if (status >= 400 || next) return { body: '', status, ...delay };
    if (audioMs !== undefined) return { audio: `${Math.round(audioMs)}ms`, ...ok, ...delay };
    const typed = type === 'text/xml' || type === undefined ? {} : { type };
    const isDocument = event.purpose === 'document' || event.purpose === 'fallback';
    if (!isDocument || body === undefined) return { body: '', ...ok, ...typed, ...delay };
    return { file: this.#file(event.url, body, type ?? ''), ...ok, ...typed, ...delay };
  }

  /** The name of the file that holds this document: after the address it came from, once for all that are the same. */
  #file(url: string, body: string, type: string): string {
    for (const [name, known] of this.files) if (known === body) return name;
    const path = new URL(url).pathname.replace(/\.[A-Za-z0-9]+$/, '');
    const stem = path.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'document';
    const suffix = type === 'text/plain' ? 'txt' : 'xml';
    let name = `${stem}.${suffix}`;
    for (let nth = 2; this.files.has(name); nth++) name = `${stem}-${nth}.${suffix}`;
    this.files.set(name, body);
    return name;
  }
}

export function withoutQuery(text: string): string {
  const url = new URL(text);
  url.search = '';
  return url.href;
}
