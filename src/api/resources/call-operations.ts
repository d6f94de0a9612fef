import type { CallStatus } from '../../call/record.ts';
import { type Operation, type OperationParameters, PAGING } from '../operation.ts';

export const CALL_STATUSES = [
  'queued',
  'ringing',
  'in-progress',
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
] as const satisfies readonly CallStatus[];

/** @see https://www.twilio.com/docs/voice/api/call-resource#read-multiple-call-resources */
export const LIST_CALL: Operation = {
  id: 'ListCall',
  parameters: {
    To: 'string',
    From: 'string',
    ParentCallSid: 'sid',
    Status: CALL_STATUSES,
    StartTime: 'date',
    'StartTime<': 'date',
    'StartTime>': 'date',
    EndTime: 'date',
    'EndTime<': 'date',
    'EndTime>': 'date',
    ...PAGING,
  },
};

/** What a call begins with, and may be given while it runs. */
const DOCUMENT: OperationParameters = {
  Url: 'url',
  Method: 'method',
  FallbackUrl: 'url',
  FallbackMethod: 'method',
  Twiml: 'string',
  StatusCallback: 'url',
  StatusCallbackMethod: 'method',
  TimeLimit: 'integer',
};

/** What a recording is to be. @see https://www.twilio.com/docs/voice/api/recording#create-a-recording-resource */
export const RECORDING_PARAMETERS: OperationParameters = {
  RecordingStatusCallback: 'url',
  RecordingStatusCallbackMethod: 'method',
  RecordingStatusCallbackEvent: 'strings',
  RecordingChannels: ['mono', 'dual'],
  RecordingTrack: ['inbound', 'outbound', 'both'],
  Trim: ['trim-silence', 'do-not-trim'],
};

/** @see https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource */
export const CREATE_CALL: Operation = {
  id: 'CreateCall',
  parameters: {
    To: 'string',
    From: 'string',
    CallerId: 'string',
    ApplicationSid: 'sid',
    ...DOCUMENT,
    StatusCallbackEvent: 'strings',
    SendDigits: 'string',
    Timeout: 'integer',
    Record: 'boolean',
    ...RECORDING_PARAMETERS,
    SipAuthUsername: 'string',
    SipAuthPassword: 'string',
    MachineDetection: ['Enable', 'DetectMessageEnd'],
  },
  required: ['To', 'From'],
};

/** @see https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource */
export const UPDATE_CALL: Operation = {
  id: 'UpdateCall',
  parameters: { ...DOCUMENT, Status: ['canceled', 'completed'] },
};
