import type { WebhookSession } from './port.ts';

/** A session whose every request tells these parameters too. */
export function withParameters(
  session: WebhookSession,
  params: Readonly<Record<string, string>>,
): WebhookSession {
  return {
    fetch: (request, signal) =>
      session.fetch({ ...request, params: { ...request.params, ...params } }, signal),
  };
}
