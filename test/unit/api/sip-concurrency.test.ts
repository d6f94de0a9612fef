import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RegionOptions } from '../../../src/api/region-options.ts';
import { createNameOwnership, createRegionalConfig } from '../../../src/config/redis.ts';
import { mappingsOf } from '../../../src/config/sip.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { REGIONS, type RegionId } from '../../../src/region/region.ts';
import { connectRedis, disconnectRedis } from '../../../src/storage/redis/connect.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { ACCOUNT, RegionWorld, World } from './support/region.ts';
import { type Form, Rest } from './support/rest.ts';

const SIP = `/2010-04-01/Accounts/${ACCOUNT}/SIP`;
const TWENTY = Array.from({ length: 20 }, (_, n) => n);

let server: TestRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

let redis: ReturnType<typeof connectRedis>;
let world: World;
/** Two processes of ie1 and one of us1: what one of them remembers the other doesn't know. */
let apis: Rest[];
let us1: Rest;
let ie1: RegionOptions['config'];

beforeEach(() => {
  redis = connectRedis(server.url, 'sip', silentLogger);
  world = new World();
  const ids = new RandomIds();
  const names = createNameOwnership({ redis });
  const open = (id: RegionId) => {
    const region = new RegionWorld(id, world);
    const given = { accountSid: ACCOUNT, token: region.token };
    const config = createRegionalConfig({ redis, region: REGIONS[id], clock: world.clock, ids, given });
    return { config, rest: new Rest(region, { config, names, ids }) };
  };
  const [one, other, away] = [open('ie1'), open('ie1'), open('us1')];
  apis = [one.rest, other.rest];
  us1 = away.rest;
  ie1 = one.config;
});

afterEach(async () => {
  await redis.flushall();
  await disconnectRedis(redis);
});

/** Alternates between the two processes. */
const api = (n: number): Rest => apis[n % 2] as Rest; // two entries
const post = (path: string, form: Form, n = 0) => api(n).post(`${SIP}/${path}.json`, form);

/** How often each answer was given. */
async function tally(
  answers: readonly PromiseLike<{ status: number; body: { code?: number } }>[],
): Promise<Record<string, number>> {
  const count: Record<string, number> = {};
  for (const { status, body } of await Promise.all(answers)) {
    const key = `${body.code ?? status}`;
    count[key] = (count[key] ?? 0) + 1;
  }
  return count;
}

