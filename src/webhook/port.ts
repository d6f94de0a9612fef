import type { Diagnostic } from '../core/diagnostic.ts';

export type WebhookMethod = 'GET' | 'POST';

export interface WebhookRequest {
  /** Absolute; may carry `user:password@` and connection overrides in its fragment. */
  readonly url: string;
  readonly method: WebhookMethod;
  /** Form parameters, in any order; for GET they are appended to the query. */
  readonly params: Readonly<Record<string, string>>;
  readonly purpose:
    | 'document'
    | 'fallback'
    | 'media'
    | 'status-callback'
    | 'recording-callback'
    | 'partial-result-callback'
    | 'transcription-callback';
  /** For a request that may be made again, from anywhere: 32 hexadecimal digits. Absent: a new one. */
  readonly idempotencyToken?: string | undefined;
}

/** One attempt on the wire, for the timeline and the log. */
export interface WebhookAttempt {
  /** As requested: without userinfo and fragment. */
  readonly url: string;
  readonly method: WebhookMethod;
  /** From 1; redirects, log-ins and retries of one request count on. */
  readonly attempt: number;
  readonly ms: number;
  /** The egress edge its connection override asked for. */
  readonly edge?: string;
  readonly status?: number;
  readonly contentType?: string;
  readonly bytes?: number;
  readonly errorCode?: number;
  readonly error?: string;
}

export interface WebhookResponse {
  /** After HTTP redirects, without userinfo: the base of relative URLs in the document. */
  readonly url: string;
  readonly status: number;
  /** Media type in lower case without parameters; '' when the header is missing. */
  readonly contentType: string;
  /** The parameter of that name of its Content-Type, as it was written; absent when there is none. */
  readonly charset?: string;
  readonly body: Buffer;
}

export type WebhookResult =
  | { readonly ok: true; readonly response: WebhookResponse; readonly attempts: readonly WebhookAttempt[] }
  | { readonly ok: false; readonly diagnostic: Diagnostic; readonly attempts: readonly WebhookAttempt[] };

/**
 * The requests of one call to the customer's application: one cookie jar, one set of logged-in hosts. A failure
 * of any kind is a result with Twilio's code; it rejects only with the signal's reason.
 */
export interface WebhookSession {
  fetch(request: WebhookRequest, signal: AbortSignal): Promise<WebhookResult>;
}

/** What the client sends through; the http adapter makes it with axios over undici. */
export interface HttpRequest {
  readonly url: string;
  readonly method: WebhookMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly connectMs: number;
  /** First byte, and between packets. */
  readonly readMs: number;
  /** Bodies beyond this end the request with `body-too-large`. */
  readonly maxBytes: number;
  readonly sni: boolean;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names; `set-cookie` keeps its lines apart. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** Why a request got no usable response. */
export type HttpFailure =
  | 'dns'
  | 'connect-timeout'
  | 'connect-refused'
  | 'connect-failed'
  | 'tls-handshake'
  | 'tls-host'
  | 'tls-expired'
  | 'tls-untrusted'
  | 'read-timeout'
  | 'protocol'
  | 'body-too-large'
  | 'forbidden-address'
  /** A test that asks one application does not ask other servers. */
  | 'outside-of-test';

export class HttpError extends Error {
  /** The response had begun: such a request is never retried. */
  readonly partial: boolean;

  constructor(
    readonly failure: HttpFailure,
    message: string,
    options?: ErrorOptions & { readonly partial?: boolean },
  ) {
    super(message, options);
    this.name = 'HttpError';
    this.partial = options?.partial ?? false;
  }
}

/** One request, no redirects followed. Rejects with HttpError, or with the signal's reason. */
export interface HttpClient {
  request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  close(): Promise<void>;
}
