import type { Agent, Dispatcher } from 'undici';
import type { Clock, Timer } from '../core/clock.ts';
import { classify, type Phase } from './http-failure.ts';
import { HttpError, type HttpRequest, type HttpResponse } from './port.ts';

/** Sends one request over a pooled connection and gathers its response. Rejects as `HttpClient.request` does. */
export function exchange(
  agent: Agent,
  clock: Clock,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    new Exchange(clock, request, signal, resolve, reject).start(agent);
  });
}

/**
 * One request as undici's dispatcher sees it. The deadlines are ours because undici's timers tick every half
 * second: one timer follows the phase (connect, then from byte to byte) and is re-armed only when it fires.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #clock: Clock;
  readonly #request: HttpRequest;
  readonly #signal: AbortSignal;
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #chunks: Buffer[] = [];
  #phase: Phase = 'connecting';
  #settled = false;
  #controller: Dispatcher.DispatchController | undefined;
  #deadline = 0;
  #timer: Timer | undefined;
  #status = 0;
  #headers: HttpResponse['headers'] = {};
  #bytes = 0;

  constructor(
    clock: Clock,
    request: HttpRequest,
    signal: AbortSignal,
    resolve: (response: HttpResponse) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#clock = clock;
    this.#request = request;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(agent: Agent): void {
    const { url, method, headers, body = null, connectMs } = this.#request;
    const { origin, pathname, search } = new URL(url);
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#deadline = this.#clock.monotonic() + connectMs;
    this.#arm(connectMs);
    agent.dispatch({ origin, path: pathname + search, method, headers: { ...headers }, body }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) {
      // Given up while connecting: the connection stays, the request is not sent.
      controller.abort(new Error('the request was given up'));
      return;
    }
    this.#phase = 'waiting';
    this.#extend();
    if (this.#request.readMs < this.#request.connectMs) this.#arm(this.#request.readMs);
  }

  onResponseStart(_controller: unknown, status: number, headers: Record<string, unknown>): void {
    this.#extend();
    if (status < 200) return; // informational
    this.#phase = 'receiving';
    this.#status = status;
    this.#headers = textHeaders(headers);
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#extend();
    this.#bytes += chunk.length;
    if (this.#bytes <= this.#request.maxBytes) this.#chunks.push(chunk);
    else this.#giveUp('body-too-large', `the body is larger than ${this.#request.maxBytes} bytes`);
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#settle()) this.#reject(classify(error, this.#phase, this.#request.url));
  }

  #onAbort = () => {
    if (!this.#settle()) return;
    this.#reject(this.#signal.reason);
    this.#controller?.abort(new Error('the request was aborted'));
  };

  #extend(): void {
    this.#deadline = this.#clock.monotonic() + this.#request.readMs;
  }

  #arm(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(ms, () => {
      const left = this.#deadline - this.#clock.monotonic();
      if (left > 0) return this.#arm(Math.ceil(left));
      const { connectMs, readMs } = this.#request;
      if (this.#phase === 'connecting')
        this.#giveUp('connect-timeout', `no connection within ${connectMs} ms`);
      else if (this.#phase === 'waiting') this.#giveUp('read-timeout', `no answer within ${readMs} ms`);
      else this.#giveUp('read-timeout', `the response stalled for ${readMs} ms`);
    });
  }

  #giveUp(failure: HttpError['failure'], message: string): void {
    if (!this.#settle()) return;
    const error = new HttpError(failure, message, { partial: this.#phase === 'receiving' });
    this.#reject(error);
    this.#controller?.abort(error);
  }

  /** Ends everything that waits; false when that was done before. */
  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#timer?.cancel();
    this.#signal.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

function textHeaders(headers: Record<string, unknown>): HttpResponse['headers'] {
  const result: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') result[name] = value;
    else if (Array.isArray(value)) result[name] = value.map(String);
  }
  return result;
}
