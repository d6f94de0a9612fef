import { Script } from 'node:vm';
import { Queue } from 'bullmq';
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { listen } from '../../support/listen.ts';
import { startRedis } from '../../support/redis.ts';
import { ACCOUNT, RegionWorld } from './support/region.ts';

const app = (changes: Parameters<RegionWorld['options']>[0] = {}) =>
  regionApp(new RegionWorld('ie1').options(changes));

describe('who may see the pages', () => {
  it('is anybody on this machine when only this machine reaches the listener', async () => {
    const response = await request(app()).get('/dashboard');
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toMatch('text/html');
    expect(response.text).toContain('<h1>Trunkline <span>ie1</span></h1>');
    const script = /<script>(.*)<\/script>/s.exec(response.text)?.[1] ?? '';
    expect(script).toContain('/dashboard/overview.json');
    expect(() => new Script(script)).not.toThrow(); // it compiles
  });

  it.each([
    ['the listener is public', { listenerIsLoopback: false }, {}],
    ['it was forwarded for somebody else', {}, { 'X-Forwarded-For': '192.0.2.1, 127.0.0.1' }],
    ['a public name points here', {}, { Host: 'rebound.example.com' }],
  ])('takes credentials when %s', async (_why, changes, headers) => {
    for (const path of ['/dashboard', '/dashboard/overview.json', '/dashboard/queues']) {
      const refused = await request(app(changes)).get(path).set(headers);
      expect(refused.status).toBe(401);
      expect(refused.headers['www-authenticate']).toMatch('Basic');
    }
    const shown = await request(app(changes)).get('/dashboard').set(headers).auth(ACCOUNT, 'token-of-ie1');
    expect(shown.status).toBe(200);
  });

  it('knows loopback through the front and by name', async () => {
    for (const headers of [{ 'X-Forwarded-For': '127.0.0.1' }, { Host: 'api.trunkline.localhost:8080' }]) {
      expect((await request(app()).get('/dashboard').set(headers)).status).toBe(200);
    }
  });

  it.each([
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'https://evil.example.com' },
    { Origin: 'null' },
  ])('lets no other site change anything: %o', async (headers) => {
    const response = await request(app()).post('/dashboard/queues/api/queues/pause').set(headers);
    expect(response.status).toBe(403);
    expect(response.body.code).toBe(20403);
  });
});

describe('the overview', () => {
  it('shows calls, numbers and where they go, as the API tells them', async () => {
    const region = new RegionWorld('ie1');
    await region.addCall(1);
    await region.addCall(2, { status: 'in-progress', end_time: null, duration: null });
    const { server, close } = await listen(regionApp(region.options()));
    try {
      for (const [PhoneNumber, VoiceUrl] of [
        ['+15105550100', 'https://example.com/'],
        ['+15105550101', ''],
      ]) {
        await request(server)
          .post(`/2010-04-01/Accounts/${ACCOUNT}/IncomingPhoneNumbers.json`)
          .auth(ACCOUNT, region.token)
          .type('form')
          .send({ PhoneNumber, VoiceUrl });
      }
      await region.world.routes.remove('phone-number', '+15105550101');
      const { body } = await request(server).get('/dashboard/overview.json');
      expect(body.region).toBe('ie1');
      expect(body.live).toMatchObject([{ status: 'in-progress' }]);
      expect(body.calls).toMatchObject([{ status: 'in-progress' }, { status: 'completed', duration: '10' }]);
      const numbers = new Map(
        body.numbers.map((one: { phone_number: string; voice_region: string }) => [
          one.phone_number,
          one.voice_region,
        ]),
      );
      expect(Object.fromEntries(numbers)).toEqual({ '+15105550100': 'ie1', '+15105550101': 'us1' });
    } finally {
      await close();
    }
  });
});

describe('the queue page', () => {
  it('says when this process shows none', async () => {
    expect((await request(app()).get('/dashboard/queues')).body.code).toBe(20404);
  });

  it("shows the Region's queues and acts on them", async () => {
    const redis = await startRedis();
    const queue = new Queue('calls-ie1', { connection: { url: redis.url } });
    try {
      await queue.add('call', { callSid: 'CA1' }, { jobId: 'CA1-1' });
      const served = app({ queues: [queue] });
      const page = await request(served).get('/dashboard/queues');
      expect(page.status).toBe(200);
      expect(page.text).toContain('Trunkline ie1');
      const script = /src="([^"]+\.js)"/.exec(page.text)?.[1] ?? '';
      expect(script).not.toBe('');
      const loaded = await request(served).get(new URL(script, 'http://x/dashboard/queues/').pathname);
      expect(loaded.status).toBe(200);
      const list = await request(served).get(
        '/dashboard/queues/api/queues?activeQueue=calls-ie1&status=waiting',
      );
      expect(list.status).toBe(200);
      expect(list.body.queues).toMatchObject([{ name: 'calls-ie1', jobs: [{ id: 'CA1-1' }] }]);
      const paused = await request(served).put('/dashboard/queues/api/queues/calls-ie1/pause');
      expect(paused.status).toBe(200);
      expect(await queue.isPaused()).toBe(true);
    } finally {
      await queue.close();
      await redis.stop();
    }
  });
});
