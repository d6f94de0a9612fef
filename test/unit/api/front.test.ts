import { request as httpRequest, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import request from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import { type Front, type FrontOptions, frontApp } from '../../../src/api/front/front-app.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RegionId } from '../../../src/region/region.ts';
import { type Listening, listen } from '../../support/listen.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** Answers with its own name and what it received. */
function echo(id: string): RequestListener {
  return (req, res) => {
    text(req).then(
      (body) => {
        const { method, url, headers } = req;
        res.setHeader('Content-Type', 'application/json');
        res.end(JSON.stringify({ id, method, url, headers, body }));
      },
      () => res.destroy(),
    );
  };
}

async function upstream(listener: RequestListener): Promise<Listening> {
  const listening = await listen(listener);
  opened.push(listening);
  return listening;
}

async function front(
  regions: Partial<Record<RegionId, RequestListener>> = {
    us1: echo('us1'),
    ie1: echo('ie1'),
    au1: echo('au1'),
  },
  changes: Partial<FrontOptions> = {},
): Promise<Listening> {
  const running: { id: RegionId; baseUrl: string }[] = [];
  for (const id of ['us1', 'ie1', 'au1'] as const) {
    const listener = regions[id];
    if (listener) running.push({ id, baseUrl: (await upstream(listener)).url });
  }
  const app: Front = frontApp({
    regions: running,
    domain: 'trunkline.localhost',
    ready: async () => true,
    metrics: { contentType: 'text/plain', metrics: async () => 'front 1\n' },
    logger: silentLogger,
    ...changes,
  });
  opened.push(app);
  return upstream(app.listener);
}

describe('the Host decides', () => {
  it.each([
    ['api.trunkline.localhost', 'us1'],
    ['127.0.0.1', 'us1'],
    ['api.us1.trunkline.localhost', 'us1'],
    ['api.dublin.ie1.trunkline.localhost', 'ie1'],
    ['routes.sydney.au1.twilio.com', 'au1'],
    ['trunking.dublin.ie1.twilio.com', 'ie1'],
  ])('%s: %s', async (host, region) => {
    const { server } = await front();
    const { body } = await request(server).get('/v2/PhoneNumbers/+1?a=b%20c').set('Host', host);
    expect(body).toMatchObject({ id: region, method: 'GET', url: '/v2/PhoneNumbers/+1?a=b%20c' });
    expect(body.headers.host).toBe(host);
  });

  it('refuses a retired host without asking any Region', async () => {
    let asked = 0;
    const count: RequestListener = (_req, res) => {
      asked++;
      res.end();
    };
    const { server } = await front({ us1: count, ie1: count });
    for (const host of ['api.ie1.twilio.com', 'api.de1.trunkline.localhost', 'api.dublin.ie1.example.org']) {
      const response = await request(server).get('/2010-04-01/Accounts/AC1/Calls.json').set('Host', host);
      expect(response.status).toBe(404);
      expect(response.body).toMatchObject({ code: 20404, status: 404, more_info: expect.any(String) });
    }
    expect(asked).toBe(0);
  });

  it('says which Regions run when the one asked for does not', async () => {
    const { server } = await front({ us1: echo('us1'), ie1: echo('ie1') });
    const response = await request(server).get('/').set('Host', 'api.sydney.au1.twilio.com');
    expect(response.status).toBe(404);
    expect(response.body.message).toBe('Region au1 does not run here; these do: us1, ie1.');
  });
});

describe('a request passes through whole', () => {
  it('with its form, its credentials and the addresses it came by', async () => {
    const { server } = await front();
    const { body } = await request(server)
      .post('/2010-04-01/Accounts/AC1/Calls.json')
      .auth('AC1', 'secret')
      .set('X-Forwarded-For', '192.0.2.1')
      .set('Connection', 'x-private')
      .set('X-Private', 'for the front alone')
      .send('To=%2B1&To=%2B2');
    expect(body).toMatchObject({ id: 'us1', method: 'POST', body: 'To=%2B1&To=%2B2' });
    expect(body.headers['x-forwarded-for']).toMatch(/^192\.0\.2\.1, (::ffff:)?127\.0\.0\.1$/);
    expect(body.headers.authorization).toBe(`Basic ${Buffer.from('AC1:secret').toString('base64')}`);
    expect(body.headers).not.toHaveProperty('x-private');
  });

  it('in chunks, both ways, as they come', async () => {
    const { port } = await front({
      us1: (req, res) => {
        req.pipe(res);
      },
    });
    const asked = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/' });
    const answered = new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve).once('error', reject);
    });
    asked.write('first');
    const answer = await answered; // the first chunk came back before the second was sent
    expect(String((await answer[Symbol.asyncIterator]().next()).value)).toBe('first');
    asked.end();
  });

  it('with the status and headers of the answer', async () => {
    const { server } = await front({
      us1: (_req, res) => {
        res.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"', 'Set-Cookie': ['a=1', 'b=2'] });
        res.end('no');
      },
    });
    const response = await request(server).get('/');
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Basic realm="x"');
    expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  it('again when an idle connection turns out to be closed', async () => {
    const served = new Set<number>();
    const { server } = await front({
      us1: (req, res) => {
        const from = req.socket.remotePort ?? 0;
        if (served.has(from)) {
          req.socket.destroy(); // the second request on a connection finds it closed
          return;
        }
        served.add(from);
        res.end('ok');
      },
    });
    expect((await request(server).get('/')).text).toBe('ok');
    expect((await request(server).get('/')).text).toBe('ok');
    expect(served.size).toBe(2);
    expect((await request(server).post('/').send('a=b')).status).toBe(503); // it may have been processed
  });
});

