import { createServer } from 'node:net';
import twilio from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { createWebhookSession, type WebhookSessionOptions } from '../../../src/webhook/client.ts';
import { createHttpClient } from '../../../src/webhook/http-adapter.ts';
import type { HttpClient, WebhookAttempt, WebhookRequest } from '../../../src/webhook/port.ts';
import { ResponseCache } from '../../../src/webhook/response-cache.ts';
import { type SeenRequest, WebhookApp } from '../../support/webhook-app.ts';

const TOKEN = 'the token of ie1';
const PARAMS = { CallSid: 'CA1', From: '+353 1 555', FromCity: '', 'SipHeader_X-Ü': "it's ~ & = %" };
const TWIML = '<Response/>';
const clock = new SystemClock();
const never = new AbortController().signal;

let app: WebhookApp;
let http: HttpClient;

beforeEach(async () => {
  app = await WebhookApp.start();
  http = createHttpClient({ clock, allowPrivate: true });
});

afterEach(async () => {
  for (const request of app.seen) expect(isSigned(request), `${request.method} ${request.url}`).toBe(true);
  await http.close();
  await app.stop();
});

function isSigned({ method, url, headers, form }: SeenRequest): boolean {
  const signature = String(headers['x-twilio-signature']);
  return twilio.validateRequest(TOKEN, signature, url, method === 'POST' ? form : {});
}

function session(options: Partial<WebhookSessionOptions> = {}) {
  return createWebhookSession({
    http,
    clock,
    ids: new RandomIds(),
    authToken: async () => TOKEN,
    ...options,
  });
}

function get(url: string, options: Partial<WebhookRequest> = {}, calls = session()) {
  return calls.fetch({ url, method: 'POST', params: PARAMS, purpose: 'document', ...options }, never);
}

async function code(url: string, options: Partial<WebhookRequest> = {}): Promise<number | 'ok'> {
  const result = await get(url, options);
  return result.ok ? 'ok' : result.diagnostic.code;
}

describe('a request', () => {
  it('posts the form with the documented headers', async () => {
    const url = app.on('/voice', { body: TWIML });
    const result = await get(`${url}?a=1#ct=10000`);
    expect(result).toMatchObject({
      ok: true,
      response: { url: `${url}?a=1`, status: 200, contentType: 'text/xml', body: Buffer.from(TWIML) },
      attempts: [{ url: `${url}?a=1`, method: 'POST', attempt: 1, status: 200, bytes: TWIML.length }],
    });
    const [request] = app.seen;
    expect(request).toMatchObject({ method: 'POST', path: '/voice?a=1', form: PARAMS });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'user-agent': 'TwilioProxy/1.1',
      accept: '*/*',
      'i-twilio-idempotency-token': expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(request?.headers.authorization).toBeUndefined();
  });

  it.each([
    ['/voice', '/voice?'],
    ['/voice?a=1', '/voice?a=1&'],
    ['/voice?', '/voice?'],
    ['/voice?a=1&', '/voice?a=1&'],
  ])('GET %s carries its parameters in the query', async (path, start) => {
    app.on('/voice', { body: TWIML });
    const result = await get(app.url(path), { method: 'GET' });
    expect(app.seen[0]).toMatchObject({ method: 'GET', body: '' });
    expect(app.seen[0]?.path.startsWith(`${start}CallSid=CA1&From=%2B353+1+555&FromCity=&`)).toBe(true);
    // The URL relative to which the document is read, and which is asked for again, has no parameters of ours.
    expect(result).toMatchObject({ ok: true, response: { url: app.url(path) } });
  });

  it('uses connections again', async () => {
    const url = app.on('/voice', { body: TWIML });
    for (let i = 0; i < 20; i += 1) await get(url);
    // A request made the moment a response ends finds its connection still busy, hence a second one.
    expect(app.accepted).toBeLessThanOrEqual(2);
  });

  it.each([
    'not a url',
    '/relative',
    'ftp://example.com/',
    'http://',
    'http://my_app.example.com/',
    'javascript:alert(1)',
  ])('to %s is 11100', async (url) => {
    expect(await code(url)).toBe(11100);
  });

  it('with a bad edge or retry policy is refused, with an odd key it is made', async () => {
    const url = app.on('/voice', { body: TWIML });
    expect(await code(`${url}#e=mars`)).toBe(11240);
    expect(await code(`${url}#e=tokyo-ix`)).toBe(11241);
    expect(await code(`${url}#rp=never`)).toBe(11243);
    expect(app.seen).toHaveLength(0);
    const warnings: number[] = [];
    const calls = session({ onWarning: (warning) => warnings.push(warning.code) });
    expect(await get(`${url}#color=red`, {}, calls)).toMatchObject({ ok: true });
    expect(warnings).toEqual([11100]);
  });
});

