import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EDGE_IDS, type EdgeId } from '../../src/region/edge.ts';
import { EDGES } from '../../src/region/edge-catalogue.ts';
import { Device, type RegisterOptions } from '../peers/support/device.ts';
import { Baresip } from '../support/baresip.ts';
import { notRun, peer } from '../support/peers.ts';
import { until } from '../support/until.ts';
import { writePcm } from '../support/wav-compare.ts';
import { RegionalWorld, type TestRegion } from './support/regional-world.ts';

/** The same users in both Regions, with another password in each. */
const PASSWORDS = { us1: 'American-Elm-18', ie1: 'Irish-Ash-0022' } as const;
const USERS = ['ann', 'ben', 'cat', 'dan', 'eve', ...EDGE_IDS.map((edge) => `at-${edge}`)];

let world: RegionalWorld;
const devices: Device[] = [];

beforeAll(async () => {
  world = await RegionalWorld.start();
});
afterEach(() => Promise.all(devices.splice(0).map((device) => device.close())));
afterAll(() => world.stop());

const usersOf = (region: TestRegion) => Object.fromEntries(USERS.map((user) => [user, PASSWORDS[region]]));

/** A domain that is there in both Regions and active in one. */
async function twice(name: string, active: TestRegion): Promise<void> {
  for (const region of ['us1', 'ie1'] as const)
    await world.domain(region, name, { devices: usersOf(region) });
  await world.route(name, active);
}

async function deviceAt(edge: EdgeId, transport: 'udp' | 'tcp' = 'udp'): Promise<Device> {
  const device = await Device[transport](world.portOf(edge));
  devices.push(device);
  return device;
}

interface Registering {
  readonly user: string;
  readonly region: TestRegion;
  readonly uri?: string;
  readonly contacts?: readonly string[];
  readonly headers?: readonly string[];
}

/** A REGISTER for a domain, with the password of a Region; `uri` is where it is sent. */
function registering(name: string, { user, region, ...more }: Registering): RegisterOptions {
  const host = `${name}.sip.twilio.com`;
  return { user, password: PASSWORDS[region], host, uri: `sip:${host}`, ...more };
}

/** The names of those who are registered with a domain, as a Region's API says. */
const registered = async (region: TestRegion, name: string) =>
  (await world.registrations(region, name)).map(({ username }) => username).sort();

/** Waits until REGISTERs go by the list of a Region: until a re-route is in force. A query changes nothing. */
const isActive = (device: Device, name: string, region: TestRegion) =>
  until(`${name} to be active in ${region}`, async () => {
    const query = registering(name, { user: 'eve', region, contacts: [] });
    return (await device.register(query)).status === 200;
  });

