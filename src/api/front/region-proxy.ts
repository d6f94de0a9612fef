import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { Logger } from '../../core/logger.ts';
import type { RegionId } from '../../region/region.ts';
import { sendErrorBody } from './answer-json.ts';
import type { RequestTarget } from './request-target.ts';

/** Longer than any resource takes; after it a Region counts as unavailable. */
const ANSWER_TIMEOUT = 30_000; // our choice

/** Idle connections are dropped before the Region drops them: Node's servers do after 5 s. */
const IDLE_TIMEOUT = 4_000;

/** Headers about one connection, which do not pass through. RFC 9110 §7.6.1 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The way from the front to one Region's service: streams, and knows no credentials. */
export class RegionProxy {
  readonly id: RegionId;
  readonly #base: URL;
  readonly #logger: Logger;
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_TIMEOUT });

  /** @param baseUrl `http://host:port` of the Region's service */
  constructor(id: RegionId, baseUrl: string, logger: Logger) {
    this.id = id;
    this.#base = new URL(baseUrl);
    this.#logger = logger;
    if (this.#base.protocol !== 'http:') {
      throw new Error(`the front reaches Region ${id} over plain HTTP, not at ${baseUrl}`);
    }
  }

  /** Hands a request on and its answer back. A Region that cannot be reached is 503 with code 20503. */
  forward(req: IncomingMessage, res: ServerResponse, target: RequestTarget): void {
    this.#attempt(req, res, target, false);
  }

  /** The Region's own `/healthz`: true when it answers 200 within two seconds. */
  ready(): Promise<boolean> {
    return new Promise((resolve) => {
      const asked = request(
        new URL('/healthz', this.#base),
        { agent: this.#agent, timeout: 2_000 },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode === 200);
        },
      );
      asked.once('timeout', () => asked.destroy());
      asked.once('error', () => resolve(false));
      asked.once('close', () => resolve(false)); // settled already, unless nothing came
      asked.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #attempt(req: IncomingMessage, res: ServerResponse, target: RequestTarget, again: boolean): void {
    const forwarded = request({
      host: this.#base.hostname.replace(/^\[|\]$/g, ''),
      port: this.#base.port || 80,
      method: req.method,
      path: target.path,
      headers: forwardedHeaders(req, target),
      agent: this.#agent,
      timeout: ANSWER_TIMEOUT,
    });
    const fail = (error: Error) => {
      if (res.destroyed || res.writableEnded) return;
      const harmless = req.method === 'GET' || req.method === 'HEAD';
      // An idle connection may have been closed while the request was on its way.
      if (forwarded.reusedSocket && harmless && !again && !res.headersSent && isReset(error)) {
        this.#attempt(req, res, target, true);
        return;
      }
      this.#unavailable(res, error);
    };
    forwarded.once('error', fail);
    forwarded.once('timeout', () => forwarded.destroy(new Error(`no answer for ${ANSWER_TIMEOUT / 1000} s`)));
    forwarded.once('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, withoutHops(answer.headers));
      answer.once('error', fail);
      answer.pipe(res);
    });
    res.once('close', () => forwarded.destroy()); // the client is gone, or everything has been sent
    if (again) forwarded.end();
    else req.pipe(forwarded);
  }

  #unavailable(res: ServerResponse, error: Error): void {
    this.#logger.warn({ region: this.id, err: error }, `Region ${this.id} cannot be reached`);
    if (res.headersSent) {
      res.destroy(); // half an answer must not look like a whole one
      return;
    }
    sendErrorBody(res, 503, 20503, `Region ${this.id} is unavailable: ${error.message}. Try again later.`);
  }
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function forwardedHeaders(req: IncomingMessage, { host }: RequestTarget): IncomingHttpHeaders {
  const before = req.headers['x-forwarded-for'];
  const client = req.socket.remoteAddress ?? 'unknown';
  const headers = withoutHops(req.headers);
  // A length of its own or, as Node adds it again, chunks: either frames the body on this connection.
  if (req.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked';
  if (host !== undefined) headers.host = host; // that of an absolute target in place of the header's
  return { ...headers, 'x-forwarded-for': before ? `${[before].flat().join(', ')}, ${client}` : client };
}

function withoutHops(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  const passing = Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.includes(name));
  return Object.fromEntries(passing);
}
