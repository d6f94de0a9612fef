import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import twilio from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Front, frontApp } from '../../../src/api/front/front-app.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { PRODUCTS, type Product } from '../../../src/region/host-names.ts';
import { REGION_IDS, type RegionId } from '../../../src/region/region.ts';
import { type Listening, listen } from '../../support/listen.ts';
import { twilioClient } from '../../support/twilio-client.ts';

const DOMAIN = 'trunkline.localhost';
const ACCOUNT = `AC${'1'.repeat(32)}`;

/** What reached a Region, in order. */
interface Reached {
  readonly region: RegionId;
  readonly url: string | undefined;
  readonly host: string | undefined;
}

let reached: Reached[];
let services: Listening[];
let front: Listening;
let app: Front;

beforeEach(async () => {
  reached = [];
  services = [];
  const regions: { id: RegionId; baseUrl: string }[] = [];
  for (const region of REGION_IDS) {
    const service = await listen((req, res) => {
      reached.push({ region, url: req.url, host: req.headers.host });
      res.setHeader('Content-Type', 'application/json');
      res.end('{"calls":[],"trunks":[],"ip_records":[],"meta":{"key":"trunks"},"voice_region":"us1"}');
    });
    services.push(service);
    regions.push({ id: region, baseUrl: service.url });
  }
  app = frontApp({
    regions,
    domain: DOMAIN,
    ready: async () => true,
    metrics: { contentType: 'text/plain', metrics: async () => '' },
    logger: silentLogger,
  });
  front = await listen(app.listener);
});

afterEach(async () => {
  app.close();
  for (const one of [front, ...services]) await one.close();
});

