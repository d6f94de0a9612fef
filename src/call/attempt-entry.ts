import { withoutPasswords } from '../core/secrets.ts';
import type { WebhookAttempt, WebhookRequest, WebhookResponse, WebhookResult } from '../webhook/port.ts';
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

/** Our choice: what is kept of an answer that nobody reads but whoever looks for a mistake. */
const KEPT_CHARACTERS = 2_000;

/** How the attempts of a callback are noted: what was sent with each, and what was answered to the last. */
export function callbackEntries(
  { attempts, ...result }: WebhookResult,
  { purpose, params }: Pick<WebhookRequest, 'purpose' | 'params'>,
): readonly Extract<TimelineEntry, { type: 'webhook' }>[] {
  const answered = result.ok ? textOf(result.response) : undefined;
  const body = answered ? { body: withoutPasswords(answered).slice(0, KEPT_CHARACTERS) } : {};
  return attempts.map((attempt, index) => ({
    ...attemptEntry(attempt, purpose),
    parameters: { ...params },
    ...(index === attempts.length - 1 && body),
  }));
}

/** What was answered, where it is something to read; undefined for audio and the like. */
export function textOf({ contentType, body }: WebhookResponse): string | undefined {
  return /^text\/|[/+](xml|json)$/.test(contentType) ? body.toString('utf8') : undefined;
}
