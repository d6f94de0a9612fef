import { beforeEach, describe, expect, it } from 'vitest';
import { codeOf, SipWorld } from './sip-world.ts';
import { ACCOUNT, sid } from './support/region.ts';
import type { Form } from './support/rest.ts';

let sip: SipWorld;

beforeEach(() => {
  sip = new SipWorld();
});

describe('the name of a domain', () => {
  it.each([
    'acme.sip.twilio.com',
    'acme.sip.trunkline.localhost',
    'a.sip.twilio.com',
    '4-ever-1.sip.twilio.com',
    `${'a'.repeat(63)}.sip.twilio.com`,
  ])('may be %s, and is shown as it was given', async (name) => {
    const { status, body } = await sip.create('ie1', name);
    expect([status, body.domain_name]).toEqual([201, name]);
  });

  it('has no case, and shows the one it was given', async () => {
    const { body } = await sip.create('ie1', 'Acme.SIP.Twilio.com');
    expect(body.domain_name).toBe('Acme.SIP.Twilio.com');
    expect(codeOf(await sip.create('ie1', 'acme.sip.twilio.com'))).toEqual([400, 21232]);
  });

  it.each([
    '',
    'acme',
    'acme.example.com',
    'acme.twilio.com',
    'acme.pstn.twilio.com',
    'sip.twilio.com',
    '.sip.twilio.com',
    'acme.sip.dublin.twilio.com',
    'acme.sip.ie1.twilio.com',
    'acme.sip.twilio.com.example.com',
    'ac_me.sip.twilio.com',
    'ac me.sip.twilio.com',
    '-acme.sip.twilio.com',
    'acme-.sip.twilio.com',
    'a..b.sip.twilio.com',
    'zoë.sip.twilio.com',
    'acme.sip.twilio.com.',
    `${'a'.repeat(64)}.sip.twilio.com`,
    `${'a.'.repeat(130)}b.sip.twilio.com`,
    "x';DROP TABLE domains;--.sip.twilio.com",
    'acme\u0000.sip.twilio.com',
  ])('may not be %j: 21231', async (name) => {
    expect(codeOf(await sip.create('ie1', name))).toEqual([400, 21231]);
    expect(await sip.regions.ie1.config.records.domains.list(ACCOUNT)).toEqual([]);
  });

  it('is required', async () => {
    const response = await sip.post('ie1', 'Domains', { FriendlyName: 'x' });
    expect(codeOf(response)).toEqual([400, 21231]);
  });

  it('is taken once, under either base domain, by one account', async () => {
    await sip.domain('ie1', 'acme');
    expect(codeOf(await sip.create('ie1', 'acme.sip.trunkline.localhost'))).toEqual([400, 21232]);
    const other = await sip.stranger();
    expect(codeOf(await sip.create('ie1', 'acme.sip.twilio.com', {}, other))).toEqual([400, 21232]);
    expect(codeOf(await sip.create('ie1', 'acme.sip.twilio.com', {}, await sip.subaccount()))).toEqual([
      400, 21232,
    ]);
    expect(await sip.world.names.ownerOf('sip-domain', 'acme')).toBe(ACCOUNT);
  });
});

