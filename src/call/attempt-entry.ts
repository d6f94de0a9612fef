import type { WebhookAttempt, WebhookRequest } from '../webhook/port.ts';
import type { TimelineEntry } from './timeline.ts';

/** How one attempt of a request is noted. */
export function attemptEntry(
  { url, method, attempt, ms, status, contentType, bytes, errorCode, error }: WebhookAttempt,
  purpose: WebhookRequest['purpose'],
): Extract<TimelineEntry, { type: 'webhook' }> {
  return {
    type: 'webhook',
    url,
    method,
    purpose,
    attempt,
    ms,
    ...(status !== undefined && { status }),
    ...(contentType !== undefined && { content_type: contentType }),
    ...(bytes !== undefined && { bytes }),
    ...(errorCode !== undefined && { error_code: errorCode }),
    ...(error !== undefined && { error }),
  };
}
