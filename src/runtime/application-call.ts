import { newCallRecord } from '../call/call-records.ts';
import type { CallFacts } from '../call/facts.ts';
import type { OutgoingJournal } from '../call/outbound-order.ts';
import type { Withdrawal } from '../call/outcomes.ts';
import type { CallRecord } from '../call/record.ts';
import { rfc2822 } from '../core/dates.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Logger } from '../core/logger.ts';
import { LentLeg } from '../leg/lent-leg.ts';
import { type Bridge, LegEnded } from '../leg/port.ts';
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
import type { CallEnd, CallWorld, VoiceConfig } from '../twiml/interpreter/world.ts';
import type { ChildCall, ChildEnd } from '../twiml/verbs/ports.ts';
import { withParameters } from '../webhook/with-parameters.ts';
import type { OrderableCall } from './call-directory.ts';
import { CallLedger } from './call-ledger.ts';
import type { CallParts } from './call-parts.ts';
import type { CallDialer, DiallingCall } from './dialer.ts';
import { guarded } from './guarded.ts';
import { notedAudio } from './noted-audio.ts';
import { notedWebhooks } from './noted-webhooks.ts';
import { patiently } from './patiently.ts';
import { createProgressCallbacks, type ProgressCallbacks } from './progress-callbacks.ts';
import { type CallRecordingDesk, createRecordingDesk } from './recording-desk.ts';

export interface ApplicationCallOptions {
  readonly order: ApplicationOrder;
  readonly parent: DiallingCall;
  readonly parts: CallParts;
  /** What prevents it from the start. */
  readonly refused: Diagnostic | undefined;
  /** Makes calls for it. */
  dialerOf(call: DiallingCall): CallDialer;
}

const NOT_CONFIGURED: VoiceConfig = {
  voiceUrl: '',
  voiceMethod: 'POST',
  voiceFallbackUrl: '',
  voiceFallbackMethod: 'POST',
};

/**
 * The call of an application that `<Dial>` called: a call like any other, with a record, a timeline and callbacks of
 * its own, that has the peer of the call that dialled it for a caller.
 *
 * @see https://www.twilio.com/docs/voice/twiml/dial/application
 */
export class ApplicationCall implements ChildCall {
  readonly callSid: string;
  readonly leg: LentLeg;
  readonly world: CallWorld;
  readonly timeline: CallLedger;
  readonly desk: CallRecordingDesk;
  readonly end: Promise<ChildEnd>;
  /** Resolves when its end is certain to be stored. Never rejects. */
  readonly kept: Promise<void>;
  /** It never leaves: a document of the API's runs in place of its own. */
  readonly departed: AbortSignal = new AbortController().signal;
  readonly #options: ApplicationCallOptions;
  readonly #facts: CallFacts;
  readonly #log: Logger;
  readonly #dialer: CallDialer;
  readonly #story: ApplicationTimeline;
  #running: CallWorld | undefined;
  #asked: OutgoingJournal['statusCallback'];
  #progress: ProgressCallbacks | undefined;
  #answered = false;
  #endedAt: number | undefined;
  #withdrawn: Withdrawal | undefined;

