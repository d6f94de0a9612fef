import type { TimelineSink } from '../call/timeline.ts';
import type { WebhookResult, WebhookSession } from '../webhook/port.ts';

/** Our choice: what is kept of a document, in characters; most are shorter. */
const LONGEST_BODY = 4_000;

/** A session whose requests for documents are noted in the call's timeline: what was sent, and what was answered. */
export function notedWebhooks(session: WebhookSession, timeline: TimelineSink): WebhookSession {
  return {
    async fetch(request, signal) {
      const result = await session.fetch(request, signal);
      const [first] = result.attempts;
      if (first && (request.purpose === 'document' || request.purpose === 'fallback')) {
        const body = textOf(result);
        const text = body === undefined ? {} : { body };
        // The address of the attempt: that of the request may hold a password.
        timeline.add({ type: 'exchange', url: first.url, parameters: { ...request.params }, ...text });
      }
      return result;
    },
  };
}

function textOf(result: WebhookResult): string | undefined {
  if (!result.ok || !/^text\/|[/+](xml|json)$/.test(result.response.contentType)) return undefined;
  return result.response.body.toString('utf8').slice(0, LONGEST_BODY);
}
