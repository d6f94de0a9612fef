import type { VirtualClock } from '../../core/clock.ts';
import { SystemClock } from '../../core/clock.ts';
import { type HttpClient, HttpError, type HttpRequest, type HttpResponse } from '../../webhook/port.ts';
import { type AppHandler, appRequest, checkedAnswer, type Pages, responseOf } from './answers.ts';

/** What became of one request, in order; `realMs` is what the application took in real time. */
export interface SeenExchange {
  /** Milliseconds since the start of the call. */
  readonly at: number;
  readonly request: HttpRequest;
  readonly realMs: number;
  readonly status: number | undefined;
  readonly error: string | undefined;
  /** The answer, where it is a text. */
  readonly body?: string;
}

export interface TestedApplicationOptions {
  readonly clock: VirtualClock;
  /** Scheme, host and port of the application. */
  readonly origin: string;
  /** The application in this process; absent: it is asked over HTTP. */
  readonly handler?: AppHandler;
  /** Makes the requests that leave this process. */
  readonly http: HttpClient;
  /** Answers of other servers by URL without query; they come before everything else. */
  readonly pages?: Pages;
  /** Answers of a scenario, in virtual time. */
  readonly scripted?: HttpClient & { answers(request: HttpRequest): boolean };
  /** Further hosts, with or without port, that may be asked over HTTP. */
  readonly allowHosts?: readonly string[];
}

/**
 * The application under test as the call's HTTP client. Real time passes while it answers, virtual time does not:
 * the call goes on at the very moment it asked. Answers arrive in the order in which they were asked for, so that
 * two requests on the way at once do not make a run differ from the next.
 *
 * Only the application, this machine and the hosts that were allowed are asked over HTTP.
 */
export class TestedApplication implements HttpClient {
  readonly seen: SeenExchange[] = [];
  readonly #options: TestedApplicationOptions;
  readonly #real = new SystemClock();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TestedApplicationOptions) {
    this.#options = options;
  }

  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    signal.throwIfAborted();
    const begun = this.#real.monotonic();
    const index = this.seen.length;
    const exchange = { at: this.#options.clock.monotonic(), request, realMs: 0 };
    this.seen.push({ ...exchange, status: undefined, error: undefined });
    const note = (outcome: Pick<SeenExchange, 'status' | 'error' | 'body'>) => {
      const realMs = Math.round(this.#real.monotonic() - begun);
      this.seen[index] = { ...exchange, realMs, ...outcome };
    };
    try {
      const response = await this.#answer(request, signal);
      const { status, headers, body } = response;
      const isText = /^(text|application)\//.test(String(headers['content-type'] ?? 'text/'));
      note({ status, error: undefined, ...(isText && { body: body.toString() }) });
      return response;
    } catch (error) {
      note({ status: undefined, error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  async close(): Promise<void> {}

  /**
   * The application as callbacks reach it. Their answers are ignored, so one that goes to nobody who is part of the
   * test is no mistake: it is seen, sent nowhere, and taken.
   */
  get listener(): HttpClient {
    return {
      request: async (request, signal) => {
        if (this.#isAnswered(request)) return await this.request(request, signal);
        const at = this.#options.clock.monotonic();
        this.seen.push({ at, request, realMs: 0, status: undefined, error: 'nobody of this test' });
        return { status: 200, headers: {}, body: Buffer.alloc(0) };
      },
      close: () => this.close(),
    };
  }

  /** Claims that a request there is answered by somebody, in this process or over HTTP. */
  reaches(url: string): boolean {
    const { scripted } = this.#options;
    const get = { url, method: 'GET', headers: {}, connectMs: 0, readMs: 0, maxBytes: 0, sni: true } as const;
    return this.#page(url) !== undefined || scripted?.answers(get) === true || this.#may(url);
  }

  #answer(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const { clock, http, handler, origin, scripted } = this.#options;
    const { url } = request;
    const page = this.#page(url);
    if (page !== undefined) {
      return this.#inTurn(clock.hold(ask(typeof page === 'function' ? page : () => page, request)));
    }
    if (handler && sameOrigin(url, origin)) return this.#inTurn(clock.hold(ask(handler, request)));
    if (scripted?.answers(request)) return scripted.request(request, signal);
    if (this.#may(url)) return this.#inTurn(clock.hold(http.request(request, signal)));
    const { host } = new URL(url);
    const message = `${host} is not the application that is tested, ${origin}`;
    return Promise.reject(new HttpError('outside-of-test', message));
  }

  #isAnswered(request: HttpRequest): boolean {
    const { handler, origin, pages = {}, scripted } = this.#options;
    const { url } = request;
    if (this.#page(url) !== undefined || scripted?.answers(request)) return true;
    if (!sameOrigin(url, origin)) return this.#may(url);
    const isServed = handler !== undefined || isLoopback(new URL(origin).hostname);
    return isServed || !Object.keys(pages).some((page) => sameOrigin(page, origin)); // else pages are all of it
  }

  #page(url: string): Pages[string] | undefined {
    const { pages = {} } = this.#options;
    return pages[bare(url)];
  }

  #may(url: string): boolean {
    const { origin, allowHosts = [] } = this.#options;
    const { host, hostname } = new URL(url);
    return (
      sameOrigin(url, origin) || isLoopback(hostname) || [host, hostname].some((h) => allowHosts.includes(h))
    );
  }

  async #inTurn<T>(answer: Promise<T>): Promise<T> {
    const before = this.#last;
    this.#last = Promise.allSettled([before, answer]);
    await before;
    return answer;
  }
}

async function ask(handler: AppHandler, request: HttpRequest): Promise<HttpResponse> {
  const answer: unknown = await handler(appRequest(request));
  checkedAnswer(answer, request.url);
  const response = await responseOf(answer);
  if (response.body.length <= request.maxBytes) return response;
  const message = `the body is longer than ${request.maxBytes} bytes`;
  throw new HttpError('body-too-large', message, { partial: true });
}

const sameOrigin = (url: string, origin: string) => new URL(url).origin === origin;

/** Without query and fragment. */
function bare(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3. */
function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
