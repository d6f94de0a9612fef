import { type Diagnostic, docsOf } from './diagnostic.ts';

interface CatalogueEntry {
  readonly level: Diagnostic['level'];
  readonly title: string;
}

const error = (title: string): CatalogueEntry => ({ level: 'error', title });
const warn = (title: string): CatalogueEntry => ({ level: 'warning', title });

/**
 * The codes that executing TwiML raises, with the level Twilio's dictionary gives them.
 *
 * @see https://www.twilio.com/docs/api/errors
 */
const CATALOGUE = {
  11100: error('A URL cannot be used'),
  11215: error('Too many redirects'),
  11750: error('The TwiML is longer than 64 KB'),
  12100: error('The document is not well-formed XML'),
  12101: error('The version of the TwiML is unknown'),
  12102: error('The root element is not Response'),
  12200: warn('The document does not follow the TwiML grammar'),
  13000: warn('Dial: a conference cannot be mixed with telephone numbers'),
  13201: error('Dial: not allowed in a document that runs on a called party'),
  13210: warn('Dial: method cannot be used'),
  13212: warn('Dial: timeout cannot be used'),
  13213: warn('Dial: hangupOnStar cannot be used'),
  13214: warn('Dial: callerId cannot be used'),
  13215: warn('Dial: this element cannot be nested'),
  13216: warn('Dial: timeLimit cannot be used'),
  13217: warn('Dial: record cannot be used'),
  13218: warn('Dial: sequential cannot be used'),
  13219: warn('Dial: answerOnBridge cannot be used'),
  13220: warn('Dial: ringTone cannot be used'),
  13221: warn('Number in Dial: method cannot be used'),
  13222: warn('Number in Dial: sendDigits cannot be used'),
  13223: warn('Dial: this is no telephone number'),
  13224: error('Dial: this telephone number cannot be called'),
  13230: warn('Conference in Dial: muted cannot be used'),
  13231: error('Conference in Dial: endConferenceOnExit cannot be used'),
  13232: warn('Conference in Dial: startConferenceOnEnter cannot be used'),
  13233: warn('Conference in Dial: waitUrl cannot be used'),
  13234: warn('Conference in Dial: waitMethod cannot be used'),
  13235: warn('Conference in Dial: beep cannot be used'),
  13237: warn('Conference in Dial: the name cannot be used'),
  13239: error('Conference in Dial: trim cannot be used'),
  13240: error('Conference in Dial: coach is no call of the conference'),
  13241: warn('Sip in Dial: method cannot be used'),
  13242: warn('Sip in Dial: sendDigits cannot be used'),
  13243: warn('Sip in Dial: this is no usable SIP URI'),
  13248: warn('Dial: callerId is too long'),
  13249: warn('Sip in Dial: username or password cannot be used'),
  13250: warn('Dial: too many parties'),
  13251: warn('Sip in Dial: too many headers'),
  13252: warn('Sip in Dial: the name of a header cannot be used'),
  13253: warn('Sip in Dial: a header is too long'),
  13256: warn('recordingStatusCallback is no usable URL'),
  13257: error('transcribeCallback is no usable URL'),
  13258: error('Sim in Dial: not available in this Region'),
  13310: warn('Gather: finishOnKey cannot be used'),
  13312: warn('Gather: method cannot be used'),
  13313: warn('Gather: timeout cannot be used'),
  13314: warn('Gather: numDigits cannot be used'),
  13320: warn('Gather: this element cannot be nested'),
  13321: warn('Say in Gather: voice cannot be used'),
  13322: warn('Say in Gather: loop cannot be used'),
  13325: error('Play in Gather: the content type cannot be used'),
  13326: warn('Gather: input cannot be used'),
  13327: warn('Gather: speechTimeout cannot be used'),
  13328: warn('Gather: maxSpeechTime cannot be used'),
  13329: warn('Gather: partialResultCallbackMethod cannot be used'),
  13330: warn('Gather: hints cannot be used'),
  13331: warn('Gather: language cannot be used'),
  13332: warn('Gather: bargeIn cannot be used'),
  13333: warn('Gather: profanityFilter cannot be used'),
  13334: warn('Gather: speechModel cannot be used'),
  13335: warn('Gather: speechTimeout auto cannot be used with this speechModel'),
  13338: error('Gather: actionOnEmptyResult cannot be used'),
  13340: error('Gather: speech recognition failed'),
  13343: error('Gather: no speech recognition for this configuration'),
  13410: warn('Play: loop cannot be used'),
  13420: error('Play: the content type cannot be used'),
  13430: warn('Play: digits cannot be used'),
  13510: warn('Say: loop cannot be used'),
  13511: warn('Say: voice cannot be used'),
  13512: warn('Say: language cannot be used'),
  13513: warn('Say: the rate cannot be used'),
  13520: warn('Say: there is nothing to say'),
  13521: warn('Say: the text is too long'),
  13610: warn('Record: method cannot be used'),
  13611: warn('Record: timeout cannot be used'),
  13612: warn('Record: maxLength cannot be used'),
  13613: warn('Record: finishOnKey cannot be used'),
  13614: warn('Record: transcribe cannot be used'),
  13615: warn('Record: maxLength is too long for a transcription'),
  13616: warn('Record: playBeep cannot be used'),
  13617: warn('Record: the recording is too short or too long for a transcription'),
  13618: warn('Record: there is nothing to be transcribed'),
  13619: warn('Record: no transcription of this recording'),
  13620: warn('Record: the recording could not be transcribed'),
  13621: error('Record: recordingStatusCallbackEvent cannot be used'),
  13622: warn('recordingTrack cannot be used'),
  13699: warn('trim cannot be used'),
  13710: warn('Redirect: method cannot be used'),
  13750: error('This verb is not supported'),
  13802: error('Dial: a party asked to be transferred and there is no referUrl'),
  13803: error('Sms: not available in this Region'),
  13806: error('Client in Dial: clientNotificationUrl cannot be used'),
  13810: warn('Reject: reason cannot be used'),
  13910: warn('Pause: length cannot be used'),
  14101: warn('Sms: to cannot be used'),
  14102: warn('Sms: from cannot be used'),
  14103: warn('Sms: the text cannot be sent'),
  14104: warn('Sms: method cannot be used'),
  14105: warn('Sms: statusCallback cannot be used'),
  14201: error('Enqueue: method cannot be used'),
  14202: error('Enqueue: waitUrl cannot be used'),
  14203: error('Enqueue: action cannot be used'),
  14204: error('Enqueue: the name of the queue is too short'),
  14205: error('Enqueue: the name of the queue is too long'),
  14206: error('Enqueue: waitUrlMethod cannot be used'),
  14210: error('Queue in Dial: method cannot be used'),
  14211: error('Queue in Dial: url cannot be used'),
  14212: error('Queue in Dial: the name of the queue is too short'),
  14213: error('Queue in Dial: the name of the queue is too long'),
  14215: error('Queue in Dial: reservationSid cannot be used'),
  14219: error('Queue in Dial: tasks are not available in this Region'),
  14220: error('Enqueue: workflowSid cannot be used'),
  14221: error('Enqueue: the attributes of the task are no JSON'),
  14226: error('Enqueue: tasks are not available in this Region'),
  14300: error('Start or Stop: this element cannot be nested'),
  15003: warn('A status callback was not accepted'),
  15004: error('A relative URL in a document that has no address'),
  16023: error('Conference in Dial: participantLabel cannot be used'),
  16108: error('Another recording of the call runs'),
  16114: error('No recording that could be stopped'),
  31480: error('Client in Dial: nobody is registered under this identity'),
  31922: error('Stream: the scheme of the URL is not supported'),
  31923: error('Stream: the URL is malformed'),
  31940: error('Stream or Siprec: connectorName cannot be used'),
  31941: error('Stream or Siprec: track cannot be used'),
  32014: warn('No audio arrived for too long'),
  32022: error('The answer was never acknowledged'),
  32110: warn('A part of a SIP URI cannot be used'),
  32112: warn('The value of a SIP header cannot be used'),
  32113: warn('This SIP header is not allowed'),
  32114: warn('The value of a SIP URI parameter is not supported'),
  32301: warn('Interconnect: this is no SID of a connection'),
  32303: warn('Interconnect: several parties are called through a connection'),
  32305: warn('Interconnect: no such edge, or no active connection there'),
  32500: error('Conversation: it cannot be connected'),
  32602: error('VirtualAgent: the connector cannot be used'),
  64003: error('Pay: chargeAmount cannot be used'),
  64004: error('Pay: paymentConnector cannot be used'),
  64016: error('Pay: action cannot be used'),
  64017: error('Pay: bankAccountType does not go with a credit card'),
} as const satisfies Record<number, CatalogueEntry>;

/** A code that executing TwiML raises. */
export type TwimlCode = keyof typeof CATALOGUE;

/** What a code stands for, in a few words. */
export function titleOf(code: TwimlCode): string {
  return CATALOGUE[code].title;
}

/** The same of any code; undefined for one that executing TwiML does not raise. */
export function knownTitle(code: number): string | undefined {
  const titles: Readonly<Record<number, CatalogueEntry | undefined>> = CATALOGUE;
  return titles[code]?.title;
}

/** A diagnostic with the level its code has. */
export function diagnose(
  code: TwimlCode,
  message: string,
  details: Omit<Diagnostic, 'code' | 'level' | 'message' | 'docs'> = {},
): Diagnostic {
  return { code, level: CATALOGUE[code].level, message, ...details, docs: docsOf(code) };
}
