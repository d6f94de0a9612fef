import { beforeEach, describe, expect, it } from 'vitest';
import { type As, codeOf, SipWorld } from './sip-world.ts';
import { ACCOUNT, sid } from './support/region.ts';
import type { Form } from './support/rest.ts';

const GOOD = 'IWasAtSignal2018';

let sip: SipWorld;

beforeEach(() => {
  sip = new SipWorld();
});

const post = (below: string, form: Form, as?: As) => sip.post('ie1', below, form, as);

/** Puts `count` records in place without a request for each. */
async function fill(count: number, put: (n: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => put(n)));
}

const common = { accountSid: ACCOUNT, friendlyName: 'x', createdAt: 1, updatedAt: 1 };

describe('IP access control lists', () => {
  it.each([{}, { FriendlyName: '' }, { FriendlyName: 'x'.repeat(256) }])(
    'need a name: %j is 21235',
    async (form) => {
      expect(codeOf(await post('IpAccessControlLists', form))).toEqual([400, 21235]);
      const list = await sip.list('ie1', 'IpAccessControlLists');
      expect(codeOf(await post(`IpAccessControlLists/${list}`, form))).toEqual([400, 21235]);
      expect((await sip.get('ie1', `IpAccessControlLists/${list}`)).body.friendly_name).toBe('Mine');
    },
  );

  it('are at most 1000 for an account in a Region: 21255', async () => {
    const { accessLists } = sip.regions.ie1.config.records;
    await fill(999, (n) => accessLists.create({ ...common, sid: sid('AL', n + 5000) }));
    await sip.list('ie1', 'IpAccessControlLists');
    expect(codeOf(await post('IpAccessControlLists', { FriendlyName: 'x' }))).toEqual([400, 21255]);
    await sip.list('us1', 'IpAccessControlLists');
    await sip.list('ie1', 'IpAccessControlLists', await sip.subaccount());
  });

  it('are not deleted while a domain maps them, in whatever way: 21236', async () => {
    const domain = await sip.domain('ie1', 'acme');
    const list = await sip.list('ie1', 'IpAccessControlLists');
    await post(`IpAccessControlLists/${list}/IpAddresses`, { FriendlyName: 'a', IpAddress: '192.0.2.1' });
    for (const mappings of ['IpAccessControlListMappings', 'Auth/Calls/IpAccessControlListMappings']) {
      expect((await post(`${domain}/${mappings}`, { IpAccessControlListSid: list })).status).toBe(201);
      const refused = await sip.remove('ie1', `IpAccessControlLists/${list}`);
      expect(codeOf(refused)).toEqual([400, 21236]);
      expect(refused.body.message).toContain('acme.sip.twilio.com');
      await sip.remove('ie1', `${domain}/${mappings}/${list}`);
    }
    expect((await sip.remove('ie1', `IpAccessControlLists/${list}`)).status).toBe(204);
    expect(await sip.regions.ie1.config.records.addresses.list(list)).toEqual([]);
  });
});

