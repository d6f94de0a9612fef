import { z } from 'zod';
import { LONGEST_CALL_MS } from '../call/limits.ts';
import type { OrderedRecording, OutboundOrder } from '../call/orders.ts';
import { PROGRESS_EVENTS } from '../call/status-callback.ts';
import { duration } from './scenario-actions.ts';

const method = z.enum(['GET', 'POST']).default('POST');

/** How far the API lets it ring, and talk. @see https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource */
const RING_MS = { standard: '60s', least: 1_000, most: 600_000 } as const;

const RECORDING_EVENTS = ['in-progress', 'completed', 'absent'] as const;

/**
 * What a call is created with through the API, by the names that Twilio's libraries give its parameters.
 *
 * @see https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
 */
export const created = z
  .strictObject({
    url: z.string().optional().meta({ description: 'Where its document is.' }),
    method: method.meta({ description: 'How the document is requested.' }),
    twiml: z.string().min(1).max(4_000).optional().meta({ description: 'The document itself.' }),
    fallbackUrl: z.string().default('').meta({ description: 'Asked when the document cannot be used.' }),
    fallbackMethod: method,
    statusCallback: z.string().default('').meta({ description: 'Is told how the call goes on.' }),
    statusCallbackMethod: method,
    statusCallbackEvent: z
      .array(z.enum(PROGRESS_EVENTS))
      .min(1)
      .default(['completed'])
      .meta({ description: 'What it is told of; the end unless said.' }),
    timeout: duration
      .refine((ms) => ms >= RING_MS.least && ms <= RING_MS.most, 'expected 1s to 600s')
      .prefault(RING_MS.standard)
      .meta({ description: 'How long it may ring; 60s unless said.' }),
    timeLimit: duration
      .refine((ms) => ms >= 1_000 && ms <= LONGEST_CALL_MS, 'expected 1s to 4h')
      .prefault('4h')
      .meta({ description: 'How long it may be in progress; 4h unless said.' }),
    sendDigits: z
      .string()
      .regex(/^[0-9*#A-DwW]{0,32}$/, 'expected up to 32 of 0-9 * # A-D, w (half a second) and W (a second)')
      .default('')
      .meta({ description: 'Keys that are sent once it is answered.' }),
    record: z.boolean().default(false).meta({ description: 'Records it from answer to end.' }),
    recordingChannels: z.enum(['mono', 'dual']).default('mono'),
    recordingTrack: z.enum(['inbound', 'outbound', 'both']).default('both'),
    trim: z.enum(['trim-silence', 'do-not-trim']).default('trim-silence'),
    recordingStatusCallback: z.string().default(''),
    recordingStatusCallbackMethod: method,
    recordingStatusCallbackEvent: z.array(z.enum(RECORDING_EVENTS)).min(1).default(['completed']),
    machineDetection: z.enum(['Enable', 'DetectMessageEnd']).optional(),
    sipAuthUsername: z.string().optional(),
    sipAuthPassword: z.string().optional(),
  })
  .refine(
    ({ sipAuthUsername, sipAuthPassword }) =>
      (sipAuthUsername === undefined) === (sipAuthPassword === undefined),
    'expected sipAuthUsername and sipAuthPassword together',
  )
  .refine(({ url, twiml }) => (url === undefined) !== (twiml === undefined), 'expected one of url and twiml')
  .meta({
    description:
      'The API makes the call, with these parameters: `from` calls `to`, who does what its entry of `callees` (or of ' +
      '`registrations`) says. In place of `voice`.',
    oneOf: ['url', 'twiml'].map((source) => ({
      type: 'object',
      properties: { [source]: { type: 'string' } },
      required: [source],
    })),
  });

export type CreatedWith = z.infer<typeof created>;

/** The order of such a call, as a worker gets it. */
export function orderOf(
  { callSid, accountSid, from, to }: Pick<OutboundOrder, 'callSid' | 'accountSid' | 'from' | 'to'>,
  given: CreatedWith,
): OutboundOrder {
  const { url, twiml = '', method, fallbackUrl, fallbackMethod, statusCallback } = given;
  const { sipAuthUsername: username, sipAuthPassword: password } = given;
  return {
    callSid,
    accountSid,
    from,
    to,
    document:
      url === undefined
        ? { kind: 'twiml', twiml }
        : { kind: 'url', url, method, fallbackUrl, fallbackMethod },
    statusCallback:
      statusCallback === ''
        ? null
        : { url: statusCallback, method: given.statusCallbackMethod, events: given.statusCallbackEvent },
    timeoutMs: given.timeout,
    timeLimitMs: given.timeLimit,
    sendDigits: given.sendDigits,
    recording: given.record ? recordingOf(given) : null,
    credentials: username === undefined || password === undefined ? null : { username, password },
    machineDetection: given.machineDetection !== undefined,
  };
}

function recordingOf(given: CreatedWith): OrderedRecording {
  const { recordingTrack: track, recordingChannels, trim, recordingStatusCallback: url } = given;
  return {
    // A single track has nothing to put into a second channel.
    channels: recordingChannels === 'dual' && track === 'both' ? 2 : 1,
    track,
    trim: trim === 'trim-silence',
    callback:
      url === ''
        ? null
        : {
            url,
            method: given.recordingStatusCallbackMethod,
            events: given.recordingStatusCallbackEvent,
          },
  };
}
