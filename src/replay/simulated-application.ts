import { answeredRecord, endRecord, newCallRecord } from '../call/call-records.ts';
import type { CallFacts } from '../call/facts.ts';
import type { Withdrawal } from '../call/outcomes.ts';
import { ProgressTeller } from '../call/progress-teller.ts';
import type { CallRecord } from '../call/record.ts';
import type { Application } from '../config/applications.ts';
import { LentLeg } from '../leg/lent-leg.ts';
import { type Bridge, type Leg, LegEnded } from '../leg/port.ts';
import {
  type ApplicationOrder,
  ApplicationTimeline,
  applicationCallback,
  applicationConfig,
  applicationEnd,
  applicationFacts,
  applicationParameters,
  findApplication,
} from '../twiml/interpreter/application.ts';
import { runCall } from '../twiml/interpreter/run-call.ts';
import type { CallEnd, CallWorld } from '../twiml/interpreter/world.ts';
import type { ChildCall, ChildEnd, Dialer, DialOrder } from '../twiml/verbs/ports.ts';
import { withParameters } from '../webhook/with-parameters.ts';
import { Chronicle } from './chronicle.ts';
import type { Scenario } from './scenario.ts';
import type { SimulatedCallbacks } from './simulated-callbacks.ts';
import { SimulatedDesk } from './simulated-desk.ts';
import type { DialerParts } from './simulated-dialer.ts';

/** An application that a call of the fixture dials. */
export interface ApplicationCallOf {
  readonly order: ApplicationOrder;
  readonly parent: CallFacts;
  readonly leg: Leg;
  /** How many applications the call that dials is in. */
  readonly depth: number;
}

interface Surroundings {
  find(sid: string): Application | undefined;
  dialerOf(facts: CallFacts, leg: Leg): Dialer;
}

/** The call of an application in virtual time: its timeline, record and callbacks are made as the live ones are. */
export class SimulatedApplication implements ChildCall {
  readonly callSid: string;
  readonly leg: LentLeg;
  readonly order: DialOrder;
  readonly chronicle: Chronicle;
  readonly world: CallWorld;
  readonly end: Promise<ChildEnd>;
  /** Resolves when nothing of the call is left to happen. */
  readonly over: Promise<void>;
  readonly departed: AbortSignal = new AbortController().signal;
  readonly #options: ApplicationCallOf;
  readonly #parts: DialerParts;
  readonly #story: ApplicationTimeline;
  #record: CallRecord;
  /** Its recordings. */
  readonly desk: SimulatedDesk;
  readonly #callbacks: SimulatedCallbacks;
  #teller: ProgressTeller | undefined;
  #withdrawn: Withdrawal | undefined;
  #answered = false;