describe('the addresses of a list', () => {
  let addresses: string;
  beforeEach(async () => {
    addresses = `IpAccessControlLists/${await sip.list('ie1', 'IpAccessControlLists')}/IpAddresses`;
  });

  it.each([
    ['192.0.2.1', undefined, '192.0.2.1', 32],
    ['192.0.2.1', '24', '192.0.2.1', 24],
    ['0.0.0.0', '0', '0.0.0.0', 0],
    ['2001:DB8:0:0:0:0:0:1', undefined, '2001:db8::1', 128],
    ['2001:db8::', '32', '2001:db8::', 32],
    ['::1', '128', '::1', 128],
  ])('%s with prefix %s is %s/%i', async (ip, prefix, shown, length) => {
    const form = { FriendlyName: 'a', IpAddress: ip, ...(prefix && { CidrPrefixLength: prefix }) };
    const { status, body } = await post(addresses, form);
    expect([status, body.ip_address, body.cidr_prefix_length]).toEqual([201, shown, length]);
  });

  it.each([
    [{ IpAddress: '192.0.2.1' }],
    [{ FriendlyName: 'a' }],
    [{ FriendlyName: 'a', IpAddress: '' }],
    [{ FriendlyName: 'x'.repeat(256), IpAddress: '192.0.2.1' }],
    [{ FriendlyName: 'a', IpAddress: '192.0.2.256' }],
    [{ FriendlyName: 'a', IpAddress: '192.0.2' }],
    [{ FriendlyName: 'a', IpAddress: '192.0.2.*' }],
    [{ FriendlyName: 'a', IpAddress: '192.0.2.01' }],
    [{ FriendlyName: 'a', IpAddress: '192.0.2.0/24' }],
    [{ FriendlyName: 'a', IpAddress: '192.0.2.1:5060' }],
    [{ FriendlyName: 'a', IpAddress: 'pbx.example.com' }],
    [{ FriendlyName: 'a', IpAddress: '::ffff:192.0.2.1' }],
    [{ FriendlyName: 'a', IpAddress: 'fe80::1%eth0' }],
    [{ FriendlyName: 'a', IpAddress: '2001:db8::/32' }],
    [{ FriendlyName: 'a', IpAddress: '192.0.2.1', CidrPrefixLength: '33' }],
    [{ FriendlyName: 'a', IpAddress: '192.0.2.1', CidrPrefixLength: '-1' }],
    [{ FriendlyName: 'a', IpAddress: '192.0.2.1', CidrPrefixLength: 'x' }],
    [{ FriendlyName: 'a', IpAddress: '2001:db8::', CidrPrefixLength: '129' }],
  ])('refuse %j: 21238', async (form) => {
    expect(codeOf(await post(addresses, form as Form))).toEqual([400, 21238]);
    expect((await sip.get('ie1', addresses)).body.ip_addresses).toEqual([]);
  });

  it('keep what an update does not mention, and a prefix only for its kind of address', async () => {
    const given = { FriendlyName: 'a', IpAddress: '192.0.2.1', CidrPrefixLength: '24' };
    const { body } = await post(addresses, given);
    const one = `${addresses}/${body.sid}`;
    const updated = async (form: Form) => {
      const { ip_address, cidr_prefix_length, friendly_name } = (await post(one, form)).body;
      return [friendly_name, ip_address, cidr_prefix_length];
    };
    expect(await updated({ FriendlyName: 'b' })).toEqual(['b', '192.0.2.1', 24]);
    expect(await updated({ IpAddress: '192.0.2.9' })).toEqual(['b', '192.0.2.9', 24]);
    expect(await updated({ IpAddress: '2001:db8::1' })).toEqual(['b', '2001:db8::1', 128]);
    expect(await updated({ CidrPrefixLength: '64' })).toEqual(['b', '2001:db8::1', 64]);
    expect(await updated({ IpAddress: '192.0.2.1' })).toEqual(['b', '192.0.2.1', 32]);
    expect(codeOf(await post(one, { CidrPrefixLength: '64' }))).toEqual([400, 21238]);
    expect(codeOf(await post(one, { IpAddress: 'x' }))).toEqual([400, 21238]);
    expect(await updated({})).toEqual(['b', '192.0.2.1', 32]);
  });

  it('are at most 25: 21237', async () => {
    for (let n = 1; n <= 25; n++) {
      expect((await post(addresses, { FriendlyName: 'a', IpAddress: `192.0.2.${n}` })).status).toBe(201);
    }
    const form = { FriendlyName: 'a', IpAddress: '192.0.2.26' };
    expect(codeOf(await post(addresses, form))).toEqual([400, 21237]);
    const { ip_addresses } = (await sip.get('ie1', addresses)).body;
    expect((await sip.remove('ie1', `${addresses}/${ip_addresses[0].sid}`)).status).toBe(204);
    expect((await post(addresses, form)).status).toBe(201);
  });

  it('are found under their own list alone', async () => {
    const { body } = await post(addresses, { FriendlyName: 'a', IpAddress: '192.0.2.1' });
    const other = `IpAccessControlLists/${await sip.list('ie1', 'IpAccessControlLists')}/IpAddresses`;
    for (const path of [`${other}/${body.sid}`, `${addresses}/IP1`, 'IpAccessControlLists/AL1/IpAddresses']) {
      expect(codeOf(await sip.get('ie1', path))).toEqual([404, 20404]);
    }
    expect(codeOf(await sip.remove('ie1', `${other}/${body.sid}`))).toEqual([404, 20404]);
  });
});

