import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { publicUrl, restHost, restTarget } from '../../../src/region/host-names.ts';

const DOMAIN = 'trunkline.localhost';

describe('the Region a host name selects', () => {
  it.each([
    ['api.trunkline.localhost', 'us1'],
    ['api.trunkline.localhost:8080', 'us1'],
    ['API.Trunkline.Localhost.', 'us1'],
    ['api.us1.trunkline.localhost', 'us1'],
    ['api.ashburn.us1.trunkline.localhost', 'us1'],
    ['api.dublin.us1.trunkline.localhost', 'us1'],
    ['api.nowhere.us1.trunkline.localhost', 'us1'],
    ['api.dublin.ie1.trunkline.localhost', 'ie1'],
    ['api.sydney.au1.trunkline.localhost:8080', 'au1'],
    ['api.frankfurt.ie1.trunkline.localhost', 'ie1'],
    ['api.twilio.com', 'us1'],
    ['api.us1.twilio.com', 'us1'],
    ['api.dublin.ie1.twilio.com', 'ie1'],
    ['routes.sydney.au1.twilio.com', 'au1'],
    ['trunking.dublin.ie1.twilio.com', 'ie1'],
    ['voice.dublin.ie1.twilio.com', 'ie1'],
    ['trunkline.localhost', 'us1'],
    ['127.0.0.1:8080', 'us1'],
    ['[::1]:8080', 'us1'],
    ['localhost', 'us1'],
    ['some-machine.example.com', 'us1'],
    ['ie1.example.com', 'us1'],
    [undefined, 'us1'],
    ['', 'us1'],
    ['api.ie1.us1.trunkline.localhost', 'us1'],
    ['api.london-ix.ie1.trunkline.localhost', 'ie1'],
    ['VOICE.SYDNEY.AU1.TWILIO.COM.:443', 'au1'],
    [' api.dublin.ie1.twilio.com ', 'ie1'],
    ['api.dublin.ie1.twilio.com:', 'ie1'],
    ['[2001:db8::1]', 'us1'],
    ['ie1_worker.example.com', 'us1'],
  ])('[E5] [E7] [E9] [E10] %s is %s', (host, region) => {
    expect(restTarget(host, DOMAIN)).toEqual({ region });
  });

  // The seven hosts that Twilio's announcement lists, and the same pattern of other products.
  it.each(['ie1', 'au1', 'br1', 'de1', 'jp1', 'sg1', 'us2'])('[E4] api.%s is retired', (code) => {
    for (const base of [DOMAIN, 'twilio.com']) {
      for (const product of ['api', 'routes']) {
        const target = restTarget(`${product}.${code}.${base}`, DOMAIN);
        expect(target).toMatchObject({ refused: 'retired' });
        expect(target).toHaveProperty('message', expect.stringContaining('28 April 2026'));
        expect(target).toHaveProperty('message', expect.stringContaining(`use ${product}.${base}`));
      }
    }
  });

  it('names the host that really selects the Region', () => {
    expect(restTarget('api.ie1.twilio.com', DOMAIN)).toHaveProperty(
      'message',
      expect.stringContaining('api.dublin.ie1.twilio.com'),
    );
  });

  it.each([
    'api.dublin.trunkline.localhost',
    'api.dublin.de1.trunkline.localhost',
    'api.roaming.ie1.trunkline.localhost',
    'api.a.dublin.ie1.trunkline.localhost',
    'iam.trunkline.localhost',
    'api.dublin.ie1.example.test',
    'localhost.dublin.ie1.localhost',
    '127.dublin.ie1.0.1',
    'api.ie1.ie1.twilio.com',
    'api.constructor.ie1.twilio.com',
    'api.constructor.twilio.com',
    'api.roaming.gll.twilio.com',
    'api.jp2.twilio.com',
    'sync.ie1.twilio.com',
    'us1.api.twilio.com',
    'api..twilio.com',
    'api.twilio.com..',
    'api.twilio.com, api.dublin.ie1.twilio.com',
    'api.dublin.ie1.twilio.com@api.twilio.com',
    'api.twilio.com/x',
    'api.twilio.com:80:80',
    '[::1',
    '::1',
  ])('[E11] %s is refused, not answered in us1', (host) => {
    expect(restTarget(host, DOMAIN)).toMatchObject({ refused: 'unknown' });
  });
});

describe('the hosts that the official client makes', () => {
  const client = twilio(`AC${'0'.repeat(32)}`, 'token');
  it.each([
    ['api.twilio.com', undefined, undefined, 'api.twilio.com', { region: 'us1' }],
    ['api.twilio.com', 'dublin', undefined, 'api.dublin.us1.twilio.com', { region: 'us1' }],
    ['api.twilio.com', undefined, 'ie1', 'api.ie1.twilio.com', { refused: 'retired' }],
    ['api.twilio.com', 'dublin', 'ie1', 'api.dublin.ie1.twilio.com', { region: 'ie1' }],
    ['api.ie1.twilio.com', 'dublin', undefined, 'api.dublin.ie1.twilio.com', { region: 'ie1' }],
    ['api.dublin.ie1.twilio.com', 'sydney', 'au1', 'api.sydney.au1.twilio.com', { region: 'au1' }],
    ['api.example.test', 'dublin', 'ie1', 'api.dublin.ie1.example.test', { region: 'ie1' }],
    ['localhost', 'dublin', 'ie1', 'localhost.dublin.ie1.localhost', { refused: 'unknown' }],
    ['127.0.0.1', 'dublin', 'ie1', '127.dublin.ie1.0.1', { refused: 'unknown' }],
  ])('%s, edge %s, region %s: %s', (host, edge, region, expected, target) => {
    // The client's own types ask for both options although it treats each as optional.
    const made: unknown = Reflect.apply(client.getHostname, client, [host, edge, region]);
    expect(made).toBe(expected);
    expect(restTarget(expected, 'example.test')).toMatchObject(target);
  });

  it('lose the label twilio of a base domain that begins with it', () => {
    const made: unknown = Reflect.apply(client.getHostname, client, [
      'api.twilio.internal.example',
      'dublin',
      'ie1',
    ]);
    expect(made).toBe('api.dublin.ie1.internal.example');
    expect(restTarget(String(made), 'internal.example')).toEqual({ region: 'ie1' });
    const told = expect.stringContaining('Set TRUNKLINE_DOMAIN to that base domain');
    expect(restTarget(String(made), 'twilio.internal.example')).toMatchObject({ message: told });
  });
});

describe('names handed out', () => {
  it('writes a Region into a public URL', () => {
    expect(publicUrl('https://{product}.{edge}.{region}.example.com/', 'routes', 'ie1')).toBe(
      'https://routes.dublin.ie1.example.com',
    );
    expect(publicUrl('http://127.0.0.1:8082', 'api', 'ie1')).toBe('http://127.0.0.1:8082');
  });

  it('makes hosts that select the Region they were made for', () => {
    for (const region of ['us1', 'ie1', 'au1'] as const) {
      expect(restTarget(restHost('api', region, DOMAIN), DOMAIN)).toEqual({ region });
    }
  });
});
