import type { TwimlChoices } from '../call/choices.ts';
import { link } from '../core/abort.ts';
import type { Clock } from '../core/clock.ts';
import { type Diagnostic, failure } from '../core/diagnostic.ts';
import type { Ids } from '../core/ids.ts';
import type { EdgeId } from '../region/edge.ts';
import { charsetOf } from './charset.ts';
import { CallCookies } from './cookies.ts';
import { explainFailure } from './failure.ts';
import { type ConnectionOverrides, DEFAULT_OVERRIDES, parseOverrides } from './overrides.ts';
import {
  type HttpClient,
  HttpError,
  type HttpResponse,
  type WebhookAttempt,
  type WebhookMethod,
  type WebhookRequest,
  type WebhookResult,
  type WebhookSession,
} from './port.ts';
import { followRedirect, isRedirect, MAX_REDIRECTS } from './redirect.ts';
import type { Target } from './request.ts';
import {
  basicAuthorization,
  type ComposedRequest,
  composeRequest,
  isTarget,
  parseTarget,
} from './request.ts';
import { header, type ResponseCache } from './response-cache.ts';
import { allowsRetry } from './retry.ts';

export interface WebhookSessionOptions {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly ids: Ids;
  /**
   * The account's auth token in this Region, asked for at every request: it may be rotated during a call. Absent:
   * requests are not signed.
   */
  readonly authToken?: () => Promise<string>;
  /** Shared by the calls of a process; absent: nothing is cached. */
  readonly cache?: ResponseCache;
  /** Claims the Region has an active connection at an Interconnect edge; absent: it has. */
  readonly interconnect?: (edge: EdgeId) => boolean;
  /** @see https://www.twilio.com/docs/api/errors/11750 */
  readonly maxBytes?: number;
  /** For a whole request, retries and redirects included, unless the URL says otherwise. */
  readonly totalMs?: number;
  /** Absent: the standard ones. */
  readonly choices?: Pick<TwimlChoices, 'redirectMethod' | 'signedPort'>;
  readonly onAttempt?: (attempt: WebhookAttempt) => void;
  /** Warnings about connection overrides; errors are the request's result. */
  readonly onWarning?: (warning: Diagnostic) => void;
}

/** The largest TwiML body: https://www.twilio.com/docs/api/errors/11750 */
export const MAX_DOCUMENT_BYTES = 64 * 1024;

const STANDARD_CHOICES = { redirectMethod: 'get', signedPort: 'keep' } as const;

/** The requests of one call: see the port. */
export function createWebhookSession(options: WebhookSessionOptions): WebhookSession {
  const memory: CallMemory = { cookies: new CallCookies(options.clock), logins: new Map() };
  return {
    async fetch(request, signal) {
      signal.throwIfAborted();
      const target = parseTarget(request.url);
      if (!isTarget(target)) return { ok: false, diagnostic: target, attempts: [] };
      const { totalMs = DEFAULT_OVERRIDES.totalMs, interconnect } = options;
      const overrides = parseOverrides(request.url, {
        defaults: { ...DEFAULT_OVERRIDES, totalMs },
        ...(interconnect && { interconnect }),
      });
      for (const found of overrides.diagnostics) {
        const diagnostic = { ...found, url: target.url };
        if (found.level === 'error') return { ok: false, diagnostic, attempts: [] };
        options.onWarning?.(diagnostic);
      }
      return new Fetch(options, memory, request, overrides.values).run(target, signal);
    },
  };
}

/** What a call remembers between its requests. */
interface CallMemory {
  readonly cookies: CallCookies;
  /** Authorization header by origin: a host that asked once is told at once for the rest of the call. */
  readonly logins: Map<string, string>;
}

/** One exchange of a chain of redirects. */
interface Hop {
  readonly target: Target;
  readonly method: WebhookMethod;
  readonly keepsForm: boolean;
}

/** What came of an exchange: the end, another hop, or the same one again (retry, log-in). */
type Step = { readonly end: HttpResponse } | { readonly next: Hop } | { readonly fail: Diagnostic } | 'again';

/** One `fetch`, from the first exchange to the result. */
class Fetch {
  readonly #options: WebhookSessionOptions;
  readonly #memory: CallMemory;
  readonly #request: WebhookRequest;
  readonly #overrides: ConnectionOverrides;
  readonly #choices: Pick<TwimlChoices, 'redirectMethod' | 'signedPort'>;
  readonly #idempotencyToken: string;
  readonly #attempts: WebhookAttempt[] = [];
  #retriesLeft: number;
  #retries = 0;
  #redirects = 0;
  #totalPassed = false;