describe('an answer', () => {
  it.each([
    [400, 11200],
    [404, 11200],
    [500, 11200],
    [503, 11200],
    [304, 11200],
  ])('with status %i is %i', async (status, expected) => {
    expect(await code(app.on('/voice', { status, body: TWIML }))).toBe(expected);
  });

  it('may be 64 KB and not a byte more', async () => {
    expect(await code(app.on('/fits', { size: 65_536 }))).toBe('ok');
    expect(await code(app.on('/large', { size: 65_537 }))).toBe(11750);
    expect(await code(app.url('/large'), { purpose: 'status-callback' })).toBe(11200);
  });

  it('may be binary', async () => {
    const body = Buffer.from([0, 255, 128, 10, 13]);
    const url = app.on('/audio', { body, headers: { 'content-type': 'Audio/WAV; rate=8000' } });
    expect(await get(url)).toMatchObject({ ok: true, response: { body, contentType: 'audio/wav' } });
  });

  it('without content type says so with an empty one', async () => {
    const raw = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    expect(await get(app.on('/bare', { raw }))).toMatchObject({ ok: true, response: { contentType: '' } });
  });

  it('that is empty and chunked is 11770, for documents', async () => {
    const raw = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    const url = app.on('/empty', { raw });
    expect(await code(url)).toBe(11770);
    expect(await code(url, { purpose: 'status-callback' })).toBe('ok');
  });

  it('that is compressed, unasked, is 12300 where its content matters', async () => {
    const url = app.on('/gzip', { body: 'x', headers: { 'content-encoding': 'gzip' } });
    expect(await code(url)).toBe(12300);
    expect(await code(url, { purpose: 'status-callback' })).toBe('ok');
    expect(await code(app.on('/plain', { body: 'x', headers: { 'content-encoding': 'identity' } }))).toBe(
      'ok',
    );
  });

  it('that is no HTTP is 11206', async () => {
    expect(await code(app.on('/ftp', { raw: '220 ready\r\n' }))).toBe(11206);
  });

  it('that breaks off is 11206 and never retried', async () => {
    expect(await code(`${app.on('/cut', { body: TWIML, close: 'mid-body' })}#rp=all&rc=5`)).toBe(11206);
    expect(app.seen).toHaveLength(1);
  });

  it('after informational ones is the final one', async () => {
    const raw = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
    expect(await get(app.on('/hints', { raw }))).toMatchObject({ ok: true, response: { status: 200 } });
  });
});

describe('deadlines', () => {
  it('rt ends the wait for the first byte', async () => {
    const result = await get(`${app.on('/hang', { hang: true })}#rt=150`);
    expect(result).toMatchObject({ ok: false, diagnostic: { code: 11200, actual: 'read-timeout' } });
    expect(result.attempts[0]?.ms).toBeGreaterThanOrEqual(149);
    expect(result.attempts[0]?.ms).toBeLessThan(10_000); // the default is 15 s
  });

  it('rt ends a stalled body', async () => {
    const url = app.on('/stall', { body: TWIML, drip: { pieces: 2, everyMs: 60_000 } });
    const result = await get(`${url}#rt=1000&rp=all&rc=5`);
    expect(result).toMatchObject({ ok: false, diagnostic: { code: 11200, actual: 'read-timeout' } });
    expect(app.seen).toHaveLength(1);
  });

  it('tt cuts a drip that keeps rt happy, with 11203', async () => {
    const url = app.on('/drip', { size: 60_000, drip: { pieces: 1_000, everyMs: 20 } });
    const started = clock.monotonic();
    expect(await code(`${url}#tt=300`)).toBe(11203);
    const took = clock.monotonic() - started;
    expect(took).toBeGreaterThanOrEqual(299);
    expect(took).toBeLessThan(10_000); // all of it takes twenty seconds
  });

  it('the default total is 11200', async () => {
    const url = app.on('/drip', { size: 60_000, drip: { pieces: 1_000, everyMs: 20 } });
    expect(await get(url, {}, session({ totalMs: 200 }))).toMatchObject({
      ok: false,
      diagnostic: { code: 11200 },
      attempts: [{ errorCode: 11200 }],
    });
  });

  it('tt counts retries and redirects together', async () => {
    const url = app.on('/slow', { delayMs: 120, redirect: '/slow' });
    expect(await code(`${url}#tt=300`)).toBe(11203);
    expect(app.seen.length).toBeLessThanOrEqual(3);
  });

  it('ct ends the wait for a connection, after the retry', async () => {
    // A full backlog answers no SYN; loopback has no other address that is silent.
    const result = await get('http://10.255.255.1:81/#ct=150', {}, session({ http: silentHttp() }));
    expect(result).toMatchObject({ ok: false, diagnostic: { code: 11201 } });
    expect(result.attempts).toHaveLength(2);
    expect(result.attempts.every(({ ms }) => ms >= 149 && ms < 4_500)).toBe(true);
  });
});

