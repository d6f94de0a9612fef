import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegionalRecords } from '../../src/config/port.ts';
import {
  type DomainMapping,
  type IpAddress,
  mappingSid,
  type SipCredential,
  type SipDomain,
} from '../../src/config/sip.ts';
import { createSipDirectory, type SipDirectory } from '../../src/config/sip-directory.ts';

const ONE = `AC${'1'.repeat(32)}`;
const TWO = `AC${'2'.repeat(32)}`;
const common = { friendlyName: '', createdAt: 1, updatedAt: 1 };

const domain = (name: string, accountSid = ONE): SipDomain => ({
  ...common,
  sid: `SD of ${name}`,
  accountSid,
  name,
  domainName: `${name}.sip.twilio.com`,
  voiceUrl: 'https://example.com/voice',
  voiceMethod: 'POST',
  voiceFallbackUrl: '',
  voiceFallbackMethod: 'POST',
  voiceStatusCallbackUrl: '',
  voiceStatusCallbackMethod: 'POST',
  sipRegistration: true,
  secure: false,
  emergencyCallingEnabled: false,
  emergencyCallerSid: null,
  byocTrunkSid: null,
});

const mapping = (
  of: SipDomain,
  use: DomainMapping['use'],
  list: DomainMapping['list'],
  listSid: string,
): DomainMapping => ({
  sid: mappingSid({ domainSid: of.sid, use, listSid }),
  accountSid: of.accountSid,
  domainSid: of.sid,
  use,
  list,
  listSid,
  createdAt: 1,
});

const address = (listSid: string, ipAddress: string): IpAddress => ({
  ...common,
  sid: `IP ${listSid} ${ipAddress}`,
  accountSid: ONE,
  listSid,
  ipAddress,
  cidrPrefixLength: 32,
});

const credential = (listSid: string, username: string, accountSid = ONE): SipCredential => ({
  sid: `CR ${listSid} ${username}`,
  accountSid,
  listSid,
  username,
  secrets: { MD5: 'a', 'SHA-256': 'b' },
  createdAt: 1,
  updatedAt: 1,
});

