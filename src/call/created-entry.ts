import { withoutPasswords } from '../core/secrets.ts';
import type { OrderedCallback, OutboundOrder } from './orders.ts';
import type { TimelineEntry } from './timeline.ts';

/** How the call was created, as its timeline keeps it: a call can be replayed from it. */
export function createdEntry(order: OutboundOrder): Extract<TimelineEntry, { type: 'created' }> {
  const { from, to, document, statusCallback, recording, sendDigits, credentials } = order;
  return {
    type: 'created',
    from,
    to: withoutPasswords(to),
    ...(document.kind === 'twiml'
      ? { twiml: withoutPasswords(document.twiml) }
      : {
          url: withoutPasswords(document.url),
          method: document.method,
          ...(document.fallbackUrl !== '' && {
            fallback_url: withoutPasswords(document.fallbackUrl),
            fallback_method: document.fallbackMethod,
          }),
        }),
    ...(statusCallback && { status_callback: callbackOf(statusCallback) }),
    timeout_ms: order.timeoutMs,
    time_limit_ms: order.timeLimitMs,
    ...(sendDigits !== '' && { send_digits: sendDigits }),
    ...(recording && { recording: recordingOf(recording) }),
    ...(order.machineDetection && { machine_detection: true as const }),
    ...(credentials && { username: credentials.username }),
  };
}

function recordingOf({ channels, track, trim, callback }: NonNullable<OutboundOrder['recording']>) {
  return { channels, track, trim, ...(callback && { callback: callbackOf(callback) }) };
}

function callbackOf({ url, method, events }: OrderedCallback) {
  return { url: withoutPasswords(url), method, events: [...events] };
}
