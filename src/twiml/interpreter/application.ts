import type { TwimlChoices } from '../../call/choices.ts';
import type { CallFacts } from '../../call/facts.ts';
import { outcomeOfOutgoing, type Withdrawal } from '../../call/outcomes.ts';
import type { TimelineEntry, TimelineSink } from '../../call/timeline.ts';
import type { Application } from '../../config/applications.ts';
import { type Diagnostic, failure } from '../../core/diagnostic.ts';
import { LegEnded } from '../../leg/port.ts';
import { requestParameters } from '../verbs/parameters.ts';
import type { ApplicationTarget, DialOrder } from '../verbs/ports.ts';
import type { CallEnd, VoiceConfig } from './world.ts';

/** An order to call an application. */
export interface ApplicationOrder extends DialOrder {
  readonly target: ApplicationTarget;
}

/**
 * Applications that may be called one inside the other. Our choice, as deep as `<Dial>` is wide: one that dials itself
 * would do so without end.
 */
const MOST_NESTED = 10;

/** What is known of the call of an application. @see https://www.twilio.com/docs/voice/twiml/dial/application#copyparentto */
export function applicationFacts(
  { target, callerId }: ApplicationOrder,
  parent: CallFacts,
  callSid: string,
): CallFacts {
  return {
    callSid,
    accountSid: parent.accountSid,
    from: callerId ?? parent.from,
    to: target.copyParentTo ? parent.to : target.sid,
    direction: 'outbound-dial',
    parentCallSid: parent.callSid,
    callerName: null,
    forwardedFrom: null,
    sip: null,
    domain: null,
  };
}

/** What its documents' requests tell beside the standard parameters, every one of them (our choice). */
export function applicationParameters(
  { target }: ApplicationOrder,
  { accountSid }: CallFacts,
): Readonly<Record<string, string>> {
  return { ...requestParameters(target.parameters), CustomerId: target.customerId ?? accountSid };
}

/**
 * The application that is called, of this Region and account, or why it cannot be.
 *
 * @param depth how many applications it is called inside of
 */
export async function findApplication(
  { target }: ApplicationOrder,
  { accountSid }: CallFacts,
  { region, depth }: { readonly region: string; readonly depth: number },
  fetch: (sid: string) => Promise<Application | undefined>,
): Promise<Application | Diagnostic> {
  const { sid, at } = target;
  const where = `line ${at.line}, column ${at.column}: `;
  const refused = (code: number, message: string) => failure(code, where + message, { ...at, actual: sid });
  if (depth >= MOST_NESTED) {
    const message = `${sid} is called inside of ${MOST_NESTED} other applications; look for one that dials itself.`;
    return refused(32006, message);
  }
  let found: Application | undefined;
  try {
    found = await fetch(sid);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the applications of ${region} cannot be read, so ${sid} was not called: ${why}. Try again once the stores of this Region can be reached.`;
    return refused(12400, message);
  }
  if (found?.accountSid !== accountSid) {
    const message = `the account has no application ${sid} in ${region}; create it on the ${region} host, or name one that is there.`;
    return refused(21420, message);
  }
  if (target.document || found.voiceUrl.trim() !== '') return found;
  return refused(11100, `the application ${sid} has no voice URL; give it one through the API.`);
}

/** Where its execution begins. */
export function applicationConfig({ target }: ApplicationOrder, application: Application): VoiceConfig {
  const { voiceUrl, voiceMethod, voiceFallbackUrl, voiceFallbackMethod } = application;
  const { url, method } = target.document ?? { url: voiceUrl, method: voiceMethod };
  return { voiceUrl: url, voiceMethod: method, voiceFallbackUrl, voiceFallbackMethod };
}

/** Whom its progress is told to: as the noun says, else the application itself, which wants to know the end. */
export function applicationCallback(
  { statusCallback }: ApplicationOrder,
  application: Application | undefined,
): DialOrder['statusCallback'] {
  if (statusCallback || !application?.statusCallback) return statusCallback;
  const { statusCallback: url, statusCallbackMethod: method } = application;
  return { url, method, events: ['completed'] };
}

/**
 * The timeline of an application's call while its document runs: without what its leg or the call that dialled it has
 * told, or will.
 */
export class ApplicationTimeline implements TimelineSink {
  readonly #timeline: TimelineSink;
  readonly #ended: AbortSignal;
  #cutShort = false;

  constructor(timeline: TimelineSink, ended: AbortSignal) {
    this.#timeline = timeline;
    this.#ended = ended;
  }

  /** The leg was over before the document was. */
  get cutShort(): boolean {
    return this.#cutShort;
  }

  add(entry: TimelineEntry): void {
    if (entry.type === 'answered') return;
    if (entry.type === 'hangup' && this.#ended.aborted) this.#cutShort = true;
    else this.#timeline.add(entry);
  }
}

/** What is known of the call of an application when it is over. */
export interface ApplicationEnding {
  readonly end: LegEnded;
  readonly answered: boolean;
  readonly withdrawn: Withdrawal | undefined;
  /** The call that dialled it is over. */
  readonly callerGone: boolean;
  /** What its document made of it; undefined when it had none, or was cut short. */
  readonly verdict: CallEnd | undefined;
  readonly choices: TwimlChoices;
}

const CUT_SHORT: Readonly<Record<Withdrawal, string>> = {
  timeout: 'the application did not answer in time',
  elsewhere: 'another callee answered first',
  'caller-gone': 'the call that dialled it was over',
  api: 'it was ended through the API',
};

/** How the call of an application ended, and who ended it unless its document has told. */
export function applicationEnd({
  end,
  answered,
  withdrawn,
  callerGone,
  verdict,
  choices,
}: ApplicationEnding): CallEnd & { readonly by: 'application' | 'platform' | undefined } {
  if (verdict) return { ...verdict, by: undefined };
  const why = withdrawn ?? (callerGone && !end.diagnostic ? 'caller-gone' : undefined);
  const status = outcomeOfOutgoing(why ? new LegEnded('local-hangup') : end, answered, why, false, choices);
  const otherwise = end.diagnostic
    ? `the application was not called: ${end.diagnostic.message}`
    : 'the <Dial> that called it ended it'; // its time limit, or the caller's *
  const cause = why ? CUT_SHORT[why] : otherwise;
  return { status, cause, by: why === 'api' ? 'application' : 'platform' };
}