describe('the fields of a domain', () => {
  it.each([
    [{ FriendlyName: 'x'.repeat(65) }, 21231],
    [{ VoiceUrl: 'not a url' }, 21231],
    [{ VoiceUrl: 'ftp://example.com' }, 21231],
    [{ VoiceFallbackUrl: '/relative' }, 21231],
    [{ VoiceStatusCallbackUrl: 'javascript:alert(1)' }, 21231],
    [{ VoiceMethod: 'PUT' }, 21231],
    [{ VoiceFallbackMethod: 'HEAD' }, 21231],
    [{ VoiceStatusCallbackMethod: 'x' }, 21231],
    [{ SipRegistration: 'yes' }, 20001],
    [{ Secure: '1' }, 20001],
    [{ EmergencyCallingEnabled: 'maybe' }, 20001],
    [{ EmergencyCallerSid: sid('PN', 99) }, 21231],
    [{ EmergencyCallerSid: 'PN1' }, 21231],
    [{ ByocTrunkSid: sid('BY', 1) }, 21231],
  ])('%j is refused with %i, on create and on update, and nothing changes', async (form, code) => {
    expect(codeOf(await sip.create('ie1', 'acme.sip.twilio.com', form))).toEqual([400, code]);
    expect(await sip.world.names.ownerOf('sip-domain', 'acme')).toBeUndefined();
    expect(await sip.route('acme')).toBeUndefined();
    const domain = await sip.domain('ie1', 'acme');
    const before = (await sip.get('ie1', domain)).body;
    expect(codeOf(await sip.post('ie1', domain, { ...form, DomainName: 'new.sip.twilio.com' }))).toEqual([
      400,
      code,
    ]);
    expect((await sip.get('ie1', domain)).body).toEqual(before);
    expect(await sip.world.names.ownerOf('sip-domain', 'new')).toBeUndefined();
  });

  it('takes what nobody knows for nothing, as Twilio does', async () => {
    expect((await sip.create('ie1', 'acme.sip.twilio.com', { Unknown: 'x' })).status).toBe(201);
  });

  it('says what lets callers in, which registrations do not', async () => {
    const domain = await sip.domain('ie1', 'acme');
    const acl = await sip.list('ie1', 'IpAccessControlLists');
    const cl = await sip.list('ie1', 'CredentialLists');
    const authType = async () => {
      const fetched = (await sip.get('ie1', domain)).body.auth_type;
      expect((await sip.get('ie1', 'Domains')).body.domains[0].auth_type).toBe(fetched);
      return fetched;
    };
    const map = (mappings: string, form: Form) => sip.post('ie1', `${domain}/${mappings}`, form);
    const unmap = (mappings: string, listSid: string) =>
      sip.remove('ie1', `${domain}/${mappings}/${listSid}`);
    expect(await authType()).toBe('');
    await map('Auth/Registrations/CredentialListMappings', { CredentialListSid: cl });
    expect(await authType()).toBe('');
    await map('Auth/Calls/CredentialListMappings', { CredentialListSid: cl });
    expect(await authType()).toBe('CREDENTIAL_LIST');
    await map('IpAccessControlListMappings', { IpAccessControlListSid: acl });
    expect(await authType()).toBe('IP_ACL,CREDENTIAL_LIST');
    await map('Auth/Calls/IpAccessControlListMappings', { IpAccessControlListSid: acl });
    await unmap('Auth/Calls/CredentialListMappings', cl);
    await unmap('IpAccessControlListMappings', acl);
    expect(await authType()).toBe('IP_ACL');
    await map('CredentialListMappings', { CredentialListSid: cl });
    await unmap('Auth/Calls/IpAccessControlListMappings', acl);
    expect(await authType()).toBe('CREDENTIAL_LIST');
  });
});

describe('what is not there', () => {
  it.each(['SD1', 'x', sid('SD', 9), '%00', '..%2f..', "'; --"])(
    '%s is 404, for every method',
    async (name) => {
      for (const response of [
        await sip.get('ie1', `Domains/${name}`),
        await sip.post('ie1', `Domains/${name}`, { FriendlyName: 'x' }),
        await sip.remove('ie1', `Domains/${name}`),
        await sip.get('ie1', `Domains/${name}/CredentialListMappings`),
      ]) {
        expect(codeOf(response)).toEqual([404, 20404]);
      }
    },
  );

  it('includes another account’s domain', async () => {
    const domain = await sip.domain('ie1', 'acme');
    const other = await sip.stranger();
    expect(codeOf(await sip.get('ie1', domain, other))).toEqual([404, 20404]);
    expect(codeOf(await sip.remove('ie1', domain, other))).toEqual([404, 20404]);
    expect((await sip.get('ie1', domain)).status).toBe(200);
  });
});
