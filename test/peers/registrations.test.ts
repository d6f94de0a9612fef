import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RegionalConfig } from '../../src/config/port.ts';
import { createRegionalConfig } from '../../src/config/redis.ts';
import type { Binding } from '../../src/config/registrations.ts';
import { SystemClock } from '../../src/core/clock.ts';
import { RandomIds } from '../../src/core/ids.ts';
import { type EdgeId, edgePort } from '../../src/region/edge.ts';
import { REGIONS, type RegionId } from '../../src/region/region.ts';
import { createRouteTable } from '../../src/routing/redis.ts';
import { Baresip } from '../support/baresip.ts';
import { notRun, peer } from '../support/peers.ts';
import { projectRoot } from '../support/program.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { saveSipDomain } from '../support/sip-domain.ts';
import { runSipp } from '../support/sipp.ts';
import { type RunningTrunkline, startTrunkline } from '../support/trunkline.ts';
import { until } from '../support/until.ts';
import { writePcm } from '../support/wav-compare.ts';
import { Device, type RegisterOptions } from './support/device.ts';

const clock = new SystemClock();
const ids = new RandomIds();
const PASSWORD = 'Secret-of-all-12';
/** Every test has users of its own, so that none uses up another's limits. */
const USERS = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`user${n}`, PASSWORD]));

let servers: readonly TestRedis[] = [];
let connections: readonly Redis[] = [];
let trunkline: RunningTrunkline;
let configs: Readonly<Record<'us1' | 'ie1', RegionalConfig>>;
const devices: Device[] = [];
let users = 0;

beforeAll(async () => {
  const [us1, ie1] = await Promise.all([startRedis(), startRedis()]);
  servers = [us1, ie1];
  trunkline = await startTrunkline({
    env: {
      TRUNKLINE_DEMO: 'false',
      TRUNKLINE_REGIONS: 'us1,ie1',
      TRUNKLINE_ALLOW_PRIVATE: 'false', // Contacts are private addresses all the same: nobody goes there
      GLOBAL_REDIS_URL: us1.url,
      REDIS_URL_US1: us1.url,
      REDIS_URL_IE1: ie1.url,
    },
  });
  const [redisUs1, redisIe1] = [new Redis(us1.url), new Redis(ie1.url)];
  connections = [redisUs1, redisIe1];
  configs = {
    us1: createRegionalConfig({ redis: redisUs1, region: REGIONS.us1, clock, ids }),
    ie1: createRegionalConfig({ redis: redisIe1, region: REGIONS.ie1, clock, ids }),
  };
  const { accountSid } = trunkline;
  for (const config of Object.values(configs)) {
    await saveSipDomain(config, { accountSid, name: 'acme', users: USERS });
  }
});

afterEach(() => Promise.all(devices.splice(0).map((device) => device.close())));

afterAll(async () => {
  await trunkline.stop();
  await Promise.all(connections.map((connection) => connection.quit()));
  await Promise.all(servers.map((server) => server.stop()));
});

const newUser = () => `user${users++}`;

async function device(transport: 'udp' | 'tcp', edge: EdgeId): Promise<Device> {
  const made = await Device[transport](edgePort(edge, trunkline.sip.port));
  devices.push(made);
  return made;
}

const by = (user: string, options: Partial<RegisterOptions> = {}): RegisterOptions => ({
  user,
  password: PASSWORD,
  ...options,
});

const boundIn = (region: 'us1' | 'ie1', user: string): Promise<readonly Binding[]> =>
  configs[region].registrations.bindings(`${user}@acme`);

async function route(region: RegionId): Promise<void> {
  const [redis] = connections;
  if (!redis) throw new Error('no Redis');
  await createRouteTable({ redis, clock, delayMs: 0 }).save({
    sid: `QQ${'1'.repeat(32)}`,
    kind: 'sip-domain',
    key: 'acme',
    accountSid: trunkline.accountSid,
    voiceRegion: region,
    friendlyName: '',
    createdAt: clock.now(),
    updatedAt: clock.now(),
  });
}

