import type { CreatedEvent } from './exported-call.ts';

/** `created` of a scenario: how the API made the call. What is as usual is left out. */
export function writeCreation(event: CreatedEvent): Readonly<Record<string, unknown>> {
  const { url, twiml, fallback_url: fallbackUrl, status_callback: callback, recording } = event;
  return {
    ...(url === undefined ? { twiml } : { url, ...methodOf('method', event.method) }),
    ...(fallbackUrl !== undefined && {
      fallbackUrl,
      ...methodOf('fallbackMethod', event.fallback_method),
    }),
    ...(callback && {
      statusCallback: callback.url,
      ...methodOf('statusCallbackMethod', callback.method),
      statusCallbackEvent: callback.events,
    }),
    timeout: `${event.timeout_ms / 1_000}s`,
    timeLimit: `${event.time_limit_ms / 1_000}s`,
    ...(event.send_digits !== undefined && { sendDigits: event.send_digits }),
    ...(recording && writeRecording(recording)),
    ...(event.machine_detection && { machineDetection: 'Enable' }),
    // Nobody asks for its password in a replay.
    ...(event.username !== undefined && { sipAuthUsername: event.username, sipAuthPassword: '***' }),
  };
}

function writeRecording({ channels, track, trim, callback }: NonNullable<CreatedEvent['recording']>) {
  return {
    record: true,
    ...(channels === 2 && { recordingChannels: 'dual' }),
    ...(track !== 'both' && { recordingTrack: track }),
    ...(!trim && { trim: 'do-not-trim' }),
    ...(callback && {
      recordingStatusCallback: callback.url,
      ...methodOf('recordingStatusCallbackMethod', callback.method),
      recordingStatusCallbackEvent: callback.events,
    }),
  };
}

const methodOf = (name: string, method: string | undefined) => (method === 'GET' ? { [name]: 'GET' } : {});
