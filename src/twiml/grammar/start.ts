import { isElement, type TwimlElement } from '../document/element.ts';
import { attr } from '../verbs/attributes.ts';
import { type ReadContext, reportAt } from '../verbs/define-verb.ts';
import {
  anyText,
  config,
  familyOf,
  flag,
  HEARD_LANGUAGE,
  HEARD_LANGUAGE_TAG,
  parameter,
  recordingCallbacks,
  SCHEMA,
  statusCallbacks,
} from './common.ts';
import { element } from './element-spec.ts';
import { startStream } from './stream.ts';

const refused = { support: 'refused', refusal: 13750 } as const;

function needsNoun(written: TwimlElement, _values: unknown, context: ReadContext): void {
  if (written.children.some(isElement)) return;
  const expected = 'Recording, Siprec, Stream or Transcription';
  const message = `<${written.name}> names nothing; put one of ${expected} into it; the document fails there.`;
  reportAt(context, 14300, written.position, message, { expected });
}

/** `<Start>` begins something beside the call, which goes on at once. @see https://www.twilio.com/docs/voice/twiml/start */
export const start = element({
  key: 'Start',
  docs: 'start',
  attributes: {
    action: attr.url({ support: 'accepted' }),
    method: attr.method({ default: 'POST', invalid: SCHEMA, support: 'accepted' }),
  },
  children: ['Recording', 'Siprec', 'Stream', 'Transcription'],
  invalidChild: 14300,
  fatal: [14300],
  validate: needsNoun,
});

/** `<Stop>` ends what `<Start>` began. @see https://www.twilio.com/docs/voice/twiml/stop */
export const stop = element({
  key: 'Stop',
  docs: 'stop',
  children: ['Stop>Recording', 'Stop>Siprec', 'Stop>Stream', 'Stop>Transcription'],
  invalidChild: 14300,
  fatal: [14300],
  validate: needsNoun,
});

/** @see https://www.twilio.com/docs/voice/twiml/recording */
export const startRecording = element({
  key: 'Recording',
  docs: 'recording',
  attributes: {
    name: anyText(),
    channels: attr.oneOf(['mono', 'dual'], { default: 'dual', invalid: SCHEMA }),
    track: attr.oneOf(['inbound', 'outbound', 'both'], { default: 'both', invalid: 13622 }),
    trim: attr.oneOf(['trim-silence', 'do-not-trim'], { default: 'trim-silence', invalid: 13699 }),
    ...recordingCallbacks(),
    recordingConfigurationId: attr.text({ default: undefined, invalid: SCHEMA, support: 'accepted' }),
  },
});

/** 31940 is the code of a connector that cannot be used. @see https://www.twilio.com/docs/voice/twiml/siprec */
export const startSiprec = element({
  key: 'Siprec',
  docs: 'siprec',
  support: 'refused',
  refusal: 31940,
  attributes: {
    connectorName: attr.text(
      { default: undefined, invalid: 31940, required: 31940 },
      /\S/,
      'the name of a connector',
    ),
    name: anyText(),
    // The documentation has this default although two streams are sent; it decides.
    track: attr.oneOf(['inbound_track', 'outbound_track', 'both_tracks'], {
      default: 'inbound_track',
      invalid: 31941,
    }),
    ...statusCallbacks(),
  },
  children: ['Parameter'],
});

/** @see https://www.twilio.com/docs/voice/twiml/transcription */
export const startTranscription = element({
  key: 'Transcription',
  docs: 'transcription',
  ...refused,
  attributes: {
    name: anyText(),
    statusCallbackUrl: attr.url({ invalid: SCHEMA }), // absolute
    statusCallbackMethod: attr.method({ default: 'POST', invalid: SCHEMA }), // always POST
    languageCode: attr.text({ default: 'en-US', invalid: SCHEMA }, HEARD_LANGUAGE_TAG, HEARD_LANGUAGE),
    track: attr.oneOf(['inbound_track', 'outbound_track', 'both_tracks'], {
      default: 'both_tracks',
      invalid: SCHEMA,
    }),
    inboundTrackLabel: anyText(),
    outboundTrackLabel: anyText(),
    transcriptionEngine: attr.oneOf(['google', 'deepgram'], { default: 'google', invalid: SCHEMA }),
    speechModel: attr.text({ default: 'telephony', invalid: SCHEMA }),
    profanityFilter: flag(true),
    partialResults: flag(false),
    hints: anyText(),
    enableAutomaticPunctuation: flag(true),
    enableProviderData: flag(false),
    intelligenceService: anyText(),
    conversationConfiguration: anyText(),
    conversationId: anyText(),
  },
  children: ['Config', 'Parameter'],
});

/** What is stopped is known by the name it was started with. */
const stopped = <const K extends string>(key: K, docs: string, more: Partial<typeof refused> = {}) =>
  element({ key, docs, ...more, attributes: { name: anyText() } });

export const stopStream = stopped('Stop>Stream', 'stream#stop', refused);
export const stopSiprec = stopped('Stop>Siprec', 'siprec#stop');
export const stopTranscription = stopped('Stop>Transcription', 'transcription#stop', refused);

/** One that nothing names cannot be meant. */
export const stopRecording = element({
  key: 'Stop>Recording',
  docs: 'recording#stop',
  attributes: {
    name: attr.text(
      { default: undefined, invalid: SCHEMA, required: SCHEMA },
      /\S/,
      'the name the recording was started with',
    ),
  },
});

/** `<Start>`, `<Stop>` and all that may stand in them. */
export const startFamily = familyOf([
  start,
  stop,
  startStream,
  startSiprec,
  startRecording,
  startTranscription,
  stopStream,
  stopSiprec,
  stopTranscription,
  stopRecording,
  config,
  parameter,
]);
