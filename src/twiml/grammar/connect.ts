import { attr } from '../verbs/attributes.ts';
import { reportAt } from '../verbs/define-verb.ts';
import {
  anyText,
  config,
  familyOf,
  flag,
  LANGUAGE,
  LANGUAGE_TAG,
  parameter,
  RECORD_MODES,
  recordingCallbacks,
  SCHEMA,
  statusCallbacks,
} from './common.ts';
import { assistant, conversationLanguage, conversationRelay } from './conversation-relay.ts';
import { element } from './element-spec.ts';
import { connectStream } from './stream.ts';

const refused = { support: 'refused', refusal: 13750 } as const;

/** `<Connect>` hands the call to one noun until that is done. @see https://www.twilio.com/docs/voice/twiml/connect */
export const connect = element({
  key: 'Connect',
  docs: 'connect',
  attributes: {
    action: attr.url(), // absent: the document continues
    method: attr.method({ default: 'POST', invalid: SCHEMA }),
  },
  children: [
    'AiSession',
    'Assistant',
    'Autopilot',
    'Conversation',
    'ConversationRelay',
    'ConversationRelaySession',
    'Room',
    'Connect>Stream',
    'VirtualAgent',
  ],
  validate(written, _values, context) {
    const nouns = written.children.filter((child) => 'name' in child);
    if (nouns.length === 1) return;
    const message = `<Connect> takes exactly one noun; there are ${nouns.length}.`;
    const position = nouns[1]?.position ?? written.position;
    reportAt(context, SCHEMA, position, message, { actual: `${nouns.length} nouns`, expected: '1' });
  },
});

const aiSession = element({
  key: 'AiSession',
  docs: 'connect',
  ...refused,
  attributes: { aiConnector: anyText(), aiSessionConfiguration: anyText() },
});

const autopilot = element({
  key: 'Autopilot',
  docs: 'autopilot', // retired
  ...refused,
  text: { expected: 'the SID of an assistant', required: SCHEMA },
});

const room = element({
  key: 'Room',
  docs: 'connect#room',
  ...refused,
  attributes: { participantIdentity: anyText() },
  text: { expected: 'the name of a video room', required: SCHEMA },
});

const conversationRelaySession = element({
  key: 'ConversationRelaySession',
  docs: 'connect',
  ...refused,
  attributes: { connector: anyText(), sessionConfiguration: anyText() },
});

/** 32602 is the code of a connector that cannot be used, and none can be installed here. */
const virtualAgent = element({
  key: 'VirtualAgent',
  docs: 'virtualagent',
  support: 'refused',
  refusal: 32602,
  attributes: {
    connectorName: attr.text(
      { default: undefined, invalid: 32602, required: 32602 },
      /\S/,
      'the name of a connector',
    ),
    language: attr.text({ default: undefined, invalid: SCHEMA }, LANGUAGE_TAG, LANGUAGE),
    sentimentAnalysis: flag(undefined),
    ...statusCallbacks(),
  },
  children: ['Config', 'Parameter'],
});

const conversation = element({
  key: 'Conversation',
  docs: 'connect#conversation',
  support: 'refused',
  refusal: 32500, // cannot be connected, whatever the reason
  attributes: {
    serviceInstanceSid: attr.text(
      { default: undefined, invalid: SCHEMA },
      /^\s*IS[0-9a-f]{32}\s*$/,
      'the SID of a Conversations service, IS and 32 hexadecimal digits',
    ),
    inboundAutocreation: flag(undefined),
    inboundTimeout: attr.seconds({ default: undefined, invalid: SCHEMA }),
    routingAssignmentTimeout: attr.seconds({ default: undefined, invalid: SCHEMA }),
    url: attr.url({ invalid: SCHEMA }),
    method: attr.method({ default: 'POST', invalid: SCHEMA }),
    record: attr.oneOf(RECORD_MODES, {
      default: 'do-not-record',
      invalid: SCHEMA,
      words: { true: 'record-from-answer', false: 'do-not-record' },
    }),
    trim: attr.oneOf(['trim-silence', 'do-not-trim'], { default: undefined, invalid: 13699 }),
    ...recordingCallbacks(),
    ...statusCallbacks(),
    statusCallbackEvent: attr.listOf(['call-initiated', 'call-ringing', 'call-answered', 'call-completed'], {
      default: [],
      invalid: SCHEMA,
    }),
  },
});

/** `<Connect>` and all that may stand in it. */
export const connectFamily = familyOf([
  connect,
  connectStream,
  conversationRelay,
  assistant,
  conversationLanguage,
  aiSession,
  conversationRelaySession,
  room,
  virtualAgent,
  conversation,
  autopilot,
  config,
  parameter,
]);