/** Sends a request as it is written, and reads the answer to the end of the connection. */
async function raw(target: string, headers: readonly string[]): Promise<{ status: number; body: string }> {
  const socket = connect(front.port, '127.0.0.1');
  socket.write([`GET ${target} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n'));
  const answer = await text(socket);
  return { status: Number(answer.split(' ')[1]), body: answer.slice(answer.indexOf('\r\n\r\n') + 4) };
}

describe('the host that a request is for', () => {
  it.each([
    ['/', ['Host: API.DUBLIN.IE1.Trunkline.LOCALHOST'], 'ie1'],
    ['/', ['Host: api.dublin.ie1.twilio.com.'], 'ie1'],
    ['/', ['Host: api.sydney.au1.twilio.com.:8080'], 'au1'],
    ['/', ['Host: [::1]:8080'], 'us1'],
    ['/', ['Host: 192.0.2.1'], 'us1'],
    ['/', ['Host:'], 'us1'],
    // RFC 9112 §3.2.2: the absolute form goes before Host
    ['http://api.dublin.ie1.twilio.com/', ['Host: api.twilio.com'], 'ie1'],
    ['HTTPS://api.sydney.au1.trunkline.localhost:443/', ['Host: api.dublin.ie1.twilio.com'], 'au1'],
    ['/', ['Host: api.twilio.com', 'X-Forwarded-Host: api.dublin.ie1.twilio.com'], 'us1'],
    ['/', ['Host: api.twilio.com', 'X-Host: api.dublin.ie1.twilio.com'], 'us1'],
    ['/', ['Host: api.dublin.ie1.twilio.com', 'Forwarded: host=api.twilio.com'], 'ie1'],
    ['/', ['Host: api.dublin.ie1.twilio.com', 'X-Forwarded-Host: api.twilio.com'], 'ie1'],
  ])('%s with %j: %s', async (target, headers, region) => {
    expect((await raw(target, headers)).status).toBe(200);
    expect(reached).toMatchObject([{ region, url: '/' }]);
  });

  it('of an absolute target goes on as Host, with its path and query', async () => {
    await raw('http://api.dublin.ie1.twilio.com?a=b%20c#d', ['Host: api.twilio.com']);
    await raw('http://api.dublin.ie1.twilio.com/x/y?a=http://z', ['Host: api.twilio.com']);
    const host = 'api.dublin.ie1.twilio.com';
    expect(reached).toEqual([
      { region: 'ie1', url: '/?a=b%20c', host },
      { region: 'ie1', url: '/x/y?a=http://z', host },
    ]);
  });

  it.each([
    ['/', ['Host: api.twilio.com', 'Host: api.dublin.ie1.twilio.com'], 400],
    ['/', ['Host: api.dublin.ie1.twilio.com', 'Host: api.dublin.ie1.twilio.com'], 400],
    ['http://api.twilio.com/', ['Host: api.twilio.com', 'Host: api.twilio.com'], 400],
    ['http:///x', ['Host: api.twilio.com'], 400],
    ['/', ['Host: api.twilio.com, api.dublin.ie1.twilio.com'], 404],
    ['/', ['Host: api.dublin.ie1.twilio.com@api.twilio.com'], 404],
    ['/', ['Host: api..twilio.com'], 404],
    ['/', ['Host: api.twilio.com:80:80'], 404],
    ['/', ['Host: [::1'], 404],
    ['http://api.twilio.com@x/', ['Host: api.twilio.com'], 404],
    ['http://api.ie1.twilio.com/', ['Host: api.twilio.com'], 404],
    ['/', ['Host: API.IE1.twilio.com.'], 404],
  ])('%s with %j is refused with %s and reaches no Region', async (target, headers, status) => {
    const answer = await raw(target, headers);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ status, code: status === 400 ? 20001 : 20404 });
    expect(reached).toEqual([]);
  });

  it.each(['ie1', 'au1', 'br1', 'de1', 'jp1', 'sg1', 'us2'])(
    '[E4] [E11] api.%s stopped working: it says so, and us1 is not asked',
    async (code) => {
      for (const product of PRODUCTS) {
        const { status, body } = await raw('/', [`Host: ${product}.${code}.twilio.com`]);
        expect(status).toBe(404);
        expect(body).toContain('28 April 2026');
      }
      expect(reached).toEqual([]);
    },
  );
});

/** One request of each product; what the answer holds does not matter here. */
const REQUESTS: Readonly<Record<Product, (client: twilio.Twilio) => Promise<unknown>>> = {
  accounts: (client) => client.accounts.v1.secondaryAuthToken().create(),
  api: (client) => client.calls.list({ limit: 1 }),
  trunking: (client) => client.trunking.v1.trunks.list({ limit: 1 }),
  routes: (client) => client.routes.v2.phoneNumbers('+12025550143').fetch(),
  voice: (client) => client.voice.v1.ipRecords.list({ limit: 1 }),
};

describe.each(Object.entries(REQUESTS))("the official client's options, for %s", (product, ask) => {
  const client = (place: { readonly edge?: string; readonly region?: string }) =>
    twilioClient(front.port, ACCOUNT, 'token', place);

  it.each([
    [{}, 'us1', ''],
    [{ region: 'us1' }, 'us1', '.us1'],
    [{ edge: 'dublin' }, 'us1', '.dublin.us1'],
    [{ edge: 'nowhere' }, 'us1', '.nowhere.us1'],
    [{ edge: 'ashburn', region: 'us1' }, 'us1', '.ashburn.us1'],
    [{ edge: 'dublin', region: 'ie1' }, 'ie1', '.dublin.ie1'],
    [{ edge: 'sydney', region: 'au1' }, 'au1', '.sydney.au1'],
  ])('[E2] [E5] [E8] [E9] [E10] %j reach %s', async (place, region, labels) => {
    await ask(client(place));
    expect(reached).toMatchObject([{ region, host: `${product}${labels}.twilio.com` }]);
  });

  it.each(['ie1', 'au1', 'de1'])('a region %s without an edge is refused and told why', async (region) => {
    const error: unknown = await ask(client({ region })).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(twilio.RestException);
    const { message } = z.looseObject({ message: z.string() }).parse(error);
    expect(message).toContain(`'${product}.${region}.twilio.com' stopped working on 28 April 2026`);
    expect(reached).toEqual([]);
  });
});