describe('credential lists', () => {
  it.each([{}, { FriendlyName: '' }, { FriendlyName: 'x'.repeat(65) }])(
    'need a name: %j is 21240',
    async (form) => {
      expect(codeOf(await post('CredentialLists', form))).toEqual([400, 21240]);
      const list = await sip.list('ie1', 'CredentialLists');
      expect(codeOf(await post(`CredentialLists/${list}`, form))).toEqual([400, 21240]);
    },
  );

  it('are at most 100 for an account in a Region: 21239', async () => {
    const { credentialLists } = sip.regions.ie1.config.records;
    await fill(99, (n) => credentialLists.create({ ...common, sid: sid('CL', n + 5000) }));
    await sip.list('ie1', 'CredentialLists');
    expect(codeOf(await post('CredentialLists', { FriendlyName: 'x' }))).toEqual([400, 21239]);
    await sip.list('us1', 'CredentialLists');
  });

  it('are not deleted while a domain maps them, in whatever way: 21241', async () => {
    const domain = await sip.domain('ie1', 'acme');
    const list = await sip.list('ie1', 'CredentialLists');
    await post(`CredentialLists/${list}/Credentials`, { Username: 'alice', Password: GOOD });
    for (const use of ['', 'Auth/Calls/', 'Auth/Registrations/']) {
      const mappings = `${domain}/${use}CredentialListMappings`;
      expect((await post(mappings, { CredentialListSid: list })).status).toBe(201);
      expect(codeOf(await sip.remove('ie1', `CredentialLists/${list}`))).toEqual([400, 21241]);
      await sip.remove('ie1', `${mappings}/${list}`);
    }
    expect((await sip.remove('ie1', `CredentialLists/${list}`)).status).toBe(204);
    expect(await sip.regions.ie1.config.records.credentials.list(list)).toEqual([]);
    expect(await sip.regions.ie1.config.records.credentials.find(`${list} alice`)).toBeUndefined();
  });
});

describe('the credentials of a list', () => {
  let credentials: string;
  let list: string;
  beforeEach(async () => {
    list = await sip.list('ie1', 'CredentialLists');
    credentials = `CredentialLists/${list}/Credentials`;
  });

  it.each(['a', '1440013725.28', 'x'.repeat(32), 'alice+phone', '*99', "o'neil", '+15105550100'])(
    'take the user name %s',
    async (Username) => {
      const { status, body } = await post(credentials, { Username, Password: GOOD });
      expect([status, body.username]).toEqual([201, Username]);
    },
  );

  it.each([
    [{}],
    [{ Username: 'alice' }],
    [{ Password: GOOD }],
    [{ Username: '', Password: GOOD }],
    [{ Username: 'x'.repeat(33), Password: GOOD }],
    [{ Username: 'two words', Password: GOOD }],
    [{ Username: 'alice@example.com', Password: GOOD }],
    [{ Username: 'a:b', Password: GOOD }],
    [{ Username: '"quoted"', Password: GOOD }],
    [{ Username: 'zoë', Password: GOOD }],
    [{ Username: 'a\r\nb', Password: GOOD }],
    [{ Username: 'alice', Password: '' }],
    [{ Username: 'alice', Password: 'Short1234ab' }],
    [{ Username: 'alice', Password: 'NoDigitsInThis' }],
    [{ Username: 'alice', Password: 'lowercase12345' }],
    [{ Username: 'alice', Password: 'UPPERCASE12345' }],
  ])('refuse %j: 21243, without repeating the password', async (form: Form) => {
    const response = await post(credentials, form);
    expect(codeOf(response)).toEqual([400, 21243]);
    if (form['Password']) expect(response.text).not.toContain(form['Password']);
    expect((await sip.get('ie1', credentials)).body.credentials).toEqual([]);
  });

  it('have a user name once in each list, with its case', async () => {
    const alice = { Username: 'alice', Password: GOOD };
    expect((await post(credentials, alice)).status).toBe(201);
    expect(codeOf(await post(credentials, alice))).toEqual([400, 21243]);
    expect((await post(credentials, { ...alice, Username: 'Alice' })).status).toBe(201);
    const other = await sip.list('ie1', 'CredentialLists');
    expect((await post(`CredentialLists/${other}/Credentials`, alice)).status).toBe(201);
  });

  it('refuse a weak password on update, and keep the old one', async () => {
    const { body } = await post(credentials, { Username: 'alice', Password: GOOD });
    const kept = () => sip.regions.ie1.config.records.credentials.fetch(body.sid);
    const before = await kept();
    expect(codeOf(await post(`${credentials}/${body.sid}`, { Password: 'weak' }))).toEqual([400, 21243]);
    expect(await kept()).toEqual(before);
  });

  it('hash a password as telephones send it, in UTF-8', async () => {
    const { body } = await post(credentials, { Username: 'alice', Password: 'Pässwörd1234€' });
    const kept = await sip.regions.ie1.config.records.credentials.fetch(body.sid);
    const { createHash } = await import('node:crypto');
    const md5 = createHash('md5').update('alice:sip.twilio.com:Pässwörd1234€', 'utf8').digest('hex');
    expect(kept?.secrets.MD5).toBe(md5);
  });

  it('are at most 1000: 21242', async () => {
    const records = sip.regions.ie1.config.records.credentials;
    await fill(999, (n) =>
      records.create({
        sid: sid('CR', n + 5000),
        accountSid: ACCOUNT,
        listSid: list,
        username: `user-${n}`,
        secrets: { MD5: '', 'SHA-256': '' },
        createdAt: 1,
        updatedAt: 1,
      }),
    );
    expect((await post(credentials, { Username: 'alice', Password: GOOD })).status).toBe(201);
    expect(codeOf(await post(credentials, { Username: 'bob', Password: GOOD }))).toEqual([400, 21242]);
    const query = sip.path(credentials).concat('?PageSize=1000');
    expect((await sip.rest.ie1.get(query)).body.credentials).toHaveLength(1000);
  });
});

