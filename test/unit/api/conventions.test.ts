import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { ACCOUNT, RegionWorld } from './support/region.ts';

const NUMBERS = `/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers.json`;
const CALLS = `/2010-04-01/Accounts/${ACCOUNT}/Calls.json`;

function app(changes: Parameters<RegionWorld['options']>[0] = {}) {
  const region = new RegionWorld('ie1');
  return { region, app: regionApp(region.options(changes)) };
}

describe('authentication', () => {
  it.each([
    ['nothing', undefined],
    ['a scheme that is not Basic', 'Bearer abc'],
    ['no colon', `Basic ${Buffer.from('abc').toString('base64')}`],
    ['another user', `Basic ${Buffer.from('AC1:token-of-ie1').toString('base64')}`],
    ["another Region's token", `Basic ${Buffer.from(`${ACCOUNT}:token-of-us1`).toString('base64')}`],
    ['a token that only begins right', `Basic ${Buffer.from(`${ACCOUNT}:token-of-ie1x`).toString('base64')}`],
  ])('refuses %s with 20003', async (_what, header) => {
    const asked = request(app().app).get(CALLS);
    const response = await (header ? asked.set('Authorization', header) : asked);
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Basic realm="Trunkline ie1", charset="UTF-8"');
    expect(response.body).toEqual({
      code: 20003,
      message: expect.stringContaining('Region ie1'),
      more_info: 'https://www.twilio.com/docs/errors/20003',
      status: 401,
    });
  });

  it('logs which Region refused and why, but no credentials', async () => {
    const lines: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      warn: (fields, message) => {
        lines.push(JSON.stringify({ ...fields, message }));
      },
    };
    await request(app({ logger }).app).get(CALLS).auth(ACCOUNT, 'token-of-us1');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('"region":"ie1"');
    expect(lines[0]).toContain('wrong-token');
    expect(lines[0]).not.toContain('token-of');
  });

  it.each(['', 'token-of-ie', 'TOKEN-OF-IE1', 'token-of-ie1 '])(
    'refuses the password %o',
    async (password) => {
      expect((await request(app().app).get(CALLS).auth(ACCOUNT, password)).status).toBe(401);
    },
  );
});

describe('paths and methods', () => {
  const ask = (method: 'get' | 'post' | 'put' | 'delete', path: string) =>
    request(app().app)[method](path).auth(ACCOUNT, 'token-of-ie1');

  it.each([
    `/2010-04-01/Accounts/AC${'b'.repeat(32)}/Calls.json`,
    `/2010-04-01/Accounts/${ACCOUNT}/Nothing.json`,
    `/2010-04-01/Accounts/${ACCOUNT}/calls.json`,
    `/2010-04-01/Accounts/${ACCOUNT}/Calls/CA1/Siprec.json`,
    '/v2/SipDomains/a.sip.twilio.com',
    '/v2/Trunk/a.pstn.twilio.com',
    '/v1/Trunks',
    '/',
  ])('%s is 20404', async (path) => {
    const response = await ask('get', path);
    expect(response.status).toBe(404);
    expect(response.body).toMatchObject({ code: 20404, status: 404, message: expect.stringContaining(path) });
  });

  it('is 20004 for a method the resource does not take', async () => {
    const response = await ask('put', NUMBERS);
    expect(response.status).toBe(405);
    expect(response.headers['allow']).toBe('GET, POST');
    expect(response.body.code).toBe(20004);
    expect((await ask('delete', CALLS)).status).toBe(405);
  });

  it('says which Region it is, and names the request', async () => {
    const { app: served } = app();
    const plain = await request(served).get(CALLS).auth(ACCOUNT, 'token-of-ie1');
    expect(plain.status).toBe(200);
    expect(plain.headers['content-type']).toMatch('application/json');
    expect(plain.headers['x-home-region']).toBe('ie1');
    expect(plain.headers['twilio-request-id']).toMatch(/^RQ[0-9a-f]{32}$/);
    expect(plain.headers).not.toHaveProperty('x-powered-by');
  });

  it('answers a path that is not valid UTF-8', async () => {
    const response = await ask('get', `/2010-04-01/Accounts/${ACCOUNT}/Calls/%E0%A4%A.json`);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(20001);
  });
});

describe('forms', () => {
  const post = (body: string, type = 'application/x-www-form-urlencoded') =>
    request(app().app).post(NUMBERS).auth(ACCOUNT, 'token-of-ie1').set('Content-Type', type).send(body);

  it.each([
    ['a stray percent sign', 'PhoneNumber=%2B1510555010%'],
    ['bytes that are not UTF-8', 'PhoneNumber=%FF%FE'],
  ])('refuses %s', async (_what, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(response.body.code).toBe(20001);
  });

  it.each(['application/json', 'multipart/form-data; boundary=x'])('refuses %s by name', async (type) => {
    const response = await post('{"PhoneNumber":"+15105550100"}', type);
    expect(response.status).toBe(400);
    expect(response.body.message).toContain(type);
  });

  it('refuses an unknown charset', async () => {
    const response = await post('PhoneNumber=x', 'application/x-www-form-urlencoded; charset=klingon');
    expect(response.status).toBe(400);
  });

  it('refuses a body that is too large', async () => {
    const response = await post(`FriendlyName=${'x'.repeat(300_000)}`);
    expect(response.status).toBe(413);
    expect(response.body.code).toBe(20413);
  });

  it('takes the last of a repeated parameter', async () => {
    const response = await post('PhoneNumber=nonsense&PhoneNumber=%2B15105550100');
    expect(response.status).toBe(201);
  });
});

describe('faults', () => {
  it('are 20500 without their details', async () => {
    const broken = app({ health: async () => Promise.reject(new Error('the secret is 1234')) });
    const response = await request(broken.app).get('/healthz');
    expect(response.status).toBe(500);
    expect(response.body.code).toBe(20500);
    expect(response.text).not.toContain('1234');
  });

  it('leave the listener serving after a client that goes away in the middle of its form', async () => {
    const server = app().app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const started = httpRequest({
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: NUMBERS,
        auth: `${ACCOUNT}:token-of-ie1`,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': 100 },
      });
      const gone = new Promise((resolve) => started.once('close', resolve));
      started.on('error', () => {}); // the client's own hang-up
      const arrived = new Promise((resolve) => server.once('request', resolve));
      started.write('PhoneNumber');
      await arrived;
      started.destroy();
      await gone;
      expect((await request(server).get('/healthz')).status).toBe(200);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});

describe('health and metrics', () => {
  it('need no credentials', async () => {
    const { app: served } = app({ listenerIsLoopback: false });
    const health = await request(served).get('/healthz');
    expect(health.status).toBe(200);
    expect(health.body).toEqual({ status: 'ready', region: 'ie1', checks: { redis: 'ok' } });
    const metrics = await request(served).get('/metrics');
    expect(metrics.headers['content-type']).toMatch('text/plain');
    expect(metrics.text).toBe('trunkline_live_calls 0\n');
  });

  it('say 503 while something is missing', async () => {
    const { app: served } = app({ health: async () => ({ ready: false, checks: { redis: 'unreachable' } }) });
    const health = await request(served).get('/healthz');
    expect(health.status).toBe(503);
    expect(health.body.checks.redis).toBe('unreachable');
  });
});
