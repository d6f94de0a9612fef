import { attr } from '../verbs/attributes.ts';
import { accepted, recordingCallbacks, SCHEMA, statusCallbacks } from './common.ts';
import { element } from './element-spec.ts';

const EVENTS = ['initiated', 'ringing', 'answered', 'completed'] as const;

/** What nouns have that ring somebody. */
const rung = {
  url: attr.url(),
  method: attr.method({ default: 'POST', invalid: SCHEMA }),
  statusCallback: attr.url(),
  statusCallbackMethod: attr.method({ default: 'POST', invalid: SCHEMA }),
  statusCallbackEvent: attr.listOf(EVENTS, { default: ['completed'], invalid: SCHEMA }),
} as const;

/** `<Conference>`: a room of many. @see https://www.twilio.com/docs/voice/twiml/conference */
export const conference = element({
  key: 'Conference',
  docs: 'conference',
  support: 'refused',
  refusal: 13750,
  attributes: {
    muted: attr.boolean({ default: false, invalid: 13230 }),
    beep: attr.oneOf(['true', 'false', 'onEnter', 'onExit'], { default: 'true', invalid: 13235 }),
    startConferenceOnEnter: attr.boolean({ default: true, invalid: 13232 }),
    endConferenceOnExit: attr.boolean({ default: false, invalid: 13231 }),
    participantLabel: attr.text(
      { default: undefined, invalid: 16023 },
      /^(?!CA[0-9a-f]{32}$)[^/]{1,128}$/su,
      'at most 128 characters without /, and no CallSid',
    ),
    jitterBufferSize: attr.oneOf(['small', 'medium', 'large', 'off'], { default: 'large', invalid: SCHEMA }),
    waitUrl: attr.url({ invalid: 13233 }), // '': silence
    waitMethod: attr.method({ default: 'POST', invalid: 13234 }),
    maxParticipants: attr.integer({ default: 250, invalid: SCHEMA, min: 1, max: 250 }),
    record: attr.oneOf(['do-not-record', 'record-from-start'], {
      default: 'do-not-record',
      invalid: SCHEMA,
      words: { true: 'record-from-start', false: 'do-not-record' },
    }),
    region: attr.oneOf(['us1', 'us2', 'ie1', 'de1', 'sg1', 'br1', 'au1', 'jp1'], {
      default: undefined,
      invalid: SCHEMA,
    }),
    trim: attr.oneOf(['trim-silence', 'do-not-trim'], { default: 'trim-silence', invalid: 13239 }),
    coach: attr.text(
      { default: undefined, invalid: 13240 },
      /^\s*CA[0-9a-f]{32}\s*$/,
      'the SID of a call in the conference',
    ),
    ...statusCallbacks(),
    statusCallbackEvent: attr.listOf(
      ['start', 'end', 'join', 'leave', 'mute', 'hold', 'modify', 'speaker', 'announcement'],
      { default: [], invalid: SCHEMA },
    ),
    ...recordingCallbacks(),
    eventCallbackUrl: attr.url({ invalid: SCHEMA }), // superseded by recordingStatusCallback
    recordingConfigurationId: accepted(),
  },
  text: { expected: 'the name of a conference', required: 13237 },
});

/** `<Client>`: a registered client. @see https://www.twilio.com/docs/voice/twiml/client */
export const client = element({
  key: 'Client',
  docs: 'client',
  support: 'refused',
  refusal: 31480, // nobody is registered
  attributes: { ...rung, clientNotificationUrl: attr.url({ invalid: 13806 }) },
  children: ['Identity', 'Parameter'],
  text: { expected: 'the identity of a client', most: 256, tooLong: SCHEMA },
});

/** @see https://www.twilio.com/docs/voice/twiml/client#identity */
export const identity = element({
  key: 'Identity',
  docs: 'client#identity',
  text: { expected: 'the identity of a client', required: SCHEMA, most: 256, tooLong: SCHEMA },
});

/** @see https://www.twilio.com/docs/voice/twiml/whatsapp */
export const whatsApp = element({
  key: 'WhatsApp',
  docs: 'whatsapp',
  support: 'refused',
  refusal: 13750,
  attributes: rung,
  text: {
    expected: 'E.164 such as +15005550006',
    required: 13223,
    pattern: /^\s*(?:whatsapp:)?\+[1-9]\d{1,14}\s*$/,
    invalid: 13223,
  },
});

/** There are none outside us1 on Twilio either, which is what 13258 says. */
export const sim = element({
  key: 'Sim',
  docs: 'sim',
  support: 'refused',
  refusal: 13258,
  text: {
    expected: 'the SID of a SIM',
    required: SCHEMA,
    pattern: /^\s*(?:DE|SIM|HS)[0-9a-f]{32}\s*$/,
    invalid: SCHEMA,
  },
});

/** @see https://www.twilio.com/docs/voice/twiml/dial/application */
export const applicationSid = element({
  key: 'ApplicationSid',
  docs: 'dial/application#applicationsid',
  text: { expected: 'an application SID', required: SCHEMA },
});

/** The party of a `<Refer>`. @see https://www.twilio.com/docs/voice/twiml/refer */
export const referSip = element({
  key: 'Refer>Sip',
  docs: 'refer#nouns',
  text: { expected: 'a SIP URI such as sip:user@host', required: 13243, invalid: 13243 },
});

/** One of several URIs of a `<Sip>`. */
export const uri = element({
  key: 'Uri',
  docs: 'sip',
  attributes: {
    priority: attr.integer({ default: undefined, invalid: SCHEMA, max: 65_535 }),
    weight: attr.integer({ default: undefined, invalid: SCHEMA, max: 65_535, support: 'accepted' }),
    username: attr.text({ default: undefined, invalid: 13249 }),
    password: attr.text({ default: undefined, invalid: 13249 }),
  },
  text: { expected: 'a SIP URI', invalid: 13243 },
});

/** Headers of the INVITE, beside those of the URI. */
export const headers = element({ key: 'Headers', docs: 'sip#custom-headers', children: ['Header'] });

export const header = element({
  key: 'Header',
  docs: 'sip#custom-headers',
  attributes: {
    name: attr.text({ default: '', invalid: 13252, required: 13252 }),
    value: attr.text({ default: '', invalid: 32112 }),
  },
});
