import { describe, expect, it } from 'vitest';
import { readSettings, SettingsError } from '../../../src/compose/settings.ts';

const read = (environment: Record<string, string>) => readSettings(environment).settings;

function problem(environment: Record<string, string>): string {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
  }
  throw new Error('no problem was found');
}

describe('the environment', () => {
  it('has the defaults of the contract', () => {
    const settings = read({});
    expect(settings).toMatchObject({
      http: { host: '127.0.0.1', port: 8080 },
      sip: { host: '127.0.0.1', port: 5060 },
      rtp: { first: 10_000, last: 60_000 },
      regions: ['us1', 'ie1', 'au1'],
      domain: 'trunkline.localhost',
      allowPrivate: true,
      routeDelayMs: 0,
      demo: true,
    });
    expect(settings.region.ie1).toEqual({
      redisUrl: undefined,
      s3: undefined,
      bucket: 'trunkline-ie1',
      authToken: undefined,
    });
  });

  it.each([
    ['TRUNKLINE_HTTP', 'localhost', 'host:port'],
    ['TRUNKLINE_SIP', '127.0.0.1:99999', 'host:port'],
    ['TRUNKLINE_RTP', '5000', 'first-last'],
    ['TRUNKLINE_REGIONS', 'us1,de1', 'us1, ie1, au1'],
    ['TRUNKLINE_ALLOW_PRIVATE', 'maybe', 'true or false'],
    ['TRUNKLINE_ROUTE_DELAY_MS', '300001', '300000'],
    ['TRUNKLINE_CARRIER', 'carrier.example.com', 'sip:carrier.example.com'],
    ['TRUNKLINE_CARRIER', 'sips:carrier.example.com', 'UDP or TCP'],
    ['TRUNKLINE_CARRIER', 'sip:carrier.example.com;transport=tls', 'UDP or TCP'],
    ['TRUNKLINE_INGRESS_ALLOW', '127.0.0.1,pbx', '"pbx"'],
    ['TRUNKLINE_ACCOUNT_SID', 'AC1', 'AC and 32'],
    ['TRUNKLINE_AUTH_TOKEN_IE1', 'short', 'at least 16'],
    ['TRUNKLINE_CONTROL', '0.0.0.0:5070', 'wildcard'],
    ['REDIS_URL', 'localhost:6379', 'redis://'],
    ['S3_ENDPOINT_AU1', 'minio', 'http://'],
  ])('names %s when it is %s', (name, value, expected) => {
    const message = problem({ [name]: value });
    expect(message).toContain(name);
    expect(message).toContain(expected);
  });

  it('reports every problem at once, one a line', () => {
    expect(problem({ TRUNKLINE_HTTP: 'x', TRUNKLINE_SIP: 'y' }).split('\n')).toHaveLength(2);
  });

  it('lists the TRUNKLINE_ names nobody knows', () => {
    expect(readSettings({ TRUNKLINE_HTPP: '1', PATH: '/bin' }).unknown).toEqual(['TRUNKLINE_HTPP']);
  });

  it('lets a Region override what is set for all', () => {
    const settings = read({
      REDIS_URL: 'redis://all',
      REDIS_URL_IE1: 'redis://ireland',
      S3_ENDPOINT: 'http://all:9000',
      S3_ACCESS_KEY_ID: 'all',
      S3_SECRET_ACCESS_KEY: 'secret',
      S3_ACCESS_KEY_ID_IE1: 'ireland',
    });
    expect(settings.region.us1.redisUrl).toBe('redis://all');
    expect(settings.region.ie1.redisUrl).toBe('redis://ireland');
    expect(settings.region.ie1.s3).toMatchObject({ endpoint: 'http://all:9000', accessKeyId: 'ireland' });
    expect(settings.globalRedisUrl).toBe('redis://all');
  });

  it('takes the global Redis of us1 when no other is named', () => {
    expect(read({ REDIS_URL_US1: 'redis://us' }).globalRedisUrl).toBe('redis://us');
  });

  it('wants both halves of an S3 key', () => {
    expect(problem({ S3_ENDPOINT: 'http://s3:9000', S3_ACCESS_KEY_ID: 'k' })).toContain(
      'S3_SECRET_ACCESS_KEY',
    );
  });
});