describe('mappings', () => {
  const USES = [
    ['IpAccessControlListMappings', 'IpAccessControlLists', 'IpAccessControlListSid'],
    ['CredentialListMappings', 'CredentialLists', 'CredentialListSid'],
    ['Auth/Calls/IpAccessControlListMappings', 'IpAccessControlLists', 'IpAccessControlListSid'],
    ['Auth/Calls/CredentialListMappings', 'CredentialLists', 'CredentialListSid'],
    ['Auth/Registrations/CredentialListMappings', 'CredentialLists', 'CredentialListSid'],
  ] as const;

  it.each(USES)(
    '%s: once for each list (21231), of this account and Region (404)',
    async (path, kind, parameter) => {
      const mappings = `${await sip.domain('ie1', 'acme')}/${path}`;
      const list = await sip.list('ie1', kind);
      expect(codeOf(await post(mappings, {}))).toEqual([400, 21231]);
      expect((await post(mappings, { [parameter]: list })).status).toBe(201);
      expect(codeOf(await post(mappings, { [parameter]: list }))).toEqual([400, 21231]);
      const wrongKind = kind === 'CredentialLists' ? 'IpAccessControlLists' : 'CredentialLists';
      for (const [wrong, why] of [
        ['AL1', 'no SID'],
        [await sip.list('us1', kind), 'another Region'],
        [await sip.list('ie1', kind, await sip.subaccount()), 'another account'],
        [await sip.list('ie1', wrongKind), 'the other kind'],
      ] as const) {
        expect(codeOf(await post(mappings, { [parameter]: wrong })), why).toEqual([404, 20404]);
      }
      expect(
        (await sip.get('ie1', mappings)).body[path.startsWith('Auth') ? 'contents' : keyOf(path)],
      ).toHaveLength(1);
    },
  );

  const keyOf = (path: string) =>
    path.replace(/[A-Z]/g, (letter, at) => `${at ? '_' : ''}${letter.toLowerCase()}`);

  it('are at most 100 of a kind and use for a domain: 21231', async () => {
    const mappings = `${await sip.domain('ie1', 'acme')}/Auth/Calls/IpAccessControlListMappings`;
    for (let n = 0; n < 100; n++) {
      const IpAccessControlListSid = await sip.list('ie1', 'IpAccessControlLists');
      expect((await post(mappings, { IpAccessControlListSid })).status).toBe(201);
    }
    const last = { IpAccessControlListSid: await sip.list('ie1', 'IpAccessControlLists') };
    expect(codeOf(await post(mappings, last))).toEqual([400, 21231]);
    expect((await post(mappings.replace('Auth/Calls/', ''), last)).status).toBe(201);
  });

  it('follow the name of their list', async () => {
    const mappings = `${await sip.domain('ie1', 'acme')}/CredentialListMappings`;
    const list = await sip.list('ie1', 'CredentialLists');
    await post(mappings, { CredentialListSid: list });
    await post(`CredentialLists/${list}`, { FriendlyName: 'Renamed' });
    expect((await sip.get('ie1', `${mappings}/${list}`)).body.friendly_name).toBe('Renamed');
    expect((await sip.get('ie1', mappings)).body.credential_list_mappings[0].friendly_name).toBe('Renamed');
  });
});
