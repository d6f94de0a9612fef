import { beforeEach, describe, expect, it } from 'vitest';
import type { RegionalRecords } from '../../../src/config/port.ts';
import { mappingsOf } from '../../../src/config/sip.ts';
import { codeOf, SipWorld } from './sip-world.ts';
import { type Form, Rest } from './support/rest.ts';

type Kind = Exclude<keyof RegionalRecords, 'version'>;

let sip: SipWorld;
let domain: string;
let acl: string;
let cl: string;

beforeEach(async () => {
  sip = new SipWorld();
  domain = await sip.domain('ie1', 'acme');
  acl = await sip.list('ie1', 'IpAccessControlLists');
  cl = await sip.list('ie1', 'CredentialLists');
});

/** ie1 as one process sees it in which `meanwhile` happens elsewhere right before a record is written or removed. */
function racing(kind: Kind, method: 'create' | 'remove', meanwhile: () => Promise<unknown>): Rest {
  const { config } = sip.regions.ie1;
  let happened = false;
  const store = new Proxy(config.records[kind], {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== method || typeof value !== 'function') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        if (!happened) {
          happened = true;
          await meanwhile();
        }
        return Reflect.apply(value, target, args);
      };
    },
  });
  return new Rest(sip.regions.ie1, { config: { ...config, records: { ...config.records, [kind]: store } } });
}

const records = () => sip.regions.ie1.config.records;
const mappingsLeft = () => mappingsOf(records().mappings, domain.split('/')[1] ?? '');
const remove = (below: string) => async () => {
  expect((await sip.remove('ie1', below)).status).toBe(204);
};
const add = (below: string, form: Form) => async () => {
  expect((await sip.post('ie1', below, form)).status).toBe(201);
};

const ADDRESS = { FriendlyName: 'a', IpAddress: '192.0.2.1' };
const ALICE = { Username: 'alice', Password: 'IWasAtSignal2018' };

describe('what is deleted while it is added to', () => {
  it('is not found: a list that gets an address', async () => {
    const rest = racing('addresses', 'create', remove(`IpAccessControlLists/${acl}`));
    const answer = await rest.post(sip.path(`IpAccessControlLists/${acl}/IpAddresses`), ADDRESS);
    expect(codeOf(answer)).toEqual([404, 20404]);
    expect(await records().addresses.list(acl)).toEqual([]);
  });

  it('is not found: a list that gets a credential', async () => {
    const rest = racing('credentials', 'create', remove(`CredentialLists/${cl}`));
    const answer = await rest.post(sip.path(`CredentialLists/${cl}/Credentials`), ALICE);
    expect(codeOf(answer)).toEqual([404, 20404]);
    expect(await records().credentials.list(cl)).toEqual([]);
  });

  it('is not found: a list that is mapped', async () => {
    const rest = racing('mappings', 'create', remove(`CredentialLists/${cl}`));
    const answer = await rest.post(sip.path(`${domain}/CredentialListMappings`), { CredentialListSid: cl });
    expect(codeOf(answer)).toEqual([404, 20404]);
    expect(await mappingsLeft()).toEqual([]);
  });

  it('is not found: a domain that maps a list', async () => {
    const rest = racing('mappings', 'create', remove(domain));
    const answer = await rest.post(sip.path(`${domain}/CredentialListMappings`), { CredentialListSid: cl });
    expect(codeOf(answer)).toEqual([404, 20404]);
    expect(await mappingsLeft()).toEqual([]);
  });
});

describe('what is added to something while it is deleted', () => {
  it('goes with it: an address, and a mapping of its list', async () => {
    const below = `IpAccessControlLists/${acl}`;
    const rest = racing('accessLists', 'remove', async () => {
      await add(`${below}/IpAddresses`, ADDRESS)();
      await add(`${domain}/IpAccessControlListMappings`, { IpAccessControlListSid: acl })();
    });
    expect((await rest.delete(sip.path(below))).status).toBe(204);
    expect([await records().addresses.list(acl), await mappingsLeft()]).toEqual([[], []]);
  });

  it('goes with it: a credential', async () => {
    const below = `CredentialLists/${cl}`;
    const rest = racing('credentialLists', 'remove', add(`${below}/Credentials`, ALICE));
    expect((await rest.delete(sip.path(below))).status).toBe(204);
    expect(await records().credentials.list(cl)).toEqual([]);
  });

  it('goes with it: a mapping of its domain', async () => {
    const mapping = add(`${domain}/Auth/Calls/CredentialListMappings`, { CredentialListSid: cl });
    const rest = racing('domains', 'remove', mapping);
    expect((await rest.delete(sip.path(domain))).status).toBe(204);
    expect(await mappingsLeft()).toEqual([]);
  });
});

describe('a name that is taken while a domain is created', () => {
  it('by the same account stays with the faster request', async () => {
    const rest = racing('domains', 'create', () => sip.domain('ie1', 'beta'));
    const answer = await rest.post(sip.path('Domains'), { DomainName: 'beta.sip.twilio.com' });
    expect(codeOf(answer)).toEqual([400, 21232]);
    expect(await sip.world.names.regionsOf('sip-domain', 'beta')).toEqual(['ie1']);
    expect((await sip.route('beta'))?.voiceRegion).toBe('ie1');
  });
});
