import type { Twilio } from 'twilio';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { regionApp } from '../../../src/api/region-app.ts';
import { SIP_REALM } from '../../../src/config/sip.ts';
import { passwordHash } from '../../../src/sip/digest/digest.ts';
import { type Listening, listen } from '../../support/listen.ts';
import { twilioClient } from '../../support/twilio-client.ts';
import { ACCOUNT, CREATED, RegionWorld } from './support/region.ts';

const SIP = `/2010-04-01/Accounts/${ACCOUNT}/SIP`;
const then = new Date(CREATED);
const later = new Date(CREATED + 60_000);

let region: RegionWorld;
let server: Listening;
let client: Twilio;

beforeEach(async () => {
  region = new RegionWorld('ie1');
  server = await listen(regionApp(region.options()));
  client = twilioClient(server.port, ACCOUNT, region.token);
});

afterEach(() => server.close());

/** What the client made of an answer, without the client. */
const plain = (instance: { toJSON(): unknown }): unknown => JSON.parse(JSON.stringify(instance.toJSON()));
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const makeDomain = (name = 'acme') => client.sip.domains.create({ domainName: `${name}.sip.twilio.com` });

describe('domains through the official client', () => {
  const given = {
    friendlyName: 'Scranton',
    voiceUrl: 'https://example.com/voice',
    voiceMethod: 'GET',
    voiceFallbackUrl: 'https://example.com/fallback',
    voiceFallbackMethod: 'GET',
    voiceStatusCallbackUrl: 'https://example.com/status',
    voiceStatusCallbackMethod: 'GET',
    sipRegistration: true,
    secure: true,
    emergencyCallingEnabled: true,
  };

  it('are created with nothing but a name', async () => {
    const domain = await makeDomain();
    expect(domain.sid).toMatch(/^SD[0-9a-f]{32}$/);
    expect(plain(domain)).toEqual(
      json({
        accountSid: ACCOUNT,
        apiVersion: '2010-04-01',
        authType: '',
        dateCreated: then,
        dateUpdated: then,
        domainName: 'acme.sip.twilio.com',
        friendlyName: 'acme.sip.twilio.com',
        sid: domain.sid,
        uri: `${SIP}/Domains/${domain.sid}.json`,
        voiceFallbackMethod: 'POST',
        voiceFallbackUrl: null,
        voiceMethod: 'POST',
        voiceStatusCallbackMethod: 'POST',
        voiceStatusCallbackUrl: null,
        voiceUrl: null,
        subresourceUris: {
          credential_list_mappings: `${SIP}/Domains/${domain.sid}/CredentialListMappings.json`,
          ip_access_control_list_mappings: `${SIP}/Domains/${domain.sid}/IpAccessControlListMappings.json`,
        },
        sipRegistration: false,
        emergencyCallingEnabled: false,
        secure: false,
        byocTrunkSid: null,
        emergencyCallerSid: null,
      }),
    );
  });

  it('are created with everything, fetched, listed, updated and deleted', async () => {
    const number = await client.incomingPhoneNumbers.create({ phoneNumber: '+15105550100' });
    const all = { ...given, emergencyCallerSid: number.sid };
    const domain = await client.sip.domains.create({ domainName: 'acme.sip.trunkline.localhost', ...all });
    expect(plain(domain)).toMatchObject({ domainName: 'acme.sip.trunkline.localhost', ...all });
    expect(plain(await client.sip.domains(domain.sid).fetch())).toEqual(plain(domain));
    expect((await client.sip.domains.list()).map(plain)).toEqual([plain(domain)]);

    region.world.clock.tick(60_000);
    const updated = await client.sip
      .domains(domain.sid)
      .update({ voiceUrl: 'https://example.com/new', secure: false });
    const changed = { voiceUrl: 'https://example.com/new', secure: false, dateUpdated: later.toISOString() };
    expect(plain(updated)).toEqual({ ...(plain(domain) as object), ...changed });
    const cleared = await client.sip.domains(domain.sid).update({
      friendlyName: 'Other',
      voiceUrl: '',
      voiceFallbackUrl: '',
      voiceStatusCallbackUrl: '',
      emergencyCallerSid: '',
    });
    expect(plain(cleared)).toMatchObject({
      friendlyName: 'Other',
      voiceUrl: null,
      voiceFallbackUrl: null,
      voiceStatusCallbackUrl: null,
      emergencyCallerSid: null,
      voiceMethod: 'GET',
    });
    expect(await client.sip.domains(domain.sid).remove()).toBe(true);
    await expect(client.sip.domains(domain.sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
    expect(await client.sip.domains.list()).toEqual([]);
  });

  it('are listed newest first, page by page', async () => {
    for (let n = 1; n <= 5; n++) {
      await makeDomain(`name-${n}`);
      region.world.clock.tick(1000);
    }
    const names = (await client.sip.domains.list({ pageSize: 2 })).map(({ domainName }) => domainName);
    expect(names).toEqual([5, 4, 3, 2, 1].map((n) => `name-${n}.sip.twilio.com`));
    const page = await client.sip.domains.page({ pageSize: 2 });
    expect(page.instances).toHaveLength(2);
    expect((await page.nextPage())?.instances.map(({ domainName }) => domainName)).toEqual(
      [3, 2].map((n) => `name-${n}.sip.twilio.com`),
    );
  });
});

describe('IP access control lists through the official client', () => {
  it('are created, fetched, listed, updated and deleted', async () => {
    const { ipAccessControlLists } = client.sip;
    const list = await ipAccessControlLists.create({ friendlyName: 'Office' });
    expect(list.sid).toMatch(/^AL[0-9a-f]{32}$/);
    const shown = json({
      accountSid: ACCOUNT,
      dateCreated: then,
      dateUpdated: then,
      friendlyName: 'Office',
      sid: list.sid,
      subresourceUris: { ip_addresses: `${SIP}/IpAccessControlLists/${list.sid}/IpAddresses.json` },
      uri: `${SIP}/IpAccessControlLists/${list.sid}.json`,
    }) as object;
    // The published schema has the dates of these lists as text.
    const text = 'Thu, 15 Jan 2026 12:00:00 +0000';
    const asText = { ...shown, dateCreated: text, dateUpdated: text };
    expect([shown, asText]).toContainEqual(plain(list));
    expect(plain(await ipAccessControlLists(list.sid).fetch())).toEqual(plain(list));
    expect((await ipAccessControlLists.list()).map(plain)).toEqual([plain(list)]);
    region.world.clock.tick(60_000);
    const updated = await ipAccessControlLists(list.sid).update({ friendlyName: 'Home' });
    expect(updated.friendlyName).toBe('Home');
    expect(new Date(updated.dateUpdated)).toEqual(later);
    expect(await ipAccessControlLists(list.sid).remove()).toBe(true);
    await expect(ipAccessControlLists(list.sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
  });

  it('have addresses', async () => {
    const list = await client.sip.ipAccessControlLists.create({ friendlyName: 'Office' });
    const { ipAddresses } = client.sip.ipAccessControlLists(list.sid);
    const address = await ipAddresses.create({ friendlyName: 'PBX', ipAddress: '192.0.2.7' });
    expect(address.sid).toMatch(/^IP[0-9a-f]{32}$/);
    expect(plain(address)).toEqual(
      json({
        sid: address.sid,
        accountSid: ACCOUNT,
        friendlyName: 'PBX',
        ipAddress: '192.0.2.7',
        cidrPrefixLength: 32,
        ipAccessControlListSid: list.sid,
        dateCreated: then,
        dateUpdated: then,
        uri: `${SIP}/IpAccessControlLists/${list.sid}/IpAddresses/${address.sid}.json`,
      }),
    );
    expect(plain(await ipAddresses(address.sid).fetch())).toEqual(plain(address));
    expect((await ipAddresses.list()).map(plain)).toEqual([plain(address)]);
    region.world.clock.tick(60_000);
    const updated = await ipAddresses(address.sid).update({
      ipAddress: '2001:db8:0::1',
      friendlyName: 'IPv6',
      cidrPrefixLength: 64,
    });
    expect(plain(updated)).toEqual({
      ...(plain(address) as object),
      ipAddress: '2001:db8::1',
      friendlyName: 'IPv6',
      cidrPrefixLength: 64,
      dateUpdated: later.toISOString(),
    });
    expect(await ipAddresses(address.sid).remove()).toBe(true);
    expect(await ipAddresses.list()).toEqual([]);
  });
});

describe('credential lists through the official client', () => {
  it('are created, fetched, listed, updated and deleted', async () => {
    const { credentialLists } = client.sip;
    const list = await credentialLists.create({ friendlyName: 'Phones' });
    expect(list.sid).toMatch(/^CL[0-9a-f]{32}$/);
    expect(plain(list)).toEqual(
      json({
        accountSid: ACCOUNT,
        dateCreated: then,
        dateUpdated: then,
        friendlyName: 'Phones',
        sid: list.sid,
        subresourceUris: { credentials: `${SIP}/CredentialLists/${list.sid}/Credentials.json` },
        uri: `${SIP}/CredentialLists/${list.sid}.json`,
      }),
    );
    expect(plain(await credentialLists(list.sid).fetch())).toEqual(plain(list));
    expect((await credentialLists.list()).map(plain)).toEqual([plain(list)]);
    region.world.clock.tick(60_000);
    const updated = await credentialLists(list.sid).update({ friendlyName: 'Softphones' });
    expect([updated.friendlyName, updated.dateUpdated]).toEqual(['Softphones', later]);
    expect(await credentialLists(list.sid).remove()).toBe(true);
    await expect(credentialLists(list.sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
  });

  it('have credentials, whose passwords are kept as what a digest needs and never shown', async () => {
    const list = await client.sip.credentialLists.create({ friendlyName: 'Phones' });
    const { credentials } = client.sip.credentialLists(list.sid);
    const made = await credentials.create({ username: 'alice', password: 'IWasAtSignal2018' });
    expect(made.sid).toMatch(/^CR[0-9a-f]{32}$/);
    expect(plain(made)).toEqual(
      json({
        sid: made.sid,
        accountSid: ACCOUNT,
        credentialListSid: list.sid,
        username: 'alice',
        dateCreated: then,
        dateUpdated: then,
        uri: `${SIP}/CredentialLists/${list.sid}/Credentials/${made.sid}.json`,
      }),
    );
    expect(plain(await credentials(made.sid).fetch())).toEqual(plain(made));
    expect((await credentials.list()).map(plain)).toEqual([plain(made)]);

    const secretsOf = (password: string) => ({
      MD5: passwordHash('MD5', { username: 'alice', password }, SIP_REALM),
      'SHA-256': passwordHash('SHA-256', { username: 'alice', password }, SIP_REALM),
    });
    const kept = () => region.config.records.credentials.fetch(made.sid);
    expect((await kept())?.secrets).toEqual(secretsOf('IWasAtSignal2018'));
    region.world.clock.tick(60_000);
    const updated = await credentials(made.sid).update({ password: 'AndAgain2019Too' });
    expect(plain(updated)).toEqual({ ...(plain(made) as object), dateUpdated: later.toISOString() });
    expect((await kept())?.secrets).toEqual(secretsOf('AndAgain2019Too'));
    expect(JSON.stringify(await kept())).not.toContain('AndAgain');
    await credentials(made.sid).update();
    expect((await kept())?.secrets).toEqual(secretsOf('AndAgain2019Too'));
    expect(await credentials(made.sid).remove()).toBe(true);
    expect(await credentials.list()).toEqual([]);
  });
});

describe('mappings through the official client', () => {
  interface Mapping {
    toJSON(): unknown;
    readonly sid: string;
  }
  interface Mappings {
    create(list: string): Promise<Mapping>;
    list(): Promise<Mapping[]>;
    one(sid: string): { fetch(): Promise<Mapping>; remove(): Promise<boolean> };
  }
  const resources: Record<string, (domainSid: string) => Mappings> = {
    'legacy, access control lists': (domainSid) => {
      const all = client.sip.domains(domainSid).ipAccessControlListMappings;
      return {
        create: (sid) => all.create({ ipAccessControlListSid: sid }),
        list: () => all.list(),
        one: all,
      };
    },
    'legacy, credential lists': (domainSid) => {
      const all = client.sip.domains(domainSid).credentialListMappings;
      return { create: (sid) => all.create({ credentialListSid: sid }), list: () => all.list(), one: all };
    },
    'calls, access control lists': (domainSid) => {
      const all = client.sip.domains(domainSid).auth.calls.ipAccessControlListMappings;
      return {
        create: (sid) => all.create({ ipAccessControlListSid: sid }),
        list: () => all.list(),
        one: all,
      };
    },
    'calls, credential lists': (domainSid) => {
      const all = client.sip.domains(domainSid).auth.calls.credentialListMappings;
      return { create: (sid) => all.create({ credentialListSid: sid }), list: () => all.list(), one: all };
    },
    'registrations, credential lists': (domainSid) => {
      const all = client.sip.domains(domainSid).auth.registrations.credentialListMappings;
      return { create: (sid) => all.create({ credentialListSid: sid }), list: () => all.list(), one: all };
    },
  };

  it.each(Object.entries(resources))('%s: create, list, fetch, delete', async (name, of) => {
    const domain = await makeDomain();
    const isAccess = name.includes('access');
    const list = isAccess
      ? await client.sip.ipAccessControlLists.create({ friendlyName: 'Mine' })
      : await client.sip.credentialLists.create({ friendlyName: 'Mine' });
    const mappings = of(domain.sid);
    const mapping = await mappings.create(list.sid);
    const path = isAccess ? 'IpAccessControlListMappings' : 'CredentialListMappings';
    expect(plain(mapping)).toEqual(
      json({
        accountSid: ACCOUNT,
        dateCreated: then,
        dateUpdated: then,
        friendlyName: 'Mine',
        sid: list.sid,
        ...(name.startsWith('legacy') && {
          domainSid: domain.sid,
          uri: `${SIP}/Domains/${domain.sid}/${path}/${list.sid}.json`,
        }),
      }),
    );
    expect((await mappings.list()).map(plain)).toEqual([plain(mapping)]);
    expect(plain(await mappings.one(list.sid).fetch())).toEqual(plain(mapping));
    for (const [other, elsewhere] of Object.entries(resources)) {
      if (other === name) continue;
      expect(await elsewhere(domain.sid).list()).toEqual([]);
      await expect(elsewhere(domain.sid).one(list.sid).fetch()).rejects.toMatchObject({ status: 404 });
    }
    expect(await mappings.one(list.sid).remove()).toBe(true);
    expect(await mappings.list()).toEqual([]);
    await expect(mappings.one(list.sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
  });
});
