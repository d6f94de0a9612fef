import type { Diagnostic } from '../../core/diagnostic.ts';
import type { WebhookMethod } from '../../webhook/port.ts';
import type { Position } from '../document/element.ts';
import type { Parameters } from './parameters.ts';
import type { ChildCall, VerbWorld } from './ports.ts';

/**
 * What a verb says about how the call goes on. `failure` is fatal for the document: the fallback URL is asked,
 * else the caller hears an apology.
 */
export type Outcome =
  | { readonly kind: 'continue' }
  | { readonly kind: 'redirect'; readonly request: DocumentRequest; readonly transfer?: Transfer }
  | { readonly kind: 'hangup'; readonly parameters?: Parameters }
  | { readonly kind: 'reject'; readonly reason: 'busy' | 'rejected'; readonly parameters?: Parameters }
  | {
      readonly kind: 'failure';
      readonly diagnostic: Diagnostic;
      /** The customer has been told already. */
      readonly told?: boolean;
    };

/** A document to fetch. */
export interface DocumentRequest {
  /** Absolute. */
  readonly url: string;
  readonly method: WebhookMethod;
  /** What the verb adds to the standard parameters. */
  readonly params: Readonly<Record<string, string>>;
}

/**
 * A party asked to be replaced (REFER): the document that brings its successor runs while the verb that connected it
 * waits for what becomes of that. One of `connected`, `failed` and `abandoned` ends the wait.
 */
export interface Transfer {
  /** The document was fetched, or could not be. */
  fetched(ok: boolean): Promise<void>;
  /** The call has been connected to somebody by the document. */
  connected(): Promise<void>;
  /**
   * The document ended, or could not be had, and connected nobody: the outcome of the verb that waited, whose document
   * goes on. Absent when it cannot go on.
   */
  failed?(signal: AbortSignal): Promise<Outcome>;
  /** The call is over, or goes on with something else. */
  abandoned(): Promise<void>;
}

export const proceed: Outcome = { kind: 'continue' };

/** A verb of a document with its values read: ready to run, as often as needed. */
export interface Step {
  readonly name: string;
  readonly position: Position;
  /** What the timeline shows beside the name. */
  readonly detail: string | undefined;
  /** Rejects only with the signal's reason, or because of a programming error. */
  run(call: CallScope, signal: AbortSignal): Promise<Outcome>;
}

/** The call as verbs see it. */
export interface CallScope {
  readonly world: VerbWorld;
  /** What an absent `action` requests again: may hold a password, so it is never shown. */
  readonly documentUrl: string;
  /** Where the document came from in the end: the base of its relative URLs, and its name in diagnostics. */
  readonly baseUrl: string;
  /** Answers when the call is still ringing. */
  answer(): Promise<void>;
  /** A URL of the document as an absolute one; a diagnostic (11100) when it is none. */
  resolve(reference: string, position: Position): string | Diagnostic;
  /** Runs a nested verb, with its own entries in the timeline. */
  run(step: Step, signal: AbortSignal): Promise<Outcome>;
  /**
   * Runs a document on a called party, before anybody hears it; `request.params` are sent with the party's later
   * requests too. False when it shall not be connected: it is hung up. Rejects when the party is over.
   */
  screen(child: ChildCall, request: DocumentRequest, signal: AbortSignal): Promise<boolean>;
  /** Tells that the call was connected to another party: a transfer may have waited for that. */
  connected(): Promise<void>;
  /** Sends a request whose answer is ignored, also after the call has ended. */
  notify(request: DocumentRequest): Promise<void>;
  /**
   * Sends a callback whose answer is ignored while the call goes on. Resolves when it was answered or has failed, which
   * is reported; never rejects. The call's execution ends after it.
   */
  callBack(request: DocumentRequest, purpose: 'partial-result-callback'): Promise<void>;
}

/**
 * The outcome of a verb that hands over to its `action`; without one, to the document it stands in.
 * @see https://www.twilio.com/docs/voice/twiml/gather#action
 */
export function transfer(
  call: CallScope,
  action: string | undefined,
  position: Position,
  method: WebhookMethod,
  params: Readonly<Record<string, string>>,
): Outcome {
  // Without an action, a document that has no address cannot be asked for again: `resolve` says so.
  const url = action || call.documentUrl === '' ? call.resolve(action ?? '', position) : call.documentUrl;
  return typeof url === 'string'
    ? { kind: 'redirect', request: { url, method, params } }
    : { kind: 'failure', diagnostic: url };
}