describe('Given a SIP domain in us1 and in ie1 that is active in ie1, when a device registers', () => {
  const NAME = 'acme';
  beforeAll(() => twice(NAME, 'ie1'));

  it('[D10] then the registration is stored in ie1, in no other Region and nowhere else', async () => {
    const device = await deviceAt('ashburn');
    const contact = `<sip:ann@192.168.7.41:5062>`;
    const answer = await device.register(
      registering(NAME, { user: 'ann', region: 'ie1', contacts: [contact] }),
    );
    expect(answer.status).toBe(200);
    expect(await world.registrations('ie1', NAME)).toMatchObject([
      {
        aor: `sip:ann@${NAME}.sip.twilio.com`,
        username: 'ann',
        region: 'ie1',
        edge: 'ashburn',
        transport: 'udp',
        contact: 'sip:ann@192.168.7.41:5062',
        source_port: device.port,
      },
    ]);
    expect(await world.registrations('us1', NAME)).toEqual([]);
    expect(await world.storesWith('192.168.7.41')).toEqual(['ie1 redis']);
  });

  it('[D4] then the password of the other Region is of no use', async () => {
    const device = await deviceAt('ashburn');
    expect((await device.register(registering(NAME, { user: 'ben', region: 'us1' }))).status).toBe(401);
    expect((await device.register(registering(NAME, { user: 'ben', region: 'ie1' }))).status).toBe(200);
    expect(await registered('ie1', NAME)).toEqual(['ann', 'ben']);
    expect(await registered('us1', NAME)).toEqual([]);
  });

  it('[D18] then several devices of one user may register, each through an edge of its own', async () => {
    const edges = [
      ['tokyo', 'udp'],
      ['sao-paulo', 'tcp'],
      ['frankfurt-ix', 'tcp'],
    ] as const;
    let last: string[] = [];
    for (const [edge, transport] of edges) {
      const device = await deviceAt(edge, transport);
      const answer = await device.register(
        registering(NAME, {
          user: 'cat',
          region: 'ie1',
          uri: `sip:${NAME}.sip.${edge}.twilio.com`,
          contacts: [`<sip:cat@192.168.1.${device.port % 250}:${device.port}>`],
        }),
      );
      expect(answer.status).toBe(200);
      last = answer.headers.all('Contact').map((line) => line.replace(/;.*/, ''));
    }
    const mine = (await world.registrations('ie1', NAME)).filter(({ username }) => username === 'cat');
    expect(mine.map(({ edge, transport }) => [edge, transport]).sort()).toEqual(edges.toSorted());
    // Each sees all of them, whatever edge it asks at.
    expect(last.sort()).toEqual(mine.map(({ contact }) => `<${contact}>`).sort());
  });

  it('then it is gone once it is removed: by the device itself, by its user, or through the API', async () => {
    const device = await deviceAt('dublin');
    const put = (contacts: readonly string[], headers: readonly string[] = []) =>
      device.register(registering(NAME, { user: 'dan', region: 'ie1', contacts, headers }));
    const [one, two, three] = [1, 2, 3].map((n) => `<sip:dan@192.168.1.${n}>`);
    const contacts = async () => {
      const all = await world.registrations('ie1', NAME);
      return all.filter(({ username }) => username === 'dan').map(({ contact }) => `<${contact}>`);
    };
    await put([one ?? '', two ?? '', three ?? '']);
    expect((await contacts()).sort()).toEqual([one, two, three]);
    await put([`${one};expires=0`]);
    expect((await contacts()).sort()).toEqual([two, three]);
    const [first] = (await world.registrations('ie1', NAME)).filter(({ contact }) => `<${contact}>` === two);
    const path = `/trunkline/v1/Registrations/${first?.sid}`;
    expect((await world.own('us1', path, { method: 'DELETE' })).status).toBe(404);
    expect((await world.own('ie1', path, { method: 'DELETE' })).status).toBe(204);
    expect(await contacts()).toEqual([three]);
    await put(['*'], ['Expires: 0']);
    expect(await contacts()).toEqual([]);
  });

  it.each(EDGE_IDS)(
    '[D18][D19] at %s by its localized URI, then that is its edge, and ie1 its Region',
    async (edge) => {
      const user = `at-${edge}`;
      for (const label of [edge, EDGES[edge].legacy]) {
        const device = await deviceAt(edge);
        const uri = `sip:${NAME}.sip.${label}.twilio.com`;
        const answer = await device.register(registering(NAME, { user, region: 'ie1', uri }));
        expect(answer.status).toBe(200);
      }
      const mine = (await world.registrations('ie1', NAME)).filter(({ username }) => username === user);
      expect(new Set(mine.map((one) => `${one.edge} ${one.region} ${one.domain}`))).toEqual(
        new Set([`${edge} ie1 ${NAME}.sip.twilio.com`]),
      );
      expect(await registered('us1', NAME)).toEqual([]);
    },
  );

  it('[D18] by a proxy at an edge and the domain in its address, then likewise', async () => {
    const device = await deviceAt('singapore');
    const uri = 'sip:sip.singapore.twilio.com';
    const answer = await device.register(registering(NAME, { user: 'eve', region: 'ie1', uri }));
    expect(answer.status).toBe(200);
    const mine = (await world.registrations('ie1', NAME)).filter(({ username }) => username === 'eve');
    expect(mine.map(({ edge }) => edge)).toEqual(['singapore']);
  });
});

describe('Given devices that are registered in us1, when their domain is re-routed to ie1', () => {
  const NAME = 'moving';
  beforeAll(() => twice(NAME, 'us1'));

  it('[D7][D10] then new REGISTERs go to ie1, and no registration is moved there', async () => {
    const [old, young] = [await deviceAt('dublin'), await deviceAt('dublin')];
    await old.register(registering(NAME, { user: 'ann', region: 'us1' }));
    expect(await registered('us1', NAME)).toEqual(['ann']);
    await world.route(NAME, 'ie1', 'us1');
    await isActive(young, NAME, 'ie1');
    expect(await registered('us1', NAME)).toEqual(['ann']);
    expect(await registered('ie1', NAME)).toEqual([]);
    expect((await old.register(registering(NAME, { user: 'ann', region: 'us1' }))).status).toBe(401);
    const query = await young.register(registering(NAME, { user: 'ann', region: 'ie1', contacts: [] }));
    expect([query.status, query.headers.has('Contact')]).toEqual([200, false]);
    await young.register(registering(NAME, { user: 'ben', region: 'ie1' }));
    expect(await registered('ie1', NAME)).toEqual(['ben']);
    expect(await registered('us1', NAME)).toEqual(['ann']);

    await world.route(NAME, 'us1');
    await isActive(old, NAME, 'us1');
    const back = await old.register(registering(NAME, { user: 'ann', region: 'us1', contacts: [] }));
    expect(back.headers.get('Contact')).toContain('192.168.1.20');
  });
});