/** What a `SipDirectory` answers when somebody else writes the records it reads. */
export function directoryConformance(
  name: string,
  setUp: () => Promise<{ reader: RegionalRecords; writer: RegionalRecords; tearDown(): Promise<void> }>,
): void {
  describe(`SipDirectory: ${name}`, () => {
    let backend: Awaited<ReturnType<typeof setUp>>;
    let directory: SipDirectory;
    beforeEach(async () => {
      backend = await setUp();
      directory = createSipDirectory(backend.reader);
    });
    afterEach(() => backend.tearDown());

    const acme = domain('acme');

    it('sees a domain come, change and go with the next question', async () => {
      const { domains } = backend.writer;
      expect(await directory.domain('acme')).toBeUndefined();
      await domains.create(acme);
      expect(await directory.domain('acme')).toEqual({
        domain: acme,
        callAddresses: null,
        callLists: [],
        registrationLists: [],
      });
      await domains.change(acme.sid, (before) => ({ ...before, secure: true }));
      expect((await directory.domain('acme'))?.domain.secure).toBe(true);
      await domains.remove(acme.sid);
      expect(await directory.domain('acme')).toBeUndefined();
    });

    it('counts legacy mappings and those for calls, each list once, and keeps registrations apart', async () => {
      const { domains, mappings, addresses } = backend.writer;
      await domains.create(acme);
      const acl = 'ip-access-control-list';
      for (const one of [
        mapping(acme, 'legacy', acl, 'AL1'),
        mapping(acme, 'calls', acl, 'AL1'),
        mapping(acme, 'calls', acl, 'AL2'),
        mapping(acme, 'legacy', 'credential-list', 'CL1'),
        mapping(acme, 'calls', 'credential-list', 'CL2'),
        mapping(acme, 'registrations', 'credential-list', 'CL3'),
      ]) {
        expect(await mappings.create(one)).toBe('created');
      }
      for (const one of [address('AL1', '192.0.2.1'), address('AL2', '192.0.2.2')])
        await addresses.create(one);
      await addresses.create(address('AL3', '192.0.2.3'));
      expect(await directory.domain('acme')).toEqual({
        domain: acme,
        callAddresses: [address('AL1', '192.0.2.1'), address('AL2', '192.0.2.2')],
        callLists: ['CL1', 'CL2'],
        registrationLists: ['CL3'],
      });
    });

    it('tells a mapped list without addresses from no list at all', async () => {
      const { domains, mappings } = backend.writer;
      await domains.create(acme);
      await mappings.create(mapping(acme, 'calls', 'ip-access-control-list', 'AL1'));
      expect((await directory.domain('acme'))?.callAddresses).toEqual([]);
    });

    it('sees mappings, addresses and credentials come and go with the next question', async () => {
      const { domains, mappings, addresses, credentials } = backend.writer;
      await domains.create(acme);
      await directory.domain('acme');
      const mapped = mapping(acme, 'calls', 'ip-access-control-list', 'AL1');
      await mappings.create(mapped);
      await addresses.create(address('AL1', '192.0.2.1'));
      expect((await directory.domain('acme'))?.callAddresses).toHaveLength(1);
      await addresses.remove(address('AL1', '192.0.2.1').sid);
      expect((await directory.domain('acme'))?.callAddresses).toEqual([]);
      await mappings.remove(mapped.sid);
      expect((await directory.domain('acme'))?.callAddresses).toBeNull();

      const alice = credential('CL1', 'alice');
      expect(await directory.credential(['CL1'], 'alice')).toBeUndefined();
      await credentials.create(alice);
      expect(await directory.credential(['CL1'], 'alice')).toEqual(alice);
      const secrets = { MD5: 'c', 'SHA-256': 'd' };
      await credentials.change(alice.sid, (before) => ({ ...before, secrets }));
      expect((await directory.credential(['CL1'], 'alice'))?.secrets).toEqual(secrets);
      await credentials.remove(alice.sid);
      expect(await directory.credential(['CL1'], 'alice')).toBeUndefined();
    });

    it('finds exactly this user in the first list that has one, and in no other list', async () => {
      const { credentials } = backend.writer;
      for (const list of ['CL1', 'CL2', 'CL9']) await credentials.create(credential(list, 'alice'));
      expect((await directory.credential(['CL0', 'CL2', 'CL1'], 'alice'))?.listSid).toBe('CL2');
      expect(await directory.credential(['CL0'], 'alice')).toBeUndefined();
      expect(await directory.credential([], 'alice')).toBeUndefined();
      for (const wrong of ['Alice', 'alice ', '', 'x'.repeat(1000)]) {
        expect(await directory.credential(['CL1'], wrong)).toBeUndefined();
      }
    });

    it('keeps two accounts apart', async () => {
      const { domains, mappings, credentials } = backend.writer;
      const beta = domain('beta', TWO);
      await domains.create(acme);
      await domains.create(beta);
      await mappings.create(mapping(beta, 'calls', 'credential-list', 'CL2'));
      await credentials.create(credential('CL2', 'alice', TWO));
      expect((await directory.domain('acme'))?.callLists).toEqual([]);
      const access = await directory.domain('beta');
      expect([access?.domain.accountSid, access?.callLists]).toEqual([TWO, ['CL2']]);
    });

    it('answers many questions at once as one after the other, and is right after each change', async () => {
      const { domains } = backend.writer;
      await domains.create(acme);
      for (const url of ['https://example.com/1', 'https://example.com/2', 'https://example.com/3']) {
        const during = Array.from({ length: 10 }, () => directory.domain('acme'));
        await domains.change(acme.sid, (before) => ({ ...before, voiceUrl: url }));
        const after = Array.from({ length: 10 }, () => directory.domain('acme'));
        await Promise.all(during);
        for (const answer of await Promise.all(after)) expect(answer?.domain.voiceUrl).toBe(url);
      }
    });

    it('rejects when the records cannot be read', async () => {
      const version = () => Promise.reject(new Error('no connection'));
      const cut = createSipDirectory({ ...backend.reader, version });
      await expect(cut.domain('acme')).rejects.toThrow('no connection');
      await expect(cut.credential(['CL1'], 'alice')).rejects.toThrow('no connection');
    });
  });
}