  constructor(options: ApplicationCallOf, parts: DialerParts, { find, dialerOf }: Surroundings) {
    const { order, parent, leg } = options;
    const { clock, ids, region } = parts;
    this.#options = options;
    this.#parts = parts;
    this.order = order;
    this.callSid = ids.sid('CA');
    this.chronicle = new Chronicle(clock);
    this.#callbacks = parts.callbacks(this.chronicle);
    const facts = applicationFacts(order, parent, this.callSid);
    this.leg = new LentLeg(leg, () => this.#answer());
    this.#story = new ApplicationTimeline(this.chronicle, this.leg.ended);
    const session = parts.webhooks(this.chronicle);
    this.desk = new SimulatedDesk(this.chronicle, { ...parts, facts, callbacks: this.#callbacks });
    this.world = {
      clock,
      facts,
      config: { voiceUrl: '', voiceMethod: 'POST', voiceFallbackUrl: '', voiceFallbackMethod: 'POST' },
      leg: this.leg,
      webhooks: withParameters(session, applicationParameters(order, facts)),
      dialer: dialerOf(facts, this.leg),
      audio: parts.audio(session, this.chronicle),
      choices: parts.choices,
      speech: parts.speech,
      recordings: this.desk,
      timeline: this.#story,
      report: (diagnostic) => this.chronicle.report(diagnostic),
      checkpoint: async () => {},
      onRedirect: undefined,
    };
    this.#record = newCallRecord({
      callSid: facts.callSid,
      accountSid: facts.accountSid,
      from: facts.from,
      to: facts.to,
      epoch: 1,
      region,
      direction: 'outbound-dial',
      parentCallSid: parent.callSid,
      createdAt: clock.now(),
      notes: [],
      egressEdge: null,
    });
    this.end = this.#execute(find).then((verdict) => this.#close(verdict));
    this.over = this.end.then(() => {});
  }

  get record(): CallRecord {
    return { ...this.#record, diagnostics: this.chronicle.diagnostics };
  }

  /** Resolves when nobody is being told of anything any more. */
  async settled(): Promise<void> {
    await this.desk.settled();
    await this.#callbacks.settled();
  }

  withdraw(why: Withdrawal): void {
    if (this.leg.ended.aborted) return;
    this.#withdrawn ??= why;
    this.leg.end(new LegEnded('local-hangup'));
  }

  release(): void {}

  join(stage: 'early' | 'connected'): Bridge {
    return this.leg.join(stage);
  }

  async #execute(find: Surroundings['find']): Promise<CallEnd | undefined> {
    const { order, depth } = this.#options;
    const scope = { region: this.#parts.region, depth };
    const application = await findApplication(order, this.world.facts, scope, async (sid) => find(sid));
    this.#teller = new ProgressTeller({
      asked: applicationCallback(order, 'code' in application ? undefined : application),
      facts: this.world.facts,
      clock: this.#parts.clock,
      queue: (task) => this.#callbacks.add(task),
    });
    if ('code' in application) {
      this.leg.end(new LegEnded('not-placed', undefined, application.message, {}, application));
      this.chronicle.report(application);
      return undefined;
    }
    if (this.leg.ended.aborted) return undefined;
    this.#teller?.tell('initiated', this.#record);
    this.#record = { ...this.#record, status: 'ringing' };
    this.#teller?.tell('ringing', this.#record);
    const running: CallWorld = { ...this.world, config: applicationConfig(order, application) };
    const end = await runCall(running, { kind: 'fresh' }, new AbortController().signal);
    return this.#story.cutShort ? undefined : end;
  }

  async #close(verdict: CallEnd | undefined): Promise<ChildEnd> {
    this.leg.end(new LegEnded('local-hangup'));
    const { reason }: { reason: LegEnded } = this.leg.ended;
    const { by, ...end } = applicationEnd({
      end: reason,
      answered: this.#answered,
      withdrawn: this.#withdrawn,
      callerGone: this.#options.leg.ended.aborted,
      verdict,
      choices: this.#parts.choices,
    });
    const now = this.#parts.clock.now();
    if (by) this.chronicle.add({ type: 'hangup', by, cause: end.cause });
    this.#record = endRecord(this.#record, end, now);
    const { status, cause } = end;
    const duration_s = Number(this.#record.duration);
    this.chronicle.add({ type: 'call-ended', status, duration_s, cause });
    this.#teller?.tell('completed', this.#record);
    const { parameters } = end;
    return { status, sipStatus: undefined, sipCallId: '', headers: {}, duration: duration_s, parameters };
  }

  #answer(): void {
    this.#answered = true;
    this.#record = answeredRecord(this.#record, this.#parts.clock.now());
    this.chronicle.add({ type: 'answered' });
    this.#teller?.tell('answered', this.#record);
  }
}

/** An application as a scenario writes it. */
export function applicationOf(
  { sid, of, ...urls }: Scenario['applications'][number],
  accountSid: string,
): Application {
  const none = '';
  return {
    sid,
    accountSid: of === 'account' ? accountSid : `AC${'f'.repeat(32)}`,
    friendlyName: sid,
    createdAt: 0,
    updatedAt: 0,
    ...urls,
    voiceFallbackMethod: 'POST',
    statusCallbackMethod: 'POST',
    voiceCallerIdLookup: false,
    publicApplicationConnectEnabled: false,
    smsUrl: none,
    smsMethod: 'POST',
    smsFallbackUrl: none,
    smsFallbackMethod: 'POST',
    smsStatusCallback: none,
    messageStatusCallback: none,
  };
}
