import { join } from 'node:path';
import { createdEntry } from '../../../../src/call/created-entry.ts';
import type { TimelineEvent } from '../../../../src/call/timeline.ts';
import { VirtualClock } from '../../../../src/core/clock.ts';
import { isoMs } from '../../../../src/core/dates.ts';
import { CountingIds } from '../../../../src/core/ids.ts';
import type { ExportedCall } from '../../../../src/replay/export/exported-call.ts';
import { stageCall } from '../../../../src/replay/replayed-call.ts';
import { readFixture } from '../../../../src/replay/run-fixture.ts';
import { orderOf } from '../../../../src/replay/scenario-created.ts';
import { ScriptedHttp, type SeenRequest } from '../../../../src/replay/scripted-http.ts';
import type { HttpClient } from '../../../../src/webhook/port.ts';
import { projectRoot } from '../../../support/program.ts';

interface Answered {
  readonly key: string;
  readonly body: string;
}

/** A fixture's call as a live one would have been stored: with the documents that it was answered with. */
export async function storedCallOf(fixture: string): Promise<ExportedCall> {
  const { scenario, files } = readFixture(join(projectRoot(), 'twiml-fixtures', fixture));
  const clock = new VirtualClock();
  const scripted = new ScriptedHttp(files, scenario.webhooks, clock);
  const answered: Answered[] = [];
  const http: HttpClient = {
    close: () => scripted.close(),
    async request(request, signal) {
      const response = await scripted.request(request, signal);
      if (response.status < 300) {
        answered.push({ key: `${request.method} ${request.url}`, body: response.body.toString('utf8') });
      }
      return response;
    },
  };
  const { call } = await stageCall({ clock, ids: new CountingIds(scenario.seed), http }, scenario);
  await clock.run(call.run());
  const { callSid, accountSid, from, to } = call.world.facts;
  const created = scenario.created && orderOf({ callSid, accountSid, from, to }, scenario.created);
  const at = call.chronicle.timeline[0]?.at ?? '';
  const timelines = new Map<string, readonly TimelineEvent[]>([
    [
      callSid,
      [
        ...(created ? [{ at, ...createdEntry(created) }] : []),
        ...withExchanges(call.chronicle.timeline, answered),
        ...callbacksOf(callSid, scripted.seen),
      ],
    ],
  ]);
  for (const child of call.dialer.children) {
    const events = withExchanges(child.chronicle.timeline, answered);
    timelines.set(child.callSid, [...events, ...callbacksOf(child.callSid, scripted.seen)]);
  }
  return { sid: callSid, from, to, region: scenario.region, timelines };
}

/** As a Region adds them live, when it has sent them. */
function callbacksOf(callSid: string, seen: readonly SeenRequest[]): readonly TimelineEvent[] {
  return seen.flatMap(({ at, request: { url, method, body = '' } }): readonly TimelineEvent[] => {
    const parameters = Object.fromEntries(
      method === 'GET' ? new URL(url).searchParams : new URLSearchParams(body),
    );
    const { CallSid, CallbackSource } = parameters;
    if (CallSid !== callSid || CallbackSource !== 'call-progress-events') return [];
    const sent = {
      url,
      method,
      parameters,
      purpose: 'status-callback',
      attempt: 1,
      ms: 0,
      status: 200,
    } as const;
    return [{ at: isoMs(new VirtualClock().now() + at), type: 'webhook', ...sent }];
  });
}

/** As `notedWebhooks` adds them live: before the attempts of a request. */
function withExchanges(events: readonly TimelineEvent[], answered: Answered[]): readonly TimelineEvent[] {
  return events.flatMap((event, index): readonly TimelineEvent[] => {
    if (event.type !== 'webhook' || event.attempt !== 1) return [event];
    if (event.purpose !== 'document' && event.purpose !== 'fallback') return [event];
    let last = event;
    for (const next of events.slice(index + 1)) {
      if (next.type !== 'webhook' || next.attempt !== last.attempt + 1) break;
      last = next;
    }
    const found = answered.findIndex(({ key }) => key === `${last.method} ${last.url}`);
    const isText = /^text\/|[/+](xml|json)$/.test(last.content_type ?? '');
    const [answer] = found < 0 ? [] : answered.splice(found, 1);
    const body = isText && answer ? { body: answer.body } : {};
    return [{ at: event.at, type: 'exchange', url: event.url, parameters: {}, ...body }, event];
  });
}
