import { createHash } from 'node:crypto';
import { textOf } from '../call/attempt-entry.ts';
import type { TimelineEntry, TimelineSink } from '../call/timeline.ts';
import { withoutPasswords } from '../core/secrets.ts';
import { MAX_DOCUMENT_BYTES } from '../webhook/client.ts';
import type { WebhookSession } from '../webhook/port.ts';

/** Our choice: what is kept of the documents of one call, in characters. Most calls need a hundredth of it. */
const MOST_OF_A_CALL = 2 ** 20;

/**
 * A session whose requests for documents are noted in the call's timeline: what was sent, and what was answered, whole:
 * a call can be replayed from it.
 */
export function notedWebhooks(session: WebhookSession, timeline: TimelineSink): WebhookSession {
  const kept = new KeptBodies();
  return {
    async fetch(request, signal) {
      const result = await session.fetch(request, signal);
      const [first] = result.attempts;
      if (first && (request.purpose === 'document' || request.purpose === 'fallback')) {
        const body = result.ok ? textOf(result.response) : undefined;
        const text = body === undefined ? {} : kept.keep(body);
        // The address of the attempt: that of the request may hold a password.
        timeline.add({ type: 'exchange', url: first.url, parameters: { ...request.params }, ...text });
      }
      return result;
    },
  };
}

type Kept = Pick<Extract<TimelineEntry, { type: 'exchange' }>, 'body' | 'sha256' | 'cut'>;

/** The documents of a call, each kept once, as long as there is room. */
class KeptBodies {
  readonly #known = new Set<string>();
  #left = MOST_OF_A_CALL;

  keep(answered: string): Kept {
    const whole = withoutPasswords(answered);
    const sha256 = createHash('sha256').update(whole).digest('hex');
    if (this.#known.has(sha256)) return { sha256 };
    const body = whole.slice(0, Math.min(MAX_DOCUMENT_BYTES, this.#left));
    this.#left -= body.length;
    if (body.length < whole.length) return { body, cut: true };
    this.#known.add(sha256);
    return { body };
  }
}
