import { type Clock, sleep } from '../core/clock.ts';
import {
  type HttpClient,
  HttpError,
  type HttpFailure,
  type HttpRequest,
  type HttpResponse,
} from '../webhook/port.ts';
import type { Scenario, ScriptedAnswer } from './scenario.ts';
import { simulatedAudio } from './simulated-audio.ts';

/** A request as the application saw it, at this many milliseconds since the start. */
export interface SeenRequest {
  readonly at: number;
  readonly request: HttpRequest;
}

/** The application of a scenario, behind the port that live requests go out through. */
export class ScriptedHttp implements HttpClient {
  readonly seen: SeenRequest[] = [];
  readonly #files: ReadonlyMap<string, Buffer>;
  readonly #webhooks: Scenario['webhooks'];
  readonly #clock: Clock;
  readonly #waiting = new Set<HttpRequest>();
  /** How often each entry of the scenario has answered. */
  readonly #used = new Map<Scenario['webhooks'][number], number>();

  /** `files`: what the answers name, read before. */
  constructor(files: ReadonlyMap<string, Buffer>, webhooks: Scenario['webhooks'], clock: Clock) {
    this.#files = files;
    this.#webhooks = webhooks;
    this.#clock = clock;
  }

  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    signal.throwIfAborted();
    this.seen.push({ at: this.#clock.monotonic(), request });
    this.#waiting.add(request);
    try {
      return await this.#reply(request, signal);
    } finally {
      this.#waiting.delete(request);
    }
  }

  /** Requests that have no answer yet. */
  get waiting(): readonly string[] {
    return [...this.#waiting].map(({ method, url }) => `${method} ${url}`);
  }

  async #reply(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const answer = this.#answerTo(request);
    if (answer === 'unauthorized') {
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="app"' }, body: Buffer.alloc(0) };
    }
    if (!answer) throw new HttpError('dns', `the scenario answers nothing at ${request.url}`);
    if (answer.fail) return await this.#fail(answer.fail, request, signal);
    const response = this.#respond(answer);
    await this.#deliver(answer, request, response, signal);
    return response;
  }

  async close(): Promise<void> {}

  /**
   * The application as callbacks reach it: their answers are ignored, so one that the scenario says nothing of is taken.
   */
  get listener(): HttpClient {
    return {
      request: (request, signal) => {
        if (this.answers(request)) return this.request(request, signal);
        this.seen.push({ at: this.#clock.monotonic(), request });
        return Promise.resolve({ status: 200, headers: {}, body: Buffer.alloc(0) });
      },
      close: () => this.close(),
    };
  }

  /** Webhooks of the scenario that were never requested: most likely a mistake in it. */
  get unused(): readonly string[] {
    return this.#webhooks.filter((webhook) => !this.#used.has(webhook)).map(nameOf);
  }

  /** Claims that an entry of the scenario is about such a request. */
  answers(request: HttpRequest): boolean {
    return this.#webhooks.some((webhook) => fits(webhook, request));
  }

  #answerTo(request: HttpRequest): ScriptedAnswer | 'unauthorized' | undefined {
    const webhook = this.#webhooks.find((candidate) => fits(candidate, request));
    if (!webhook) return undefined;
    const { login } = webhook;
    if (login !== undefined) {
      const wanted = `Basic ${Buffer.from(login).toString('base64')}`;
      if (request.headers['authorization'] !== wanted) return 'unauthorized';
    }
    const turn = this.#used.get(webhook) ?? 0;
    this.#used.set(webhook, turn + 1);
    return webhook.answers[Math.min(turn, webhook.answers.length - 1)];
  }

  async #fail(failure: HttpFailure, request: HttpRequest, signal: AbortSignal): Promise<never> {
    if (failure === 'connect-timeout')
      await sleep(this.#clock, request.connectMs, signal, `a connection to ${request.url}`);
    throw new HttpError(failure, `${failure} (simulated)`);
  }

  #respond(answer: ScriptedAnswer): HttpResponse {
    const { redirect, status = redirect === undefined ? 200 : 302, headers = {} } = answer;
    const { body, type } = this.#content(answer);
    const contentType = answer.type ?? type;
    return {
      status,
      headers: {
        ...(contentType !== '' && { 'content-type': contentType }),
        ...(redirect !== undefined && { location: redirect }),
        ...headers,
      },
      body,
    };
  }

  #content(answer: ScriptedAnswer): { readonly body: Buffer; readonly type: string } {
    const { file, body, bytes, audio } = answer;
    const content = file === undefined ? undefined : this.#files.get(file);
    if (content) return { body: content, type: 'text/xml' };
    if (body !== undefined) return { body: Buffer.from(body), type: 'text/xml' };
    if (audio !== undefined) return { body: simulatedAudio(audio), type: 'audio/wav' };
    if (bytes === undefined) return { body: Buffer.alloc(0), type: '' };
    return { body: Buffer.from('<Response></Response>'.padEnd(bytes)), type: 'text/xml' };
  }

  /** Takes the time the answer takes, and breaks off where the client's limits do. */
  async #deliver(
    answer: ScriptedAnswer,
    request: HttpRequest,
    { body }: HttpResponse,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#wait(answer.delay ?? 0, request.readMs, false, signal);
    for (let piece = 1; piece < (answer.drip?.pieces ?? 1); piece++) {
      await this.#wait(answer.drip?.every ?? 0, request.readMs, true, signal);
    }
    if (body.length <= request.maxBytes) return;
    const message = `the body is longer than ${request.maxBytes} bytes`;
    throw new HttpError('body-too-large', message, { partial: true });
  }

  async #wait(ms: number, limit: number, partial: boolean, signal: AbortSignal): Promise<void> {
    await sleep(this.#clock, Math.min(ms, limit), signal, 'the answer of a webhook');
    if (ms >= limit) throw new HttpError('read-timeout', `nothing arrived for ${limit} ms`, { partial });
  }
}

function fits({ url, method, when }: Scenario['webhooks'][number], request: HttpRequest): boolean {
  if (method !== undefined && method !== request.method) return false;
  const bare = new URL(request.url);
  const query = new URLSearchParams(bare.search); // the URL's own would be emptied with it
  bare.search = '';
  if (url !== bare.href) return false;
  if (when === undefined) return true;
  const form = new URLSearchParams(request.body ?? '');
  return Object.entries(when).every(([name, value]) => (form.get(name) ?? query.get(name)) === value);
}

function nameOf({ url, when = {} }: Scenario['webhooks'][number]): string {
  const wanted = Object.entries(when).map(([name, value]) => `${name}=${value}`);
  return wanted.length === 0 ? url : `${url} when ${wanted.join(' and ')}`;
}