/** Never resolves a name, so a connection is never made. */
function silentHttp(): HttpClient {
  const client = createHttpClient({ clock, allowPrivate: true, lookup: () => {} });
  return {
    request: (request, signal) => client.request({ ...request, url: 'http://silent.test/' }, signal),
    close: () => client.close(),
  };
}

describe('connection failures', () => {
  it('refused is 11202, after the retry', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      }),
    );
    await new Promise((resolve) => server.close(resolve));
    const result = await get(`http://127.0.0.1:${port}/`);
    expect(result).toMatchObject({ ok: false, diagnostic: { code: 11202 } });
    expect(result.attempts).toMatchObject([{ errorCode: 11202 }, { errorCode: 11202 }]);
  });

  it('an unknown host is 11210', async () => {
    const missing = Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    const client = createHttpClient({
      clock,
      allowPrivate: true,
      lookup: (_host, _options, callback) => callback(missing, ''),
    });
    expect(await get('http://nowhere.invalid/', {}, session({ http: client }))).toMatchObject({
      diagnostic: { code: 11210 },
      attempts: [{ errorCode: 11210 }],
    });
    await client.close();
  });

  it('a connection closed without an answer is made again', async () => {
    const url = app.on('/flaky', (_, nth) => (nth === 1 ? { close: 'before' } : { body: TWIML }));
    expect(await get(url)).toMatchObject({ ok: true, attempts: [{ errorCode: 11205 }, { status: 200 }] });
    expect(await code(app.on('/dead', { close: 'before' }))).toBe(11205);
  });
});

describe('retries', () => {
  it.each([
    ['', 503, 1],
    ['rp=5xx', 503, 2],
    ['rp=5xx&rc=3', 503, 4],
    ['rp=4xx&rc=3', 503, 1],
    ['rp=4xx,5xx&rc=0', 503, 1],
    ['rp=4xx', 404, 2],
    ['rp=all&rc=2', 404, 3],
  ])('#%s asks for a %i %i time(s)', async (fragment, status, times) => {
    expect(await code(`${app.on('/voice', { status })}#${fragment}`)).toBe(11200);
    expect(app.seen).toHaveLength(times);
  });

  it('rt retries read timeouts', async () => {
    const url = app.on('/slow', (_, nth) => (nth === 1 ? { hang: true } : { body: TWIML }));
    expect(await code(`${url}#rt=1000&rp=rt`)).toBe('ok'); // as long may the answer take
  });

  it('carry the idempotency token that was given', async () => {
    const idempotencyToken = 'ab'.repeat(16);
    await get(app.on('/voice', { body: TWIML }), { idempotencyToken });
    expect(app.seen[0]?.headers['i-twilio-idempotency-token']).toBe(idempotencyToken);
  });

  it('carry the same idempotency token, another request another one', async () => {
    const url = app.on('/voice', { status: 500 });
    const calls = session();
    await get(`${url}#rp=5xx&rc=2`, {}, calls);
    await get(url, {}, calls);
    const tokens = app.seen.map(({ headers }) => headers['i-twilio-idempotency-token']);
    expect(tokens).toHaveLength(4);
    expect(new Set(tokens.slice(0, 3)).size).toBe(1);
    expect(tokens[3]).not.toBe(tokens[0]);
  });

  it('take turns with the edges', async () => {
    const attempts: WebhookAttempt[] = [];
    const calls = session({ onAttempt: (attempt) => attempts.push(attempt) });
    await get(`${app.on('/voice', { status: 500 })}#rp=5xx&rc=2&e=dublin,tokyo`, {}, calls);
    expect(attempts.map(({ edge }) => edge)).toEqual(['dublin', 'tokyo', 'dublin']);
  });
});

