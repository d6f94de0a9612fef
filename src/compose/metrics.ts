import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CallStatus } from '../call/record.ts';
import type { EdgeId } from '../region/edge.ts';
import type { RegionId } from '../region/region.ts';
import { ROUTE_MAX_AGE_MS } from '../routing/entry.ts';
import type { RouteObservation } from '../routing/port.ts';
import type { WebhookAttempt } from '../webhook/port.ts';
import { measureEventLoopDelay, NEVER_MS } from './event-loop-delay.ts';

/**
 * What this process counts for `/metrics`. Each role records what it sees; names are `trunkline_…`, durations in
 * seconds as Prometheus wants them, taken here in milliseconds.
 */
export interface Metrics {
  readonly registry: Registry;
  /** An INVITE that starts a call arrived at an edge. */
  callReceived(edge: EdgeId): void;
  /** An INVITE got a final status instead of a call: 407 where it was asked who it is. */
  inviteRefused(edge: EdgeId, status: number): void;
  /** An edge asked where a key's calls go. */
  routeLookedUp(observation: RouteObservation): void;
  callAnswered(): void;
  callEnded(status: CallStatus): void;
  /** Says how to count the calls this process holds; asked at every scrape. */
  liveCalls(count: () => number): void;
  /** From the INVITE's arrival to the moment a worker took the call. */
  queueWaited(ms: number): void;
  /** One attempt of a request to a customer's application, whatever came back. */
  webhookAnswered(ms: number): void;
  /** An attempt that ended in a code of Twilio's catalogue: 11200, 11205 … */
  webhookFailed(code: number): void;
  /** A message that could not be parsed. */
  sipMalformed(): void;
  /** Says how to count what SIP calls and messages leave in this process, by kind; asked at every scrape. */
  sipState(count: () => Readonly<Record<string, number>>): void;
  /** Says how to count the legs whose audio this process carries; asked at every scrape. */
  mediaLegs(count: () => Promise<number>): void;
  recordingStored(): void;
  recordingFailed(): void;
}

// Our choice: from a fast local application to the 15 s after which a webhook fails.
const WEBHOOK_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
// Our choice: 10 ms is the aim on one machine; seconds mean that workers are missing.
const QUEUE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30];
// Our choice: from an answer just read to the oldest that is given, and beyond it, where none may be.
const ROUTE_AGE_SECONDS = [0.001, 0.01, 0.1, 0.5, 1, 2, 3, 4, ROUTE_MAX_AGE_MS / 1000, 10];

/** A registry of its own per call, labelled with the role and the Region, with Node's process metrics. */
export function createMetrics({
  role,
  region,
}: {
  readonly role: string;
  readonly region?: RegionId;
}): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ role, ...(region ? { region } : {}) });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  measureEventLoopDelay(registry);
  const counter = <T extends string>(name: string, help: string, labelNames: T[] = []) =>
    new Counter({ name: `trunkline_${name}`, help, labelNames, registers: [registry] });
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      name: `trunkline_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.set(await read());
      },
    });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `trunkline_${name}`, help, buckets, registers: [registry] });

  const received = counter('calls_received_total', 'Calls that arrived, by ingress edge', ['edge']);
  const lookups = counter('route_lookups_total', 'Look-ups of routes, by kind of key and how they ended', [
    'kind',
    'outcome',
  ]);
  const routeAge = histogram('route_age_seconds', 'Age of the route each call went by', ROUTE_AGE_SECONDS);
  const refused = counter('invites_refused_total', 'INVITEs that got no call, by ingress edge and status', [
    'edge',
    'status',
  ]);
  const answered = counter('calls_answered_total', 'Calls that were answered');
  const ended = counter('calls_ended_total', 'Calls that ended, by final status', ['status']);
  const waited = histogram('queue_wait_seconds', 'Wait of a call for a worker', QUEUE_SECONDS);
  const webhook = histogram('webhook_seconds', 'Requests to applications', WEBHOOK_SECONDS);
  const failed = counter('webhook_failures_total', 'Failed requests to applications, by code', ['code']);
  const malformed = counter('sip_malformed_total', 'SIP messages that could not be parsed');
  const stored = counter('recordings_stored_total', 'Recordings stored in the bucket');
  const lost = counter('recordings_failed_total', 'Recordings that could not be stored');

  return {
    registry,
    callReceived: (edge) => received.inc({ edge }),
    inviteRefused: (edge, status) => refused.inc({ edge, status }),
    routeLookedUp: ({ kind, outcome, ageMs }) => {
      lookups.inc({ kind, outcome });
      if (ageMs !== null) routeAge.observe(ageMs / 1000);
    },
    callAnswered: () => answered.inc(),
    callEnded: (status) => ended.inc({ status }),
    liveCalls: (count) => void gauge('live_calls', 'Calls this process holds', count),
    queueWaited: (ms) => waited.observe(ms / 1000),
    webhookAnswered: (ms) => webhook.observe(ms / 1000),
    webhookFailed: (code) => failed.inc({ code: String(code) }),
    sipMalformed: () => malformed.inc(),
    sipState: (count) =>
      void new Gauge({
        name: 'trunkline_sip_state',
        help: 'Dialogs, transactions, timers and connections of the SIP stack, by kind',
        labelNames: ['kind'],
        registers: [registry],
        collect() {
          for (const [kind, value] of Object.entries(count())) this.set({ kind }, value);
        },
      }),
    mediaLegs: (count) => void gauge('media_legs', 'Legs whose audio this process carries', count),
    recordingStored: () => stored.inc(),
    recordingFailed: () => lost.inc(),
  };
}

/** Counts one attempt of a request to a customer's application. */
export function countAttempt(metrics: Metrics, { ms, errorCode }: WebhookAttempt): void {
  metrics.webhookAnswered(ms);
  if (errorCode !== undefined) metrics.webhookFailed(errorCode);
}
