import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { until } from './until.ts';

/** A request as the application saw it. */
export interface SeenRequest {
  readonly method: string;
  /** As an application behind no proxy rebuilds it: scheme, Host header, path and query. */
  readonly url: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The form or, for GET, nothing. */
  readonly form: Record<string, string>;
}

/** What the application does with one request; fields combine. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string | readonly string[]>;
  /** Sent as text/xml unless `headers` say otherwise. */
  readonly body?: string | Buffer;
  readonly delayMs?: number;
  /** Sends the body one piece at a time. */
  readonly drip?: { readonly pieces: number; readonly everyMs: number };
  /** Body of this many bytes in place of `body`. */
  readonly size?: number;
  readonly redirect?: string;
  readonly cookies?: readonly string[];
  /** Never answers. */
  readonly hang?: true;
  /** Closes the connection: before the answer or in the middle of the body. */
  readonly close?: 'before' | 'mid-body';
  /** Writes these bytes on the connection as they are. */
  readonly raw?: string;
}

export type Script = Reply | ((request: SeenRequest, nth: number) => Reply);

/** A customer's application on a real socket: scripted by path, remembers everything it was asked. */
export class WebhookApp {
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  readonly #scripts = new Map<string, Script>();
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #accepted = 0;

  constructor(tls?: ServerOptions) {
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => this.#answer(request, response, body));
    };
    this.#scheme = tls ? 'https' : 'http';
    this.#server = tls ? createTlsServer(tls, handle) : createServer(handle);
    this.#server.on('connection', (socket) => {
      this.#accepted += 1;
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy()); // clients give up on purpose here
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(tls?: ServerOptions): Promise<WebhookApp> {
    const app = new WebhookApp(tls);
    await new Promise<void>((resolve) => app.#server.listen(0, '127.0.0.1', resolve));
    return app;
  }

  get port(): number {
    const address = this.#server.address();
    if (!isAddress(address)) throw new Error('the application does not listen');
    return address.port;
  }

  /** Connections open at the moment. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Connections ever accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  url(path = '/', host = '127.0.0.1'): string {
    return `${this.#scheme}://${host}:${this.port}${path}`;
  }

  /** Says what `path` (without query) answers from now on, and gives its URL. */
  on(path: string, script: Script): string {
    this.#scripts.set(path, script);
    return this.url(path);
  }

  /** Waits until `count` requests have been seen. */
  async received(count: number): Promise<void> {
    await until(`${count} requests`, () => this.seen.length >= count);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const { method = '', url: path = '', headers } = request;
    const form = Object.fromEntries(new URLSearchParams(body));
    const url = `${this.#scheme}://${headers.host}${path}`;
    const seen = { method, url, path, headers, body, form };
    const [name = ''] = path.split('?');
    const nth = this.seen.filter((earlier) => earlier.path.split('?')[0] === name).length + 1;
    this.seen.push(seen);
    const script = this.#scripts.get(name) ?? { status: 404, body: 'no such path' };
    const reply = typeof script === 'function' ? script(seen, nth) : script;
    if (reply.delayMs === undefined) this.#send(reply, request, response);
    else this.#later(reply.delayMs, () => this.#send(reply, request, response));
  }

  #send(reply: Reply, request: IncomingMessage, response: ServerResponse): void {
    if (reply.hang) return;
    if (reply.close === 'before') {
      request.socket.destroy();
      return;
    }
    if (reply.raw !== undefined) {
      request.socket.end(reply.raw);
      return;
    }
    const body = Buffer.from(reply.size === undefined ? (reply.body ?? '') : 'x'.repeat(reply.size));
    if (reply.cookies) response.setHeader('set-cookie', reply.cookies);
    if (reply.redirect !== undefined) response.setHeader('location', reply.redirect);
    if (body.length > 0) response.setHeader('content-type', 'text/xml');
    for (const [header, value] of Object.entries(reply.headers ?? {})) response.setHeader(header, value);
    response.statusCode = reply.status ?? (reply.redirect === undefined ? 200 : 302);
    if (reply.close === 'mid-body') {
      response.setHeader('content-length', body.length + 100);
      response.write(body, () => request.socket.destroy());
    } else if (reply.drip) this.#drip(reply.drip, body, response);
    else response.end(body);
  }

  #drip(drip: { pieces: number; everyMs: number }, body: Buffer, response: ServerResponse): void {
    const length = Math.ceil(body.length / drip.pieces);
    let sent = 0;
    const next = () => {
      if (sent >= drip.pieces || response.destroyed) {
        clearInterval(timer);
        this.#timers.delete(timer);
        response.end();
        return;
      }
      response.write(body.subarray(sent * length, (sent + 1) * length));
      sent += 1;
    };
    const timer = setInterval(next, drip.everyMs);
    this.#timers.add(timer);
    next();
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