  constructor(
    options: WebhookSessionOptions,
    memory: CallMemory,
    request: WebhookRequest,
    overrides: ConnectionOverrides,
  ) {
    this.#options = options;
    this.#memory = memory;
    this.#request = request;
    this.#overrides = overrides;
    this.#choices = options.choices ?? STANDARD_CHOICES;
    this.#retriesLeft = overrides.retries;
    this.#idempotencyToken = request.idempotencyToken ?? options.ids.token(16);
  }

  async run(target: Target, signal: AbortSignal): Promise<WebhookResult> {
    using scope = link(signal);
    const timer = this.#options.clock.after(this.#overrides.totalMs, () => {
      this.#totalPassed = true;
      scope.abort(new Error('the total time of the request has passed'));
    });
    try {
      let hop: Hop = { target, method: this.#request.method, keepsForm: true };
      for (;;) {
        const step = await this.#exchange(hop, scope.signal);
        if (step === 'again') continue;
        if ('next' in step) hop = step.next;
        else if ('fail' in step) return { ok: false, diagnostic: step.fail, attempts: this.#attempts };
        else return this.#success(hop, step.end);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!this.#totalPassed) throw error;
      return { ok: false, diagnostic: this.#tooLong(target), attempts: this.#attempts };
    } finally {
      timer.cancel();
    }
  }

  #success(hop: Hop, response: HttpResponse): WebhookResult {
    const { url } = hop.target;
    const { status, body } = response;
    const isDocument = this.#request.purpose === 'document' || this.#request.purpose === 'fallback';
    const chunked = header(response, 'transfer-encoding').toLowerCase().includes('chunked');
    if (isDocument && chunked && body.length === 0) {
      const message = `${url} answered with an empty chunked body; send a TwiML document, at least <Response/>.`;
      return { ok: false, diagnostic: failure(11770, message, { url }), attempts: this.#attempts };
    }
    const encoding = header(response, 'content-encoding').toLowerCase();
    if ((isDocument || this.#request.purpose === 'media') && !['', 'identity'].includes(encoding)) {
      // No Accept-Encoding was sent: only what is unencoded was asked for (RFC 9110 §12.5.3).
      const message = `${url} answered with Content-Encoding ${encoding}; send it without compression.`;
      const actual = encoding;
      return { ok: false, diagnostic: failure(12300, message, { url, actual }), attempts: this.#attempts };
    }
    const contentType = mediaType(response);
    const charset = charsetOf(header(response, 'content-type'));
    const described = { url, status, contentType, ...(charset !== undefined && { charset }) };
    return { ok: true, response: { ...described, body }, attempts: this.#attempts };
  }

  #tooLong(target: Target): Diagnostic {
    const { totalMs, totalGiven } = this.#overrides;
    const message = `${target.url} gave no complete answer within ${totalMs} ms, retries and redirects included; answer faster.`;
    // https://www.twilio.com/docs/api/errors/11203 is for a total the URL itself sets.
    return failure(totalGiven ? 11203 : 11200, message, { url: target.url, expected: `${totalMs} ms` });
  }

  async #exchange(hop: Hop, signal: AbortSignal): Promise<Step> {
    const { options, composed, authorized, cacheKey } = await this.#prepare(hop);
    const now = options.clock.now();
    const stored = cacheKey === undefined ? undefined : options.cache?.find(cacheKey);
    // Documents are always asked for again: an application may count on seeing every request of a call.
    if (stored && this.#request.purpose === 'media' && now < stored.freshUntil)
      return { end: stored.response };
    if (stored) Object.assign(composed.headers, stored.conditions);

    const outcome = await this.#attempt(composed, signal);
    if (outcome instanceof HttpError) {
      if (!outcome.partial && this.#takeRetry(outcome.failure)) return 'again';
      return { fail: explainFailure(outcome, composed.url, this.#request.purpose) };
    }
    this.#memory.cookies.keep(composed.url, outcome);
    if (outcome.status === 304 && stored && cacheKey !== undefined && options.cache)
      return { end: options.cache.revalidated(cacheKey, stored, outcome, options.clock.now()) };
    if (cacheKey !== undefined) options.cache?.store(cacheKey, outcome, options.clock.now());
    return this.#judge(hop, composed, outcome, authorized);
  }

  /** The request of a hop, with what the call remembers. */
  async #prepare(hop: Hop) {
    const { target, method } = hop;
    const options = this.#options;
    const composed = composeRequest({
      target,
      method,
      params: hop.keepsForm ? this.#request.params : undefined,
      authToken: this.#request.purpose === 'media' ? undefined : await options.authToken?.(),
      idempotencyToken: this.#idempotencyToken,
      signedPort: this.#choices.signedPort,
    });
    const login = this.#memory.logins.get(target.origin);
    if (login !== undefined) composed.headers['authorization'] = login;
    const cookie = this.#memory.cookies.headerFor(composed.url);
    if (cookie !== '') composed.headers['cookie'] = cookie;
    const user = login ?? '';
    const cacheKey = method === 'GET' && options.cache ? `${user} ${composed.url}` : undefined;
    return { options, composed, authorized: login, cacheKey };
  }

  async #attempt(composed: ComposedRequest, signal: AbortSignal): Promise<HttpResponse | HttpError> {
    const { clock, http, maxBytes = MAX_DOCUMENT_BYTES } = this.#options;
    const { connectMs, readMs, sni, edges } = this.#overrides;
    const { url, method, headers, body } = composed;
    const started = clock.monotonic();
    const edge = edges[this.#retries % edges.length];
    const note = (outcome: Partial<WebhookAttempt>) => {
      const ms = Math.round(clock.monotonic() - started);
      const attempt = this.#attempts.length + 1;
      const entry = { url, method, attempt, ms, ...(edge !== undefined && { edge }), ...outcome };
      this.#attempts.push(entry);
      this.#options.onAttempt?.(entry);
    };
    try {
      const request = { url, method, headers, connectMs, readMs, maxBytes, sni };
      const response = await http.request(body === undefined ? request : { ...request, body }, signal);
      const { status } = response;
      const errorCode = status >= 400 ? { errorCode: 11200 } : {};
      note({ status, contentType: mediaType(response), bytes: response.body.length, ...errorCode });
      return response;
    } catch (error) {
      if (!(error instanceof HttpError)) {
        const errorCode = this.#overrides.totalGiven ? 11203 : 11200;
        note({ error: String(error), ...(this.#totalPassed && { errorCode }) });
        throw error;
      }
      note({ errorCode: explainFailure(error, url, this.#request.purpose).code, error: error.message });
      return error;
    }
  }

  #judge(hop: Hop, composed: ComposedRequest, response: HttpResponse, authorized: string | undefined): Step {
    const { status } = response;
    const { url } = composed;
    if (status >= 200 && status < 300) return { end: response };
    if (status === 401 && hop.target.credentials) {
      const login = basicAuthorization(hop.target.credentials);
      if (login !== authorized) {
        this.#memory.logins.set(hop.target.origin, login);
        return 'again';
      }
    }
    if (isRedirect(status)) return this.#redirect(hop, status, header(response, 'location'));
    if (this.#takeRetry(status)) return 'again';
    const message = `${url} answered with HTTP status ${status}; answer with 200 and the content.`;
    return { fail: failure(11200, message, { url, actual: String(status), expected: '2xx' }) };
  }

  #redirect(hop: Hop, status: number, location: string): Step {
    this.#redirects += 1;
    if (this.#redirects > MAX_REDIRECTS) {
      const { url } = hop.target;
      const message = `More than ${MAX_REDIRECTS} HTTP redirects, the last from ${url}; answer directly.`;
      return { fail: failure(11215, message, { url, expected: `at most ${MAX_REDIRECTS}` }) };
    }
    const next = followRedirect(hop, status, location, this.#choices.redirectMethod);
    if ('code' in next) return { fail: next };
    return { next: { ...next, keepsForm: hop.keepsForm && next.keepsForm } };
  }

  #takeRetry(reason: HttpError['failure'] | number): boolean {
    if (this.#retriesLeft === 0 || !allowsRetry(this.#overrides.retryOn, reason)) return false;
    this.#retriesLeft -= 1;
    this.#retries += 1;
    return true;
  }
}

function mediaType(response: HttpResponse): string {
  const [type = ''] = header(response, 'content-type').split(';');
  return type.trim().toLowerCase();
}
