import type { Diagnostic } from '../../../core/diagnostic.ts';
import { diagnose, type TwimlCode } from '../../../core/error-catalogue.ts';
import type { WebhookMethod } from '../../../webhook/port.ts';
import type { Position, TwimlElement } from '../../document/element.ts';
import { attr, type Values } from '../attributes.ts';
import type { ReadContext } from '../define-verb.ts';
import type { ApplicationTarget, DialTarget } from '../ports.ts';

/** Somebody that `<Dial>` calls, as a noun says it. URLs are as written. */
export interface Party {
  readonly target: DialTarget | ApplicationTarget;
  readonly position: Position;
  /** Why it cannot be reached, where that is known. */
  readonly refused?: Diagnostic;
  /** A document that runs on the called party before the bridge. */
  readonly screening: { readonly url: string; readonly method: WebhookMethod } | undefined;
  /** Keys to send when it has answered; '' for none. */
  readonly sendDigits: string;
  readonly statusCallback:
    | {
        readonly url: string;
        readonly method: WebhookMethod;
        readonly events: readonly ('initiated' | 'ringing' | 'answered' | 'completed')[];
      }
    | undefined;
}

/** What `<Dial>` holds. */
export interface Parties {
  readonly called: readonly Party[];
  /** What is right and not available here: told when it is dialled, because nothing is wrong with the document. */
  readonly unavailable: readonly Diagnostic[];
}

/** Where a noun is read. */
export interface NounContext extends ReadContext {
  unavailable(diagnostic: Diagnostic): void;
}

/** Notes what a noun asks for in vain. */
export function withhold(
  context: NounContext,
  code: TwimlCode,
  position: Position,
  message: string,
  actual: string,
): void {
  const where = `line ${position.line}, column ${position.column}: `;
  context.unavailable(diagnose(code, where + message, { url: context.url, ...position, actual }));
}

/** Attributes that are understood and cannot be done. */
export function withholdAttributes(
  element: TwimlElement,
  context: NounContext,
  names: readonly string[],
): void {
  for (const name of names) {
    const asked = element.attributes.get(name);
    if (!asked) continue;
    const message = `${name} is not available here; the call is made without it.`;
    withhold(context, 12200, asked.position, message, asked.value);
  }
}

/** What `<Number>` and `<Sip>` share; `method` and `keys` are the codes of each. */
export const rung = (method: 13221 | 13241, keys: 13222 | 13242) => ({
  sendDigits: attr.text(
    { default: '', invalid: keys },
    /^[0-9A-D#*wW]*$/,
    '0-9 A-D # * with w and W for pauses',
  ),
  url: attr.url(),
  method: attr.method({ default: 'POST', invalid: method }),
  statusCallback: attr.url(),
  statusCallbackMethod: attr.method({ default: 'POST', invalid: method }),
  statusCallbackEvent: attr.listOf(['initiated', 'ringing', 'answered', 'completed'], {
    default: ['completed'],
    invalid: 12200,
  }),
  machineDetection: attr.oneOf(['Enable', 'DetectMessageEnd'], {
    default: undefined,
    invalid: 12200,
    support: 'refused',
  }),
  machineDetectionTimeout: attr.seconds({
    default: undefined,
    invalid: 12200,
    min: 3,
    max: 60,
    support: 'refused',
  }),
  machineDetectionSpeechThreshold: attr.integer({
    default: undefined,
    invalid: 12200,
    min: 1_000,
    max: 6_000,
    support: 'refused',
  }),
  machineDetectionSpeechEndThreshold: attr.integer({
    default: undefined,
    invalid: 12200,
    min: 500,
    max: 5_000,
    support: 'refused',
  }),
  machineDetectionSilenceTimeout: attr.integer({
    default: undefined,
    invalid: 12200,
    min: 2_000,
    max: 10_000,
    support: 'refused',
  }),
  amdStatusCallback: attr.url({ support: 'refused' }),
  amdStatusCallbackMethod: attr.method({ default: 'POST', invalid: method, support: 'refused' }),
});

/** Of a party all but whom it is. */
export function partyOf(values: Values<ReturnType<typeof rung>>, position: Position): Omit<Party, 'target'> {
  const { url, method, statusCallback, statusCallbackMethod, statusCallbackEvent, sendDigits } = values;
  return {
    position,
    sendDigits,
    screening: url ? { url, method } : undefined,
    statusCallback: statusCallback
      ? { url: statusCallback, method: statusCallbackMethod, events: statusCallbackEvent }
      : undefined,
  };
}