describe('twenty requests at once', () => {
  it('create one domain of one name', async () => {
    const form = { DomainName: 'acme.sip.twilio.com' };
    expect(await tally(TWENTY.map((n) => post('Domains', form, n)))).toEqual({ 201: 1, 21232: 19 });
    expect(await ie1.records.domains.count(ACCOUNT)).toBe(1);
    const names = createNameOwnership({ redis });
    expect(await names.regionsOf('sip-domain', 'acme')).toEqual(['ie1']);
    expect((await world.routes.fetch('sip-domain', 'acme'))?.voiceRegion).toBe('ie1');
  });

  it('create no more domains than an account may have, and keep no name of those refused', async () => {
    for (let n = 0; n < 95; n++) await post('Domains', { DomainName: `old-${n}.sip.twilio.com` }, n);
    const answers = TWENTY.map((n) => post('Domains', { DomainName: `new-${n}.sip.twilio.com` }, n));
    expect(await tally(answers)).toEqual({ 201: 5, 21230: 15 });
    const names = createNameOwnership({ redis });
    for (const n of TWENTY) {
      const kept = await ie1.records.domains.find(`new-${n}`);
      expect(await names.ownerOf('sip-domain', `new-${n}`)).toBe(kept && ACCOUNT);
      expect((await world.routes.fetch('sip-domain', `new-${n}`))?.accountSid).toBe(kept && ACCOUNT);
    }
  });

  it('create a domain in two Regions with one route at most, to ie1', async () => {
    const form = { DomainName: 'acme.sip.twilio.com' };
    await Promise.all(
      TWENTY.map((n) => (n % 2 ? post('Domains', form, n) : us1.post(`${SIP}/Domains.json`, form))),
    );
    const names = createNameOwnership({ redis });
    expect([...(await names.regionsOf('sip-domain', 'acme'))].sort()).toEqual(['ie1', 'us1']);
    expect([undefined, 'ie1']).toContain((await world.routes.fetch('sip-domain', 'acme'))?.voiceRegion);
  });

  it('rename two domains to one name: one gets it, the other keeps its own', async () => {
    const sids: string[] = [];
    for (const name of ['one', 'two']) {
      sids.push((await post('Domains', { DomainName: `${name}.sip.twilio.com` })).body.sid);
    }
    const form = { DomainName: 'wanted.sip.twilio.com' };
    const answers = TWENTY.map((n) => post(`Domains/${sids[n % 2]}`, form, Math.floor(n / 2)));
    const count = await tally(answers);
    expect(Object.keys(count).sort()).toEqual(['200', '21232']);
    const kept = (await ie1.records.domains.list(ACCOUNT)).map(({ name }) => name).sort();
    expect(kept).toContain('wanted');
    const names = createNameOwnership({ redis });
    for (const name of ['one', 'two', 'wanted']) {
      expect(await names.ownerOf('sip-domain', name), name).toBe(kept.includes(name) ? ACCOUNT : undefined);
      expect((await world.routes.fetch('sip-domain', name))?.accountSid, name).toBe(
        kept.includes(name) ? ACCOUNT : undefined,
      );
    }
  });

  it('fill lists no further than they go, and map a list once', async () => {
    const list = (await post('IpAccessControlLists', { FriendlyName: 'x' })).body.sid;
    const address = (n: number) => ({ FriendlyName: 'x', IpAddress: `192.0.2.${n}` });
    for (let n = 100; n < 115; n++) await post(`IpAccessControlLists/${list}/IpAddresses`, address(n));
    const adding = TWENTY.map((n) => post(`IpAccessControlLists/${list}/IpAddresses`, address(n), n));
    expect(await tally(adding)).toEqual({ 201: 10, 21237: 10 });

    const cl = (await post('CredentialLists', { FriendlyName: 'x' })).body.sid;
    const alice = { Username: 'alice', Password: 'IWasAtSignal2018' };
    const naming = TWENTY.map((n) => post(`CredentialLists/${cl}/Credentials`, alice, n));
    expect(await tally(naming)).toEqual({ 201: 1, 21243: 19 });

    const domain = (await post('Domains', { DomainName: 'acme.sip.twilio.com' })).body.sid;
    const form = { IpAccessControlListSid: list };
    const mapping = TWENTY.map((n) =>
      post(`Domains/${domain}/Auth/Calls/IpAccessControlListMappings`, form, n),
    );
    expect(await tally(mapping)).toEqual({ 201: 1, 21231: 19 });
  });

  it('add members and mappings to a list that is being deleted, and leave nothing of it when it is', async () => {
    const domain = (await post('Domains', { DomainName: 'acme.sip.twilio.com' })).body.sid;
    const list = (await post('IpAccessControlLists', { FriendlyName: 'x' })).body.sid;
    const path = `${SIP}/IpAccessControlLists/${list}.json`;
    await Promise.all(
      TWENTY.map((n) => {
        if (n === 10) return api(n).delete(path);
        return n % 2
          ? post(
              `IpAccessControlLists/${list}/IpAddresses`,
              { FriendlyName: 'x', IpAddress: `192.0.2.${n}` },
              n,
            )
          : post(`Domains/${domain}/IpAccessControlListMappings`, { IpAccessControlListSid: list }, n);
      }),
    );
    const gone = (await ie1.records.accessLists.fetch(list)) === undefined;
    const left = [
      await ie1.records.addresses.list(list),
      await mappingsOf(ie1.records.mappings, domain),
    ].flat();
    expect(gone ? left : 'the list is there').toEqual(gone ? [] : 'the list is there');
  });

  it('delete a domain once, and leave it to be created anew', async () => {
    const domain = (await post('Domains', { DomainName: 'acme.sip.twilio.com' })).body.sid;
    const answers = TWENTY.map((n) => api(n).delete(`${SIP}/Domains/${domain}.json`));
    for (const { status } of await Promise.all(answers)) expect([204, 404]).toContain(status);
    expect(await createNameOwnership({ redis }).ownerOf('sip-domain', 'acme')).toBeUndefined();
    expect((await post('Domains', { DomainName: 'acme.sip.twilio.com' })).status).toBe(201);
  });
});
