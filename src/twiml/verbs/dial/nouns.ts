import { isE164 } from '../../../core/e164.ts';
import { diagnose } from '../../../core/error-catalogue.ts';
import type { WebhookMethod } from '../../../webhook/port.ts';
import { isElement, type Position, type TwimlElement, textOf } from '../../document/element.ts';
import { element } from '../../grammar/element-spec.ts';
import { attr, type Values } from '../attributes.ts';
import { reportChildren } from '../bodies.ts';
import { closest } from '../closest.ts';
import { type Body, type ReadContext, readAttributes, reportAt } from '../define-verb.ts';
import type { ApplicationTarget, DialTarget } from '../ports.ts';
import { readSipTarget } from '../sip-uri.ts';
import { readApplication, withoutSecondApplications } from './application-noun.ts';

/** Somebody that `<Dial>` calls, as a noun says it. URLs are as written. */
export interface Party {
  readonly target: DialTarget | ApplicationTarget;
  readonly position: Position;
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

/** @see https://www.twilio.com/docs/voice/twiml/dial */
const MOST_PARTIES = 10;

/** What `<Number>` and `<Sip>` share; `method` and `keys` are the codes of each. */
const common = (method: 13221 | 13241, keys: 13222 | 13242) => ({
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

/** @see https://www.twilio.com/docs/voice/twiml/number#attributes */
export const numberNoun = element({
  key: 'Number',
  docs: 'number',
  attributes: {
    ...common(13221, 13222),
    byoc: attr.text(
      { default: undefined, invalid: 12200, support: 'refused' },
      /^BY[0-9a-f]{32}$/,
      'the SID of a BYOC trunk',
    ),
  },
  text: { expected: 'E.164 such as +15005550006', required: 13223, invalid: 13223 },
});

/** @see https://www.twilio.com/docs/voice/twiml/sip#attributes */
export const sipNoun = element({
  key: 'Sip',
  docs: 'sip',
  attributes: {
    ...common(13241, 13242),
    username: attr.text({ default: undefined, invalid: 13249 }),
    password: attr.text({ default: undefined, invalid: 13249 }),
  },
  children: ['Headers', 'Uri'],
  text: { expected: 'a SIP URI such as sip:user@host', required: 13243, invalid: 13243 },
});

/** Nouns of Twilio's grammar that Trunkline does not call yet. @see https://www.twilio.com/docs/voice/twiml/dial */
const NOT_YET = ['Client', 'Conference', 'Queue', 'Sim', 'WhatsApp'];

type Noun = (element: TwimlElement, context: ReadContext) => Party | undefined;

const NOUNS: ReadonlyMap<string, Noun> = new Map<string, Noun>([
  ['Number', readNumber],
  ['Sip', readSip],
  ['Application', readApplication],
]);

/** The parties of a `<Dial>` in document order: nouns, or a number as text. At most ten; the rest is 13250. */
export const partiesBody: Body<readonly Party[]> = {
  children: ['Application', 'Client', 'Conference', 'Number', 'Queue', 'Sim', 'Sip', 'WhatsApp'],
  invalidChild: 13215,
  text: { expected: 'a telephone number', invalid: 13223 },
  read(element, context) {
    const inner: ReadContext = { ...context, within: element.name, report: (found) => context.report(found) };
    const nouns = element.children.filter(isElement);
    const text = textOf(element).trim();
    if (nouns.length === 0) {
      const target = numberTarget(text, element.position, inner);
      return target ? [plainNumber(target, element.position)] : [];
    }
    if (text !== '') {
      const message = `<Dial> takes either a number or nouns; the text "${text.slice(0, 40)}" is ignored.`;
      reportAt(inner, 12200, element.position, message, { actual: text.slice(0, 100) });
    }
    const parties = nouns.flatMap((noun) => readNoun(noun, inner) ?? []);
    const called = withoutSecondApplications(atMostTen(parties, inner), inner);
    return withoutSecondConnections(called, inner);
  },
};

function readNoun(element: TwimlElement, context: ReadContext): Party | undefined {
  const { name, position } = element;
  const noun = NOUNS.get(name);
  if (noun) return noun(element, context);
  if (NOT_YET.includes(name)) {
    const message = `line ${position.line}, column ${position.column}: <Dial><${name}> is not available here yet; it is not called.`;
    context.report(diagnose(13750, message, { url: context.url, ...position, actual: name }));
    return undefined;
  }
  const near = closest(name, [...NOUNS.keys(), ...NOT_YET]);
  const advice = near ? `did you mean <${near}>? It is ignored.` : 'it is ignored.';
  const details = { actual: name, ...(near && { expected: near }) };
  reportAt(context, 13215, position, `<${name}> is not allowed inside <Dial>; ${advice}`, details);
  return undefined;
}

function readNumber(element: TwimlElement, context: ReadContext): Party | undefined {
  const values = readAttributes(numberNoun.attributes, element, context);
  reportChildren(element, context);
  reportUnavailable(element, context, ['machineDetection', 'byoc']);
  const target = numberTarget(textOf(element).trim(), element.position, context);
  return target && { ...partyOf(values, element.position), target };
}

function readSip(element: TwimlElement, context: ReadContext): Party | undefined {
  const values = readAttributes(sipNoun.attributes, element, context);
  reportChildren(element, context);
  reportUnavailable(element, context, ['machineDetection']);
  const { position } = element;
  const { target, diagnostics } = readSipTarget(textOf(element), values);
  for (const found of diagnostics) {
    const message = `line ${position.line}, column ${position.column}: ${found.message}`;
    context.report({ ...found, message, url: context.url, ...position });
  }
  return target && { ...partyOf(values, position), target };
}

function partyOf(values: Values<ReturnType<typeof common>>, position: Position): Omit<Party, 'target'> {
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

const plainNumber = (target: DialTarget, position: Position): Party => ({
  target,
  position,
  sendDigits: '',
  screening: undefined,
  statusCallback: undefined,
});

/** What people put between the digits of a number. */
const PUNCTUATION = /[\s().-]/g;

/**
 * A number as E.164: with its punctuation dropped, and North American ones completed.
 * @see https://www.twilio.com/docs/voice/twiml/number
 */
function numberTarget(text: string, position: Position, context: ReadContext): DialTarget | undefined {
  const bare = text.replace(PUNCTUATION, '');
  const number = /^[2-9]\d{9}$/.test(bare) ? `+1${bare}` : /^1[2-9]\d{9}$/.test(bare) ? `+${bare}` : bare;
  if (isE164(number)) return { kind: 'number', number };
  const shown = text.slice(0, 40);
  const what = shown === '' ? 'there is no number here' : `"${shown}" is no telephone number`;
  const message = `${what}; expected E.164 such as +15005550006; it is not called.`;
  reportAt(context, 13223, position, message, { actual: shown, expected: 'E.164' });
  return undefined;
}

function reportUnavailable(element: TwimlElement, context: ReadContext, names: readonly string[]): void {
  for (const name of names) {
    const asked = element.attributes.get(name);
    if (!asked) continue;
    const message = `${name} is not available here yet; the call is made without it.`;
    reportAt(context, 12200, asked.position, message, { actual: asked.value });
  }
}

function atMostTen(parties: readonly Party[], context: ReadContext): readonly Party[] {
  const first = parties[MOST_PARTIES];
  if (!first) return parties;
  const message = `<Dial> calls at most ${MOST_PARTIES} parties; ${parties.length} are named, those from here on are not called.`;
  const details = { actual: `${parties.length}`, expected: `at most ${MOST_PARTIES}` };
  reportAt(context, 13250, first.position, message, details);
  return parties.slice(0, MOST_PARTIES);
}

/** Our choice of what the warning 32303 means: the first party called through a connection is the only one. */
function withoutSecondConnections(parties: readonly Party[], context: ReadContext): readonly Party[] {
  const through = parties.filter(({ target }) => target.kind === 'sip' && target.connectionSid !== undefined);
  for (const { position } of through.slice(1)) {
    const message =
      'only one party of a <Dial> may be called with tnx; this one is not called; use edge instead.';
    reportAt(context, 32303, position, message, { expected: 'edge=' });
  }
  const left = new Set(through.slice(1));
  return parties.filter((party) => !left.has(party));
}
