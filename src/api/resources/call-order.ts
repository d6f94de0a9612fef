import type { OrderedCallback, OrderedDocument, OrderedRecording, OutboundOrder } from '../../call/orders.ts';
import type { Application } from '../../config/applications.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { warning } from '../../core/diagnostic.ts';
import { invalid } from '../api-error.ts';
import type { Parameters } from '../parameters.ts';

/** @see https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource */
const LONGEST_TWIML = 4_000;
const RING_S = { standard: 60, min: 1, max: 600 };
/** 4 hours; longer calls are an option of the hosted service that is not offered here. */
const LONGEST_CALL_S = 14_400;
const MOST_DIGITS = 32;
const EVENTS = ['initiated', 'ringing', 'answered', 'completed'] as const;
const RECORDING_EVENTS = ['in-progress', 'completed', 'absent'] as const;

/** What a form says about a call, apart from who calls whom. */
export type CallTerms = Omit<OutboundOrder, 'callSid' | 'accountSid' | 'to' | 'from' | 'credentials'>;

export interface ReadTerms {
  readonly terms: CallTerms;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Reads how a new call is to be made. An application says itself what is run and who is told: of the form, Url, Twiml,
 * Method, the fallback and the status callback are then ignored.
 *
 * @param application the one that ApplicationSid names
 * @throws ApiError
 */
export function readTerms(form: Parameters, application: Application | undefined): ReadTerms {
  const { document, warnings } = application
    ? { document: documentOf(application), warnings: [] }
    : readDocument(form);
  if (!document) {
    throw invalid(
      21205,
      'Url, Twiml or ApplicationSid is needed: it says what the call does once it is answered.',
    );
  }
  if (form.filled('Byoc')) throw invalid(20001, 'Byoc: this Region has no BYOC trunks.');
  const timeout = form.integer('Timeout', 21208, RING_S) ?? RING_S.standard;
  const limit = form.integer('TimeLimit', 20001, { min: 1, max: LONGEST_CALL_S }) ?? LONGEST_CALL_S;
  const detection = form.oneOf('MachineDetection', ['Enable', 'DetectMessageEnd']);
  const terms: CallTerms = {
    document,
    statusCallback: application ? callbackOf(application) : readCallback(form),
    timeoutMs: timeout * 1_000,
    timeLimitMs: limit * 1_000,
    sendDigits: readDigits(form),
    recording: form.boolean('Record') === true ? readRecording(form, 'trim-silence') : null,
    machineDetection: detection !== undefined,
  };
  return { terms, warnings };
}

function documentOf(application: Application): OrderedDocument {
  const { sid, voiceUrl, voiceMethod, voiceFallbackUrl, voiceFallbackMethod } = application;
  if (voiceUrl === '') throw invalid(21218, `ApplicationSid ${sid}: this application has no VoiceUrl.`);
  return {
    kind: 'url',
    url: voiceUrl,
    method: voiceMethod,
    fallbackUrl: voiceFallbackUrl,
    fallbackMethod: voiceFallbackMethod,
  };
}

/** An application cannot say which events it wants: it is told the end. */
function callbackOf({ statusCallback, statusCallbackMethod }: Application): OrderedCallback | null {
  return statusCallback === ''
    ? null
    : { url: statusCallback, method: statusCallbackMethod, events: ['completed'] };
}

/** The document that a form names, if it names one; Url goes before Twiml. @throws ApiError */
export function readDocument(form: Parameters): {
  readonly document: OrderedDocument | undefined;
  readonly warnings: readonly Diagnostic[];
} {
  const url = form.url('Url', 21205);
  const twiml = form.filled('Twiml');
  const method = form.method('Method', 21209) ?? 'POST';
  const fallbackUrl = form.url('FallbackUrl', 21205) ?? '';
  const fallbackMethod = form.method('FallbackMethod', 21209) ?? 'POST';
  if (twiml !== undefined && twiml.length > LONGEST_TWIML) {
    throw invalid(
      32018,
      `Twiml has ${twiml.length} characters; it may have ${LONGEST_TWIML}. Use Url for more.`,
    );
  }
  if (url) {
    const both = twiml === undefined ? [] : [warning(32019, 'both Url and Twiml were given; Url is used.')];
    return { document: { kind: 'url', url, method, fallbackUrl, fallbackMethod }, warnings: both };
  }
  return { document: twiml === undefined ? undefined : { kind: 'twiml', twiml }, warnings: [] };
}

function readCallback(form: Parameters): OrderedCallback | null {
  const url = form.callback('StatusCallback', 21609);
  const method = form.method('StatusCallbackMethod', 21209) ?? 'POST';
  const events = readEvents(form, 'StatusCallbackEvent', EVENTS, ['completed'], 21626);
  return url ? { url, method, events } : null;
}

function readEvents<T extends string>(
  form: Parameters,
  name: string,
  known: readonly T[],
  standard: readonly T[],
  code: number,
): readonly T[] {
  const given = form.list(name);
  if (given.length === 0) return standard;
  const events = known.filter((event) => given.includes(event));
  const wrong = given.find((word) => !known.some((event) => event === word));
  if (wrong === undefined) return events;
  throw invalid(code, `${name} is '${wrong}'; it must be of ${known.join(', ')}.`);
}

function readDigits(form: Parameters): string {
  const digits = form.text('SendDigits') ?? '';
  if (digits.length <= MOST_DIGITS && /^[0-9*#A-DwW]*$/.test(digits)) return digits;
  const expected = `up to ${MOST_DIGITS} of 0-9 * # A-D, w (half a second) and W (a second)`;
  throw invalid(21206, `SendDigits is '${digits}'; it must be ${expected}.`);
}

/**
 * What a recording is to be; `trim` is the default, which differs between resources.
 *
 * @see https://www.twilio.com/docs/voice/api/recording#create-a-recording-resource
 * @throws ApiError
 */
export function readRecording(form: Parameters, trim: 'trim-silence' | 'do-not-trim'): OrderedRecording {
  const track = form.oneOf('RecordingTrack', ['inbound', 'outbound', 'both']) ?? 'both';
  const channels = form.oneOf('RecordingChannels', ['mono', 'dual']) ?? 'mono';
  const url = form.callback('RecordingStatusCallback', 21609);
  const method = form.method('RecordingStatusCallbackMethod', 21209) ?? 'POST';
  const events = readEvents(form, 'RecordingStatusCallbackEvent', RECORDING_EVENTS, ['completed'], 21626);
  return {
    // A single track has nothing to put into a second channel.
    channels: channels === 'dual' && track === 'both' ? 2 : 1,
    track,
    trim: (form.oneOf('Trim', ['trim-silence', 'do-not-trim']) ?? trim) === 'trim-silence',
    callback: url ? { url, method, events } : null,
  };
}
