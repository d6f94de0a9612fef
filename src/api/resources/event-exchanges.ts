import { keptBodies } from '../../call/kept-bodies.ts';
import type { TimelineEvent } from '../../call/timeline.ts';

/** One request of a call to the customer's application, and what came back. */
export interface Exchange {
  /** When it was over, ISO 8601. */
  readonly at: string;
  readonly url: string;
  readonly method: string;
  /** What was sent, by Twilio's names; empty where it was not kept. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly durationMs: number;
  /** Undefined where there was no answer. */
  readonly status: number | undefined;
  readonly contentType: string | undefined;
  /** As far as it was kept; undefined where it was not, as that of audio. */
  readonly body: string | undefined;
}

/** The requests of a call, oldest first. Of media nothing is told but that it was fetched. */
export function exchangesOf(timeline: readonly TimelineEvent[]): readonly Exchange[] {
  const exchanges: Exchange[] = [];
  const bodyOf = keptBodies();
  let kept: { readonly parameters: Exchange['parameters']; readonly body: string | undefined } | undefined;
  for (const [index, event] of timeline.entries()) {
    if (event.type === 'exchange') kept = { parameters: event.parameters, body: bodyOf(event) };
    if (event.type !== 'webhook') continue;
    const document = event.purpose === 'document' || event.purpose === 'fallback';
    const next = timeline[index + 1];
    // Attempts are counted from 1: the one that no other follows is the one that was answered.
    const last = next?.type !== 'webhook' || next.attempt <= event.attempt;
    const parameters = document ? kept?.parameters : event.parameters;
    exchanges.push({
      at: event.at,
      url: event.url,
      method: event.method,
      parameters: parameters ?? {},
      durationMs: event.ms,
      status: event.status,
      contentType: event.content_type,
      body: document ? (last ? kept?.body : undefined) : event.body,
    });
  }
  return exchanges;
}