describe.each(['udp', 'tcp'] as const)('a device behind NAT, over %s', (transport) => {
  it('is bound with the flow it came by, at the edge it came to', async () => {
    const user = newUser();
    const phone = await device(transport, 'dublin');
    const answer = await phone.register(
      by(user, { uri: 'sip:acme.sip.dublin.trunkline.localhost', headers: ['Expires: 900'] }),
    );
    expect(answer.status).toBe(200);
    expect(answer.headers.all('Contact')).toEqual([`<sip:${user}@192.168.1.20:5062>;expires=900`]);
    const [binding, ...others] = await boundIn('us1', user);
    expect(others).toEqual([]);
    expect(binding?.flow).toMatchObject({
      edge: 'dublin',
      transport,
      address: '127.0.0.1',
      port: phone.port,
    });
    expect(binding?.contact).toBe(`sip:${user}@192.168.1.20:5062`);
  });

  it.each([
    ['the proxy as Request-URI', { uri: 'sip:sip.sydney.trunkline.localhost' }],
    ['the proxy as Route', { headers: ['Route: <sip:sip.sydney.trunkline.localhost;lr>'] }],
    ['an edge of Interconnect', { uri: 'sip:acme.sip.us1-ix.twilio.com' }],
  ] as const)('reaches its domain by %s', async (_, options) => {
    const user = newUser();
    const phone = await device(transport, 'sydney');
    expect((await phone.register(by(user, options))).status).toBe(200);
    expect((await boundIn('us1', user)).map(({ flow }) => flow.edge)).toEqual(['sydney']);
  });

  it('refreshes, asks, removes one and removes all', async () => {
    const user = newUser();
    const phone = await device(transport, 'ashburn');
    const contact = (n: number) => `<sip:${user}@192.168.1.${n}>`;
    const bound = async (contacts: readonly string[], headers: readonly string[] = []) => {
      const answer = await phone.register(by(user, { contacts, headers }));
      expect(answer.status).toBe(200);
      return answer.headers
        .all('Contact')
        .map((line) => line.replace(/;.*/, ''))
        .toSorted();
    };
    expect(await bound([contact(1), contact(2), contact(3)])).toHaveLength(3);
    expect(await bound([])).toEqual([contact(1), contact(2), contact(3)]);
    expect(await bound([`${contact(2)};expires=0`])).toEqual([contact(1), contact(3)]);
    expect(await bound(['*'], ['Expires: 0'])).toEqual([]);
    expect(await boundIn('us1', user)).toEqual([]);
  });

  it('has ten bindings at most, and the eleventh is 403 while the ten refresh', async () => {
    const user = newUser();
    const phone = await device(transport, 'ashburn');
    const register = (n: number) =>
      phone.register(by(user, { contacts: [`<sip:${user}@192.168.1.${n}>`], callId: `${n}` }));
    for (let n = 1; n <= 10; n++) expect((await register(n)).status).toBe(200);
    expect((await register(11)).status).toBe(403);
    expect((await register(10)).status).toBe(200);
    expect(await boundIn('us1', user)).toHaveLength(10);
  });

  it('is refused without the right password, and for too short a time', async () => {
    const user = newUser();
    const phone = await device(transport, 'ashburn');
    expect((await phone.register({ user, password: 'wrong' })).status).toBe(401);
    expect((await phone.register({ user: 'nobody', password: 'wrong' })).status).toBe(401);
    const brief = await phone.register(by(user, { headers: ['Expires: 60'] }));
    expect([brief.status, brief.headers.get('Min-Expires')]).toEqual([423, '600']);
    expect(await boundIn('us1', user)).toEqual([]);
  });
});

it('is in reach until its connection closes, and again when it has registered anew', async () => {
  const user = newUser();
  const phone = await device('tcp', 'dublin');
  await phone.register(by(user));
  phone.raw(Buffer.from('\r\n\r\n'));
  await until('the pong', () => phone.other.length === 1);
  await phone.close();
  await until('the lost flow', async () => (await boundIn('us1', user))[0]?.flow.lost);
  const again = await device('tcp', 'dublin');
  await again.register(by(user));
  const [binding, ...others] = await boundIn('us1', user);
  expect([binding?.flow.port, binding?.flow.lost, others]).toEqual([again.port, undefined, []]);
});

