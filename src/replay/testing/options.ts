import type { AppHandler, Pages } from '../application/answers.ts';
import { type Scenario, ScenarioError } from '../scenario.ts';

/** A length of virtual time: milliseconds, or text such as `250ms`, `2.5s`, `3m`, `1h`. */
export type Duration = number | string;

/**
 * The application that is called:
 * * the URL of one that runs,
 * * an express application or a server of `node:http`, which is made to listen when it does not yet,
 * * a function from a request to TwiML,
 * * answers by URL or path, the first of which is where the call begins.
 */
export type App = string | URL | Listening | AppHandler | Pages;

/** What can be made to listen on a port, as express applications and servers of `node:http` can. */
export interface Listening {
  listen(port: number, host: string): unknown;
}

/** What somebody whom the call dials does, as in `callees` of a scenario.yaml. */
export type CalleeSteps = readonly Readonly<Record<string, unknown>>[];

/** What somebody whom the call dials does: in a word, or step by step. */
export type CalleePlan = 'answers' | 'busy' | 'rejects' | 'rings' | 'unreachable' | CalleeSteps;

export interface ScenarioOptions {
  readonly app: App;
  /** Where the call begins when `app` is no URL. Default: `/voice`, or the first of the answers. */
  readonly path?: string;
  /** How it is asked there. Default: POST. */
  readonly method?: 'GET' | 'POST';
  /** URL or path that is asked when the first cannot be used. */
  readonly fallback?: string;
  /** URL or path that is told of the call's end. */
  readonly statusCallback?: string;
  /** Who calls. Default: +15005550001. */
  readonly from?: string;
  /** The number that is called. Default: +15005550006. */
  readonly to?: string;
  /** The Region that has the number. Default: us1. */
  readonly region?: Scenario['region'];
  /** The auth token that requests are signed with: the `TWILIO_AUTH_TOKEN` of the application. */
  readonly token?: string;
  /**
   * By number or SIP URI. Whoever is not named here rings until the test says more, with `call.callee(address)`.
   */
  readonly callees?: Readonly<Record<string, CalleePlan>>;
  /** What other servers answer, by URL: documents, or files such as `{ audio: 3_000 }`. */
  readonly webhooks?: Pages;
  /** Further hosts that may be asked over HTTP: `cdn.example.com`. */
  readonly allowHosts?: readonly string[];
  /** SIP domains, devices registered there and TwiML applications, as in scenario.yaml. */
  readonly domains?: Scenario['domains'];
  readonly registrations?: Scenario['registrations'];
  readonly applications?: Scenario['applications'];
  /** Gives every run the same CallSid and other identifiers. Default: others each time. */
  readonly seed?: number;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds. Throws ScenarioError for what is no length of time. */
export function milliseconds(duration: Duration): number {
  if (typeof duration === 'number' && duration >= 0) return duration;
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(duration)) ?? [];
  const factor = UNITS[unit];
  if (factor !== undefined) return Math.round(Number.parseFloat(amount) * factor);
  throw new ScenarioError(
    `"${duration}" is no length of time: expected milliseconds, or text such as '250ms', '2.5s' or '3m'`,
  );
}