describe('redirects', () => {
  it.each([
    [301, 'GET'],
    [302, 'GET'],
    [303, 'GET'],
    [307, 'POST'],
    [308, 'POST'],
  ])('with %i continue as %s', async (status, method) => {
    app.on('/to', { body: TWIML });
    const result = await get(app.on('/from', { status, redirect: 'to?x=1' }));
    expect(result).toMatchObject({ ok: true, response: { url: app.url('/to?x=1') } });
    expect(app.seen[1]).toMatchObject({ method, form: method === 'GET' ? {} : PARAMS });
  });

  it('are followed ten times', async () => {
    const url = app.on('/hop', (_, nth) => (nth <= 10 ? { redirect: '/hop' } : { body: TWIML }));
    expect(await code(url)).toBe('ok');
    expect(app.seen).toHaveLength(11);
    expect(await code(app.on('/loop', { redirect: '/loop' }))).toBe(11215);
    expect(app.seen).toHaveLength(22);
  });

  it.each(['', 'http://', 'ftp://example.com/'])('to "%s" are 11216', async (redirect) => {
    expect(await code(app.on('/from', { redirect }))).toBe(11216);
  });
});

describe('what a call remembers', () => {
  it('cookies, also those of a redirect, for this call only', async () => {
    app.on('/in', { redirect: '/out', cookies: ['sid=42; Path=/; HttpOnly', 'bad=1; Domain=example.org'] });
    app.on('/out', { body: TWIML, cookies: ['step=2'] });
    const calls = session();
    await get(app.url('/in'), {}, calls);
    await get(app.url('/out'), {}, calls);
    await get(app.url('/out'));
    expect(app.seen.map(({ headers }) => headers.cookie)).toEqual([
      undefined,
      'sid=42',
      'sid=42; step=2',
      undefined,
    ]);
  });

  it('a log-in, given only when asked for it', async () => {
    const expected = `Basic ${Buffer.from('us er:p@ss').toString('base64')}`;
    const url = app.on('/private', ({ headers }) =>
      headers.authorization === expected
        ? { body: TWIML }
        : { status: 401, headers: { 'www-authenticate': 'Basic realm="app"' } },
    );
    const calls = session();
    const withUser = url.replace('http://', 'http://us%20er:p%40ss@');
    expect(await get(withUser, {}, calls)).toMatchObject({ ok: true, response: { url } });
    expect(await get(url, {}, calls)).toMatchObject({ ok: true });
    expect(app.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, expected, expected]);
    expect(await code(url)).toBe(11200);
    expect(await code(url.replace('http://', 'http://who:wrong@'))).toBe(11200);
    expect(app.seen).toHaveLength(6);
  });
});

describe('the cache', () => {
  it('asks again with the validators and uses what it has on 304', async () => {
    const url = app.on('/doc', ({ headers }) =>
      headers['if-none-match'] === '"v1"' ? { status: 304 } : { body: TWIML, headers: { etag: '"v1"' } },
    );
    const cache = new ResponseCache({ maxBytes: 1_000_000 });
    for (let i = 0; i < 2; i += 1)
      expect(await get(url, { method: 'GET', params: {} }, session({ cache }))).toMatchObject({
        ok: true,
        response: { status: 200, contentType: 'text/xml', body: Buffer.from(TWIML) },
        attempts: [{ status: i === 0 ? 200 : 304 }],
      });
  });

  it('never holds a POST', async () => {
    const cache = new ResponseCache({ maxBytes: 1_000_000 });
    await get(app.on('/doc', { body: TWIML, headers: { etag: '"v1"' } }), {}, session({ cache }));
    expect(cache.size).toBe(0);
  });
});

describe('an abort', () => {
  it('rejects with its reason and closes the connection', async () => {
    const controller = new AbortController();
    const url = app.on('/hang', { hang: true });
    const fetching = session().fetch(
      { url, method: 'POST', params: {}, purpose: 'document' },
      controller.signal,
    );
    await app.received(1);
    const reason = new Error('the caller hung up');
    controller.abort(reason);
    await expect(fetching).rejects.toBe(reason);
    await expect.poll(() => app.connections).toBe(0);
    await expect(
      session().fetch({ url, method: 'POST', params: {}, purpose: 'document' }, controller.signal),
    ).rejects.toBe(reason);
    expect(app.seen).toHaveLength(1);
  });
});
