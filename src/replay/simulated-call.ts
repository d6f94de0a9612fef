import { secondsInCall } from '../call/call-records.ts';
import { STANDARD_CHOICES } from '../call/choices.ts';
import type { CallFacts } from '../call/facts.ts';
import type { OrderedDocument } from '../call/orders.ts';
import { statusCallbackParameters } from '../call/status-callback.ts';
import type { Clock, VirtualClock } from '../core/clock.ts';
import type { Ids } from '../core/ids.ts';
import { SimulatedLeg } from '../leg/simulated/simulated-leg.ts';
import { DEFAULT_REGION } from '../region/region.ts';
import { runCall } from '../twiml/interpreter/run-call.ts';
import type { CallEnd, CallWorld } from '../twiml/interpreter/world.ts';
import { createWebhookSession } from '../webhook/client.ts';
import type { HttpClient } from '../webhook/port.ts';
import { Chronicle } from './chronicle.ts';
import type { Scenario } from './scenario.ts';
import { createScriptedSpeech } from './scripted-speech.ts';
import { applicationOf } from './simulated-application.ts';
import { createSimulatedAudio } from './simulated-audio.ts';
import { type DialerParts, SimulatedDialer } from './simulated-dialer.ts';
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
  /** Counts how long a request may take altogether; absent: `clock`. */
  readonly requestClock?: Clock;
  /** Absent: `AUTH_TOKEN`. */
  readonly authToken?: string;
}

/** One inbound call in virtual time: the live interpreter and webhook client around a simulated leg. */
export class SimulatedCall {
  readonly leg: SimulatedLeg;
  readonly chronicle: Chronicle;
  readonly dialer: SimulatedDialer;
  readonly world: CallWorld;
  readonly #clock: Clock;
  readonly #orders: Scenario['orders'];
  readonly #statusCallback: string;
  #duration = 0;

  private constructor(
    { clock, ids, http, requestClock = clock, authToken = AUTH_TOKEN, ...parts }: SimulatedCallParts,
    { from, to, voice, callees, applications, orders, ...given }: CallScenario,
    registrations: SimulatedRegistrations,
  ) {
    const { region = DEFAULT_REGION, choices = STANDARD_CHOICES } = given;
    const speech = createScriptedSpeech(given.speech ?? 'all');
    this.#clock = clock;
    this.#orders = orders;
    this.#statusCallback = voice.statusCallback;
    const facts = factsOf(from, to, ids.sid('CA'));
    this.chronicle = new Chronicle(clock, region);
    const webhooks = (of: Chronicle) =>
      createWebhookSession({
        http,
        clock: requestClock,
        ids,
        choices,
        authToken: async () => authToken,
        onWarning: (warning) => of.report(warning),
      });
    const { audio = createSimulatedAudio, stranger } = parts;
    this.leg = new SimulatedLeg(clock);
    this.dialer = new SimulatedDialer({
      clock,
      ids,
      region,
      choices,
      callees,
      registrations,
      applications: applications.map((written) => applicationOf(written, ACCOUNT_SID)),
      webhooks,
      audio,
      speech,
      ...(stranger && { stranger }),
    });
    const session = webhooks(this.chronicle);
    this.world = {
      clock,
      facts,
      config: {
        voiceUrl: voice.url,
        voiceMethod: voice.method,
        voiceFallbackUrl: voice.fallbackUrl,
        voiceFallbackMethod: voice.fallbackMethod,
      },
      leg: this.leg,
      webhooks: session,
      dialer: this.dialer.of(facts, this.leg),
      audio: audio(session, this.chronicle),
      speech,
      choices,
      recordings: this.chronicle.desk({ ids, facts, speech, webhooks: session }),
      timeline: this.chronicle,
      report: this.chronicle.report.bind(this.chronicle),
      checkpoint: async () => {},
      onRedirect: undefined,
    };
  }

  static async create(parts: SimulatedCallParts, scenario: CallScenario): Promise<SimulatedCall> {
    const registrations = await SimulatedRegistrations.create(scenario, ACCOUNT_SID, parts.clock);
    return new SimulatedCall(parts, scenario, registrations);
  }

  /** Whole seconds in call, as its record has them; 0 for a call that was never answered. */
  get duration(): number {
    return this.#duration;
  }

  /** Executes the call. Resolves when it and all that it dialled are over; time has to be driven meanwhile. */
  async run(): Promise<CallEnd> {
    this.#scheduleOrders();
    const end = await runCall(this.world, { kind: 'fresh' }, new AbortController().signal);
    this.#duration = secondsSince(this.chronicle.answeredAt, this.#clock);
    const { status, cause } = end;
    this.chronicle.add({ type: 'call-ended', status, duration_s: this.#duration, cause });
    for (const child of this.dialer.children) {
      await child.over;
      await child.chronicle.settled();
    }
    await this.#tellEnd(status);
    for (const { chronicle } of [this, ...this.dialer.children]) await chronicle.transcribed();
    return end;
  }

  async #tellEnd(status: CallEnd['status']): Promise<void> {
    if (this.#statusCallback === '') return;
    const ended = { status, duration: String(this.#duration) };
    const params = statusCallbackParameters(this.world.facts, ended, { at: this.#clock.now(), sequence: 0 });
    const request = {
      url: this.#statusCallback,
      method: 'POST',
      params,
      purpose: 'status-callback',
    } as const;
    await this.world.webhooks.fetch(request, new AbortController().signal);
  }

  /** Gives the call the documents that the API orders. */
  #scheduleOrders(): void {
    for (const order of this.#orders) {
      const document: OrderedDocument =
        'twiml' in order
          ? { kind: 'twiml', twiml: order.twiml }
          : { kind: 'url', url: order.url, method: order.method, fallbackUrl: '', fallbackMethod: 'POST' };
      this.#clock.after(order.at, () => this.world.onRedirect?.(document));
    }
  }
}

/** As a record counts them. */
function secondsSince(answeredAt: string | null, clock: Clock): number {
  return answeredAt === null ? 0 : secondsInCall({ start_time: answeredAt }, clock.now());
}

function factsOf(from: string, to: string, callSid: string): CallFacts {
  return {
    callSid,
    accountSid: ACCOUNT_SID,
    from,
    to,
    direction: 'inbound',
    parentCallSid: null,
    callerName: null,
    forwardedFrom: null,
    sip: null,
    domain: null,
  };
}
