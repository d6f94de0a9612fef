import { STANDARD_CHOICES } from '../call/choices.ts';
import type { Clock, VirtualClock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import { DEFAULT_REGION } from '../region/region.ts';
import { createWebhookSession } from '../webhook/client.ts';
import type { HttpClient } from '../webhook/port.ts';
import type { Chronicle } from './chronicle.ts';
import type { Scenario } from './scenario.ts';
import { createScriptedSpeech } from './scripted-speech.ts';
import { applicationOf } from './simulated-application.ts';
import { createSimulatedAudio } from './simulated-audio.ts';
import { SimulatedCallbacks } from './simulated-callbacks.ts';
import type { DialerParts } from './simulated-dialer.ts';
import { SimulatedRegistrations } from './simulated-registrations.ts';

export const ACCOUNT_SID = `AC${'0'.repeat(31)}1`;
/** What requests are signed with unless somebody says otherwise. */
export const AUTH_TOKEN = '0123456789abcdef0123456789abcdef';

/** What of a scenario the world is made of; who calls does what it does to `leg.peer`. */
export type CallScenario = Pick<
  Scenario,
  'from' | 'to' | 'voice' | 'callees' | 'domains' | 'registrations' | 'applications' | 'orders'
> &
  Partial<Pick<Scenario, 'choices' | 'region' | 'speech'>>;

export interface SimulatedCallParts extends Partial<Pick<DialerParts, 'audio' | 'stranger'>> {
  readonly clock: VirtualClock;
  readonly ids: Ids;
  /** The application. */
  readonly http: HttpClient;
  /** The application as callbacks reach it. Absent: `http`. */
  readonly listener?: HttpClient;
  /** Counts how long a request may take altogether; absent: `clock`. */
  readonly requestClock?: Clock;
  /** Absent: `AUTH_TOKEN`. */
  readonly authToken?: string;
}

/** What the calls of a scenario share: it, and those that it dials. */
export async function partsOfCalls(
  { clock, ids, http, listener = http, ...parts }: SimulatedCallParts,
  scenario: Omit<CallScenario, 'voice'>,
): Promise<DialerParts> {
  const { region = DEFAULT_REGION, choices = STANDARD_CHOICES, callees, applications } = scenario;
  const { audio = createSimulatedAudio, stranger, requestClock = clock, authToken = AUTH_TOKEN } = parts;
  const session = (of: Chronicle, through: HttpClient) =>
    createWebhookSession({
      http: through,
      clock: requestClock,
      ids,
      choices,
      authToken: async () => authToken,
      onWarning: (warning) => of.report(warning),
    });
  return {
    clock,
    ids,
    region,
    choices,
    callees,
    registrations: await SimulatedRegistrations.create(scenario, ACCOUNT_SID, clock),
    applications: applications.map((written) => applicationOf(written, ACCOUNT_SID)),
    webhooks: (of) => session(of, http),
    callbacks: (of) => new SimulatedCallbacks(clock, () => session(of, listener), of),
    audio,
    speech: createScriptedSpeech(scenario.speech ?? 'all'),
    ...(stranger && { stranger }),
  };
}
