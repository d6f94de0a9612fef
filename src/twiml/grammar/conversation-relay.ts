import { attr } from '../verbs/attributes.ts';
import { anyText, flag, HEARD_LANGUAGE, HEARD_LANGUAGE_TAG, SCHEMA } from './common.ts';
import { element } from './element-spec.ts';

const DOCS = 'connect/conversationrelay';

const language = (standard: string | undefined) =>
  attr.text({ default: standard, invalid: SCHEMA }, HEARD_LANGUAGE_TAG, HEARD_LANGUAGE);

/** What may interrupt. True and false are older spellings. @see https://www.twilio.com/docs/voice/twiml/connect/conversationrelay#attributes */
const interruptible = <const D extends 'any' | 'none'>(standard: D) =>
  attr.oneOf(['none', 'dtmf', 'speech', 'any'], {
    default: standard,
    invalid: SCHEMA,
    words: { true: 'any', false: 'none' },
  });

const speechTimeout = () =>
  attr.text(
    { default: undefined, invalid: SCHEMA },
    speechTimeoutPattern,
    'auto, or 600 to 5000 milliseconds',
  );
/** 600 to 5000, or auto. */
const speechTimeoutPattern = /^(?:auto|[6-9]\d\d|[1-4]\d{3}|5000)$/;

/** What `<ConversationRelay>` and `<Assistant>` share. */
const conversation = {
  welcomeGreeting: anyText(),
  welcomeGreetingInterruptible: interruptible('any'),
  language: language('en-US'),
  ttsLanguage: language(undefined), // absent: `language`
  ttsProvider: attr.oneOf(['Google', 'Amazon', 'ElevenLabs', 'google', 'amazon', 'elevenlabs'], {
    default: 'ElevenLabs',
    invalid: SCHEMA,
  }),
  voice: anyText(), // absent: the provider's own
  transcriptionLanguage: language(undefined), // absent: `language`
  transcriptionProvider: attr.oneOf(['Deepgram', 'Google', 'deepgram', 'google'], {
    default: 'Deepgram',
    invalid: SCHEMA,
  }),
  speechModel: anyText(), // absent: the provider's own
  interruptible: interruptible('any'),
  interruptSensitivity: attr.oneOf(['low', 'medium', 'high'], { default: 'high', invalid: SCHEMA }),
  dtmfDetection: flag(undefined),
  reportInputDuringAgentSpeech: interruptible('none'),
  preemptible: flag(false),
  hints: anyText(),
  intelligenceService: anyText(),
  partialPrompts: flag(undefined),
  profanityFilter: flag(undefined),
  elevenlabsTextNormalization: attr.oneOf(['on', 'auto', 'off'], { default: 'off', invalid: SCHEMA }),
  debug: anyText(),
} as const;

/** @see https://www.twilio.com/docs/voice/twiml/connect/conversationrelay */
export const conversationRelay = element({
  key: 'ConversationRelay',
  docs: DOCS,
  support: 'refused',
  refusal: 13750,
  attributes: {
    // Twilio speaks WebSocket over TLS only.
    url: attr.text(
      { default: undefined, invalid: SCHEMA, required: SCHEMA },
      /^\s*wss:\/\/[^\s/]\S*\s*$/,
      'a URL that begins with wss://',
    ),
    ...conversation,
    events: anyText(),
    conversationConfiguration: anyText(),
    // How sure Deepgram's Flux has to be that a turn is over; it decides when this is absent.
    eotThreshold: attr.text(
      { default: undefined, invalid: SCHEMA },
      /^0?\.(?:[5-8]\d*|90*)$/,
      'a number from 0.5 to 0.9',
    ),
    // The SDKs write these in lower case, the documentation does not.
    speechTimeout: speechTimeout(),
    speechtimeout: speechTimeout(),
    deepgramSmartFormat: flag(true),
    deepgramsmartformat: flag(true),
    ignoreBackchannel: flag(false),
    ignorebackchannel: flag(false),
    backgroundNoiseReduction: anyText(),
    backgroundnoisereduction: anyText(),
  },
  children: ['Language', 'Parameter'],
});

/** @see https://www.twilio.com/docs/voice/twiml/connect */
export const assistant = element({
  key: 'Assistant',
  docs: 'connect',
  support: 'refused',
  refusal: 13750,
  attributes: { id: anyText(), ...conversation },
  children: ['Language', 'Parameter'],
});

/** Voice and transcription in one language of a conversation. */
export const conversationLanguage = element({
  key: 'Language',
  docs: `${DOCS}#language-element`,
  support: 'refused',
  refusal: 13750,
  attributes: {
    code: attr.text(
      { default: undefined, invalid: SCHEMA, required: SCHEMA },
      HEARD_LANGUAGE_TAG,
      HEARD_LANGUAGE,
    ),
    ttsProvider: anyText(),
    voice: anyText(),
    transcriptionProvider: anyText(),
    speechModel: anyText(),
  },
});
