import type { LookupFunction } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.ts';
import { createHttpClient, type HttpClientOptions } from '../../../src/webhook/http-adapter.ts';
import type { HttpClient, HttpRequest } from '../../../src/webhook/port.ts';
import { WebhookApp } from '../../support/webhook-app.ts';
import {
  EXPIRED_CERTIFICATE,
  TEST_AUTHORITY,
  TEST_CERTIFICATE,
  TEST_SERVER_KEY,
} from '../../support/webhook-certificates.ts';

const clock = new SystemClock();
const never = new AbortController().signal;
const opened: { stop(): Promise<void> }[] = [];

/** Every name is this machine. */
const here: LookupFunction = (_host, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

function client(options: Partial<HttpClientOptions> = {}): HttpClient {
  const http = createHttpClient({ clock, allowPrivate: true, lookup: here, ...options });
  opened.push({ stop: () => http.close() });
  return http;
}

async function application(...tls: Parameters<typeof WebhookApp.start>): Promise<WebhookApp> {
  const app = await WebhookApp.start(...tls);
  opened.push(app);
  app.on('/', { body: 'hello' });
  return app;
}

function request(url: string, options: Partial<HttpRequest> = {}): HttpRequest {
  return {
    url,
    method: 'GET',
    headers: {},
    connectMs: 20_000,
    readMs: 20_000,
    maxBytes: 1_000,
    sni: true,
    ...options,
  };
}

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.stop();
});

describe('TLS', () => {
  const key = TEST_SERVER_KEY;
  const valid = { key, cert: TEST_CERTIFICATE };

  it('accepts a certificate of a trusted authority for the host', async () => {
    const app = await application(valid);
    for (const sni of [true, false])
      expect(
        await client({ ca: TEST_AUTHORITY }).request(request(app.url('/', 'app.test'), { sni }), never),
      ).toMatchObject({ status: 200 });
  });

  it.each([
    ['tls-host', valid, 'other.test', TEST_AUTHORITY],
    ['tls-expired', { key, cert: EXPIRED_CERTIFICATE }, 'app.test', TEST_AUTHORITY],
    ['tls-untrusted', valid, 'app.test', undefined],
  ])('refuses with %s', async (failure, tls, host, ca) => {
    const app = await application(tls);
    for (const sni of [true, false])
      await expect(
        client(ca === undefined ? {} : { ca }).request(request(app.url('/', host), { sni }), never),
      ).rejects.toMatchObject({ failure, partial: false });
    expect(app.seen).toHaveLength(0);
  });

  it('calls a port without TLS tls-handshake', async () => {
    const app = await application();
    await expect(client().request(request(`https://127.0.0.1:${app.port}/`), never)).rejects.toMatchObject({
      failure: 'tls-handshake',
    });
  });

  it.each([
    [true, 'app.test'],
    [false, false],
  ])('with sni %s tells the server %s', async (sni, expected) => {
    const asked: unknown[] = [];
    const server = createTlsServer(valid, (socket: TLSSocket) => {
      asked.push(socket.servername);
      opened.push({ stop: async () => void socket.destroy() });
      socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({ stop: () => new Promise((resolve) => server.close(() => resolve())) });
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await client({ ca: TEST_AUTHORITY }).request(request(`https://app.test:${port}/`, { sni }), never);
    expect(asked).toEqual([expected]);
  });
});

describe('private addresses, when they are refused', () => {
  let app: WebhookApp;
  beforeEach(async () => {
    app = await application();
  });

  it.each(['127.0.0.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', 'rebound.test'])('%s', async (host) => {
    await expect(
      client({ allowPrivate: false }).request(request(app.url('/', host)), never),
    ).rejects.toMatchObject({ failure: 'forbidden-address' });
    expect(app.accepted).toBe(0);
  });

  it('but a name is reached when they are allowed', async () => {
    expect(await client().request(request(app.url('/', 'rebound.test')), never)).toMatchObject({
      status: 200,
    });
  });
});

describe('deadlines and limits', () => {
  it('an announced or endless body beyond the limit ends the request', async () => {
    const app = await application();
    app.on('/endless', { size: 5_000_000, drip: { pieces: 5_000, everyMs: 1 } });
    await expect(client().request(request(app.url('/endless')), never)).rejects.toMatchObject({
      failure: 'body-too-large',
    });
    await expect.poll(() => app.connections).toBe(0);
  });

  it('a request given up while connecting is not sent when the connection comes', async () => {
    const app = await application();
    let connect: (() => void) | undefined;
    const late: LookupFunction = (host, options, callback) => {
      if (connect) here(host, options, callback);
      else connect = () => here(host, options, callback);
    };
    const http = client({ lookup: late });
    await expect(
      http.request(request(app.url('/', 'late.test'), { connectMs: 50 }), never),
    ).rejects.toMatchObject({ failure: 'connect-timeout' });
    connect?.();
    await expect.poll(() => app.accepted).toBe(1);
    expect(await http.request(request(app.url('/', 'late.test')), never)).toMatchObject({ status: 200 });
    expect(app.seen).toHaveLength(1);
  });

  it('keeps the lines of Set-Cookie apart', async () => {
    const app = await application();
    app.on('/', { cookies: ['a=1', 'b=2'] });
    const { headers } = await client().request(request(app.url()), never);
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });
});
