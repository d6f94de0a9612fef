import { RING_TONE_COUNTRIES } from '../../../media/ring-tones.ts';
import { attr } from '../attributes.ts';
import { recordingCallbackAttributes } from '../recording-callback.ts';

/** What `record` says; its older values true and false stand for two of them. */
const RECORD_MODES = [
  'do-not-record',
  'record-from-answer',
  'record-from-ringing',
  'record-from-answer-dual',
  'record-from-ringing-dual',
] as const;

export type RecordMode = (typeof RECORD_MODES)[number];

/** @see https://www.twilio.com/docs/voice/twiml/dial#attributes */
export const dialAttributes = {
  action: attr.url(), // absent: the document continues
  method: attr.method({ default: 'POST', invalid: 13210 }),
  timeout: attr.seconds({ default: 30_000, invalid: 13212, min: 5, max: 600 }),
  timeLimit: attr.seconds({ default: 14_400_000, invalid: 13216, min: 1 }),
  hangupOnStar: attr.boolean({ default: false, invalid: 13213 }),
  callerId: attr.text({ default: undefined, invalid: 13214 }), // absent: the caller's
  answerOnBridge: attr.boolean({ default: false, invalid: 13219 }),
  record: attr.oneOf(RECORD_MODES, {
    default: 'do-not-record',
    invalid: 13217,
    words: { true: 'record-from-answer', false: 'do-not-record' },
  }),
  trim: attr.oneOf(['trim-silence', 'do-not-trim'], { default: 'do-not-trim', invalid: 13699 }),
  recordingTrack: attr.oneOf(['inbound', 'outbound', 'both'], { default: 'both', invalid: 13622 }),
  ...recordingCallbackAttributes(13210),
  ringTone: attr.oneOf(RING_TONE_COUNTRIES, { default: undefined, invalid: 13220 }),
  sequential: attr.boolean({ default: false, invalid: 13218 }),
  referUrl: attr.url(),
  referMethod: attr.method({ default: 'POST', invalid: 13210 }),
  callReason: attr.text(
    { default: undefined, invalid: 12200, support: 'accepted' },
    /^.{0,50}$/su,
    'at most 50 characters',
  ),
  events: attr.oneOf(['call-progress-event'], { default: undefined, invalid: 12200, support: 'accepted' }),
} as const;
