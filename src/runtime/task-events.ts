import { callbackEntries } from '../call/attempt-entry.ts';
import type { CallJob } from '../call/job.ts';
import type { CallbackTask } from '../call/tasks.ts';
import type { TimelineEvent } from '../call/timeline.ts';
import { isoMs } from '../core/dates.ts';
import type { WebhookResult } from '../webhook/port.ts';

/** What a worker would have noted of a call's arrival. */
export function arrivalEvents(job: CallJob): readonly TimelineEvent[] {
  const at = isoMs(job.createdAt);
  const notes = job.notes.map((message): TimelineEvent => ({ at, type: 'note', message }));
  if (job.direction !== 'inbound') return notes;
  const { sip, route } = job;
  return [
    {
      at,
      type: 'call-received',
      edge: job.ingressEdge,
      from: job.from,
      to: job.to,
      source: `${sip.sourceIp}:${sip.sourcePort}`,
      transport: sip.transport,
      request_uri: sip.requestUri,
    },
    ...notes,
    {
      at,
      type: 'routed',
      edge: job.ingressEdge,
      key: route.key,
      record: route.record,
      sid: route.sid ?? null,
      region: job.region,
      age_ms: route.ageMs,
    },
  ];
}

/** The requests that a callback took. */
export function attemptEvents(
  { kind: purpose, params }: CallbackTask,
  result: WebhookResult,
  now: number,
): readonly TimelineEvent[] {
  return callbackEntries(result, { purpose, params }).map((entry) => ({ at: isoMs(now), ...entry }));
}