  constructor(options: ApplicationCallOptions) {
    const { order, parent, parts } = options;
    const { clock, ids, logger, choices } = parts;
    this.#options = options;
    this.#asked = order.statusCallback;
    this.callSid = ids.sid('CA');
    this.#facts = applicationFacts(order, parent.facts, this.callSid);
    this.#log = logger.child({ CallSid: this.callSid });
    this.timeline = new CallLedger(this.#newRecord(), parts, this.#log);
    this.desk = createRecordingDesk({ ...parts, facts: this.#facts, logger: this.#log });
    this.leg = new LentLeg(parent.leg, () => this.#answer());
    this.leg.ended.addEventListener('abort', () => this.#over(), { once: true });
    this.#dialer = options.dialerOf(this.#asParent());
    this.#story = new ApplicationTimeline(this.timeline, this.leg.ended);
    const report = (diagnostic: Diagnostic) => this.timeline.report(diagnostic);
    const session = notedWebhooks(parts.webhooks(this.#facts.accountSid, report), this.timeline);
    this.world = {
      clock,
      facts: this.#facts,
      config: NOT_CONFIGURED,
      leg: this.leg,
      webhooks: withParameters(session, applicationParameters(order, this.#facts)),
      audio: notedAudio(parts.audio, this.timeline),
      speech: parts.speech,
      choices,
      recordings: this.desk,
      dialer: this.#dialer,
      timeline: this.#story,
      report,
      checkpoint: async () => {}, // its caller waits in <Dial>, which is not resumed
      onRedirect: undefined,
    };
    this.timeline.change({});
    this.#journal();
    const leave = parts.calls.enter(this.#asOrdered());
    const closed = this.#execute().then((verdict) => {
      leave();
      return this.#close(verdict);
    });
    this.end = closed.then(({ end }) => end);
    this.kept = closed.then(({ kept }) => kept);
  }

  withdraw(why: Withdrawal): void {
    if (this.leg.ended.aborted) return;
    this.#withdrawn ??= why;
    this.leg.end(new LegEnded('local-hangup'));
  }

  /** It has nobody who could stay behind. */
  release(): void {}

  join(stage: 'early' | 'connected'): Bridge {
    return this.leg.join(stage);
  }

  /** As the API commands it. */
  #asOrdered(): OrderableCall {
    const { callSid, leg, timeline, desk } = this;
    return {
      callSid,
      leg,
      timeline,
      desk,
      get inProgress() {
        return leg.state === 'answered';
      },
      redirect: (document) => {
        this.#running?.onRedirect?.(document);
        return this.#running?.onRedirect !== undefined;
      },
      end: () => this.withdraw('api'),
    };
  }

  /** To its end: what its document made of it; undefined when it had none, or was cut short. Never rejects. */
  async #execute(): Promise<CallEnd | undefined> {
    const { order, parent, parts, refused } = this.#options;
    const { applications } = parts.config.records;
    const scope = { region: parts.region.id, depth: parent.depth ?? 0 };
    const application =
      refused ?? (await findApplication(order, this.#facts, scope, (sid) => applications.fetch(sid)));
    const known = 'code' in application ? undefined : application;
    this.#asked = applicationCallback(order, known);
    this.#progress = createProgressCallbacks({
      ...parts,
      asked: this.#asked,
      facts: this.#facts,
      logger: this.#log,
    });
    if ('code' in application) {
      this.leg.end(new LegEnded('not-placed', undefined, application.message, {}, application));
      this.timeline.report(application);
      return undefined;
    }
    if (this.leg.ended.aborted) return undefined;
    this.#tell('initiated');
    this.timeline.change({ status: 'ringing', date_updated: rfc2822(parts.clock.now()) });
    this.#tell('ringing');
    const running: CallWorld = { ...this.world, config: applicationConfig(order, application) };
    this.#running = running;
    const unaided = new AbortController().signal; // a shutdown reaches it through the call that dialled it
    const end = await guarded(() => runCall(running, { kind: 'fresh' }, unaided), this.timeline, this.#log);
    return this.#story.cutShort ? undefined : end;
  }

  #close(verdict: CallEnd | undefined): { readonly end: Promise<ChildEnd>; readonly kept: Promise<void> } {
    this.leg.end(new LegEnded('local-hangup'));
    const closing = this.#dialer.close();
    const { reason }: { reason: LegEnded } = this.leg.ended;
    const { by, ...end } = applicationEnd({
      end: reason,
      answered: this.#answered,
      withdrawn: this.#withdrawn,
      callerGone: this.#options.parent.leg.ended.aborted,
      verdict,
      choices: this.#options.parts.choices,
    });
    if (by) this.timeline.add({ type: 'hangup', by, cause: end.cause }, this.#endedAt);
    this.timeline.end(end, this.#endedAt);
    const kept = this.#store(closing).catch((error: unknown) => {
      this.#log.error({ error }, 'the end of a call could not be written down');
    });
    const told: ChildEnd = {
      status: end.status,
      sipStatus: undefined,
      sipCallId: '',
      headers: {},
      duration: Number(this.timeline.record.duration),
      parameters: end.parameters,
    };
    return { end: patiently(kept, this.#options.parts.clock).then(() => told), kept };
  }

  /** Resolves when nothing of it is left to be written down. */
  async #store(closing: Promise<void>): Promise<void> {
    this.#progress?.tell('completed', this.timeline.record);
    await this.#progress?.settled();
    await this.timeline.close(this.desk.settled());
    await closing;
  }

  /** As the call that dials. */
  #asParent(): DiallingCall {
    const { parent } = this.#options;
    const { leg, timeline } = this;
    return { ...parent, facts: this.#facts, leg, timeline, depth: (parent.depth ?? 0) + 1 };
  }

  #newRecord(): CallRecord {
    const { parent, parts } = this.#options;
    const { callSid, accountSid, from, to } = this.#facts;
    const record = newCallRecord({
      callSid,
      accountSid,
      from,
      to,
      epoch: 1,
      region: parts.region.id,
      direction: 'outbound-dial',
      parentCallSid: parent.facts.callSid,
      createdAt: parts.clock.now(),
      notes: [],
      egressEdge: null,
    });
    return { ...record, worker: parts.worker };
  }

  #answer(): void {
    this.#answered = true;
    this.timeline.add({ type: 'answered' });
    this.#tell('answered');
  }

  #tell(event: 'initiated' | 'ringing' | 'answered'): void {
    this.#progress?.tell(event, this.timeline.record);
    this.#journal();
  }

  /** What another process needs to end it. */
  #journal(): void {
    const point: OutgoingJournal = { statusCallback: this.#asked, told: this.#progress?.told ?? 0 };
    this.timeline.journal(point);
  }

  #over(): void {
    this.#endedAt = this.#options.parts.clock.now();
  }
}