it('keeps its NAT binding open over UDP: STUN is answered, line ends are not, and SIP goes on', async () => {
  const phone = await device('udp', 'dublin');
  phone.raw(Buffer.from('\r\n\r\n'));
  const binding = Buffer.from('000100002112a442b7e7a701bc34d686fa87dfae', 'hex');
  await until('the STUN answer', () => {
    if (phone.other.length === 0) phone.raw(binding);
    return phone.other.length > 0;
  });
  const port = (phone.port ^ 0x2112).toString(16).padStart(4, '0');
  expect(phone.other[0]?.toString('hex')).toBe(
    `0101000c2112a442b7e7a701bc34d686fa87dfae002000080001${port}${'5e12a443'}`,
  );
  expect((await phone.request('OPTIONS', by('anybody', { contacts: [] }), [])).status).toBe(200);
});

it('belongs to the Region its domain is routed to, and is not taken along by a re-route', async () => {
  const user = newUser();
  const phone = await device('udp', 'singapore');
  await phone.register(by(user));
  expect([(await boundIn('us1', user)).length, (await boundIn('ie1', user)).length]).toEqual([1, 0]);
  await route('ie1');
  try {
    const nobody = await until('the new route', async () => {
      const answer = await phone.register(by(user, { contacts: [] }));
      return !answer.headers.has('Contact') && answer;
    });
    expect(nobody.status).toBe(200);
    const other = `<sip:${user}@192.168.1.99>`;
    expect((await phone.register(by(user, { contacts: [other] }))).headers.all('Contact')).toEqual([
      `${other};expires=3600`,
    ]);
    expect((await boundIn('ie1', user)).map(({ contact }) => contact)).toEqual([`sip:${user}@192.168.1.99`]);
    expect((await boundIn('us1', user)).map(({ contact }) => contact)).toEqual([
      `sip:${user}@192.168.1.20:5062`,
    ]);
  } finally {
    await route('us1');
  }
  await until('the old route', async () => {
    const answer = await phone.register(by(user, { contacts: [] }));
    return answer.headers.get('Contact')?.includes('192.168.1.20');
  });
});

const sipp = peer('sipp');
if (!sipp) notRun('registrations by sipp', 'sipp (Debian: sip-tester) is not installed');
else {
  describe.each(['udp', 'tcp'] as const)('sipp over %s', (transport) => {
    it('registers ten users with digest', async () => {
      const names = Array.from({ length: 10 }, newUser);
      const result = await runSipp(sipp, {
        scenario: join(projectRoot(), 'test/peers/sipp/register.xml'),
        transport,
        to: { host: '127.0.0.1', port: edgePort('frankfurt', trunkline.sip.port) },
        number: 'acme',
        calls: names.length,
        rows: names.map((name) => `${name};[authentication username=${name} password=${PASSWORD}]`),
      });
      expect(result).toMatchObject({ code: 0, successful: names.length, failed: 0 });
      for (const name of names) {
        expect((await boundIn('us1', name)).map(({ flow }) => [flow.edge, flow.transport])).toEqual([
          ['frankfurt', transport],
        ]);
      }
    });
  });
}

const baresip = peer('baresip');
if (!baresip) notRun('registrations by baresip', 'baresip (Debian: baresip-core) is not installed');
else {
  describe.each(['udp', 'tcp'] as const)('baresip over %s', (transport) => {
    it('registers by way of its outbound proxy, and unregisters when it ends', async () => {
      const user = newUser();
      const folder = mkdtempSync(join(tmpdir(), 'trunkline-silence-'));
      const microphone = join(folder, 'silence.wav');
      writePcm(microphone, new Int16Array(8_000));
      const phone = await Baresip.start(baresip, {
        microphone,
        codec: 'PCMU',
        caller: user,
        registers: {
          aor: `${user}@acme.sip.twilio.com`,
          password: PASSWORD,
          proxy: `sip:127.0.0.1:${edgePort('tokyo', trunkline.sip.port)};transport=${transport}`,
        },
      });
      try {
        // it may have registered before anybody could hear of it over its control port
        const binding = await until('its binding', async () => (await boundIn('us1', user))[0]);
        expect(binding?.flow).toMatchObject({ edge: 'tokyo', transport, address: '127.0.0.1' });
        expect(binding?.userAgent).toMatch(/baresip/);
      } finally {
        await phone.stop();
        rmSync(folder, { recursive: true });
      }
      await until('no binding', async () => (await boundIn('us1', user)).length === 0);
    });
  });
}