describe('a Region that cannot be reached', () => {
  it('is 503 with 20503, and the others go on', async () => {
    const down = { url: 'http://127.0.0.1:1' }; // a freed port of our own might be somebody's by now
    const ie1 = await upstream(echo('ie1'));
    const app = frontApp({
      regions: [
        { id: 'us1', baseUrl: down.url },
        { id: 'ie1', baseUrl: ie1.url },
      ],
      domain: 'trunkline.localhost',
      ready: async () => true,
      metrics: { contentType: 'text/plain', metrics: async () => '' },
      logger: silentLogger,
    });
    opened.push(app);
    const { server } = await upstream(app.listener);
    for (const method of ['get', 'post'] as const) {
      const response = await request(server)
        [method]('/')
        .send(method === 'post' ? 'a=b' : undefined);
      expect(response.status).toBe(503);
      expect(response.body).toMatchObject({
        code: 20503,
        status: 503,
        message: expect.stringContaining('us1'),
      });
    }
    expect((await request(server).get('/').set('Host', 'api.dublin.ie1.twilio.com')).body.id).toBe('ie1');
    const health = await request(server).get('/healthz');
    expect(health.status).toBe(503);
    expect(health.body.checks).toEqual({ calls: 'ready', us1: 'not ready', ie1: 'ready' });
  });

  it('that fails half-way is a broken answer, not a short one', async () => {
    const { server } = await front({
      us1: (_req, res) => {
        res.writeHead(200, { 'Content-Length': '100' });
        res.write('half', () => res.socket?.destroy());
      },
    });
    await expect(request(server).get('/')).rejects.toThrow();
  });

  it('is told when the client goes away', async () => {
    let closed: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    let arrived: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { port } = await front({
      us1: (_req, res) => {
        res.once('close', closed);
        arrived();
      },
    });
    const client = connect(port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await waiting;
    client.destroy();
    await gone;
  });
});

describe('its own pages', () => {
  it('say ready only when all Regions and the edges are', async () => {
    const { server } = await front({ us1: (_req, res) => res.end() });
    expect((await request(server).get('/healthz')).status).toBe(200);
    const early = await front({ us1: (_req, res) => res.end() }, { ready: async () => false });
    const response = await request(early.server).get('/healthz');
    expect(response.status).toBe(503);
    expect(response.body).toEqual({ status: 'not ready', checks: { calls: 'not ready', us1: 'ready' } });
    const unwell = await front({ us1: (_req, res) => res.writeHead(503).end() });
    expect((await request(unwell.server).get('/healthz')).status).toBe(503);
  });

  it('answer 500 when they cannot', async () => {
    const { server } = await front({}, { ready: () => Promise.reject(new Error('x')) });
    expect((await request(server).get('/healthz')).body.code).toBe(20500);
  });

  it('count', async () => {
    const { server } = await front();
    expect((await request(server).get('/metrics')).text).toBe('front 1\n');
  });

  it("show the dashboard of the Region that the host, the query or the browser's cookie names", async () => {
    const { server } = await front();
    const dashboard = async (path: string, headers: Record<string, string> = {}) =>
      (await request(server).get(path).set(headers)).body.id;
    expect(await dashboard('/dashboard')).toBe('us1');
    expect(await dashboard('/dashboard/queues', { Host: 'api.sydney.au1.twilio.com' })).toBe('au1');
    const chosen = await request(server).get('/dashboard?region=ie1');
    expect(chosen.body.id).toBe('ie1');
    const cookie = chosen.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect(await dashboard('/dashboard/queues/static/main.js', { Cookie: `a=b; ${cookie}` })).toBe('ie1');
    expect(await dashboard('/dashboard?region=au1', { Cookie: cookie })).toBe('au1');
    expect(await dashboard('/dashboard?region=nowhere')).toBe('us1');
    expect(await dashboard('/dashboards', { Cookie: cookie })).toBe('us1');
  });
});