describe('Given a domain that takes no registrations, or not these, when a device registers', () => {
  it('then it is refused where registration is off, the list is not mapped, or the time is too short', async () => {
    const { sip } = world.client('us1');
    const sid = await world.domain('us1', 'strict', { devices: usersOf('us1') });
    await world.domain('us1', 'calls-only', { callers: usersOf('us1') });
    const device = await deviceAt('ashburn');
    const brief = registering('strict', { user: 'ann', region: 'us1', headers: ['Expires: 599'] });
    const refused = await device.register(brief);
    expect([refused.status, refused.headers.get('Min-Expires')]).toEqual([423, '600']);
    const long = registering('strict', { user: 'ann', region: 'us1', headers: ['Expires: 86400'] });
    expect((await device.register(long)).headers.get('Contact')).toMatch(/;expires=3600$/);
    for (const name of ['calls-only', 'nowhere']) {
      const answer = await device.register(registering(name, { user: 'ann', region: 'us1' }));
      expect([403, 404], name).toContain(answer.status);
    }
    await sip.domains(sid).update({ sipRegistration: false });
    await until('registration to be off', async () => {
      const answer = await device.register(registering('strict', { user: 'ben', region: 'us1' }));
      return answer.status === 403;
    });
    expect(await registered('us1', 'calls-only')).toEqual([]);
    expect(await registered('us1', 'strict')).not.toContain('ben');
  });

  it('then who proves to be somebody else is refused', async () => {
    await world.domain('us1', 'names', { devices: usersOf('us1') });
    const device = await deviceAt('ashburn');
    const asAnother = registering('names', { user: 'ann', region: 'us1' });
    const answer = await device.register({ ...asAnother, password: 'Not-My-Word-18' });
    expect(answer.status).toBe(401);
    expect(await registered('us1', 'names')).toEqual([]);
  });

  it('then it is refused while the account is suspended', async () => {
    const { sid, client } = await world.subaccount('Sleepers');
    await world.domain('us1', 'asleep', { devices: usersOf('us1'), client: await client('us1') });
    const device = await deviceAt('ashburn');
    const register = () => device.register(registering('asleep', { user: 'ann', region: 'us1' }));
    expect((await register()).status).toBe(200);
    await world.client('us1').api.accounts(sid).update({ status: 'suspended' });
    await until('the suspension at the edges', async () => (await register()).status >= 400);
    await world.client('us1').api.accounts(sid).update({ status: 'active' });
    await until('the account to be back', async () => (await register()).status === 200);
    // What belongs to a subaccount is listed there and not here.
    expect(await world.registrations('us1', 'asleep')).toEqual([]);
  });
});

const baresip = peer('baresip');
if (!baresip) notRun('baresip registers regionally', 'baresip (Debian: baresip-core) is not installed');
else {
  it('[D7][D10][D18] two baresips through two edges, over UDP and TCP, share one registration in ie1', async () => {
    await twice('phones', 'ie1');
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-silence-'));
    const microphone = join(folder, 'silence.wav');
    writePcm(microphone, new Int16Array(8_000));
    const start = (edge: EdgeId, transport: 'udp' | 'tcp') =>
      Baresip.start(baresip, {
        microphone,
        codec: 'PCMU',
        caller: 'ann',
        registers: {
          aor: 'ann@phones.sip.twilio.com',
          password: PASSWORDS.ie1,
          proxy: `sip:127.0.0.1:${world.portOf(edge)};transport=${transport}`,
        },
      });
    const [udp, tcp] = [await start('sydney', 'udp'), await start('umatilla', 'tcp')];
    const edges = async () => (await world.registrations('ie1', 'phones')).map(({ edge }) => edge).sort();
    try {
      await Promise.all([udp.registered(), tcp.registered()]);
      const [first] = await world.registrations('ie1', 'phones');
      expect(first?.user_agent).toMatch(/baresip/);
      expect(await edges()).toEqual(['sydney', 'umatilla']);
      expect(await world.registrations('us1', 'phones')).toEqual([]);
    } finally {
      await udp.stop();
      await until('the first to be gone', async () => (await edges()).join() === 'umatilla');
      await tcp.stop();
      rmSync(folder, { recursive: true });
    }
    await until('both to be gone', async () => (await edges()).length === 0);
  });
}
