import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { ACCOUNT, RegionWorld, sid } from './support/region.ts';
import { type Form, Rest } from './support/rest.ts';

const LIBRARY = new URL('../../../node_modules/twilio/lib/rest/', import.meta.url);
const ACCOUNT_PATH = `/2010-04-01/Accounts/${ACCOUNT}`;

/** What the official client expects of one resource. */
interface Expected {
  readonly fields: readonly string[];
  /** Field by field, how its date is written: `rfc2822DateTime`, `iso8601DateTime`. */
  readonly dates: ReadonlyMap<string, string>;
}

function expected(file: string): Expected {
  const types = readFileSync(new URL(`${file}.d.ts`, LIBRARY), 'utf8');
  const code = readFileSync(new URL(`${file}.js`, LIBRARY), 'utf8');
  const payload = /^interface \w+Resource \{\n([^}]*)/m.exec(types)?.[1] ?? '';
  const fields = [...payload.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name = '']) => name);
  const dates = [...code.matchAll(/deserialize\.(\w+DateTime)\(payload\.(\w+)\)/g)].map(
    ([, how = '', name = '']) => [name, how] as const,
  );
  expect(fields.length, file).toBeGreaterThan(1);
  return { fields, dates: new Map(dates) };
}

const WRITTEN: Readonly<Record<string, RegExp>> = {
  rfc2822DateTime: /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/,
  iso8601DateTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
};

/** One of each, by the file of the client that reads it. */
const samples = new Map<string, unknown>();

beforeAll(async () => {
  const region = new RegionWorld('us1');
  const rest = new Rest(region);
  const diagnostics = [{ code: 11200, level: 'error', message: 'HTTP retrieval failure' }] as never;
  await region.addCall(1, { diagnostics });
  await region.addRecording(1, Buffer.from('RIFF'));
  const made = async (path: string, form: Form) => {
    const { status, body } = await rest.post(path, form);
    expect(status, `${path}: ${JSON.stringify(body)}`).toBeLessThan(300);
    return body;
  };
  const get = async (path: string) => {
    const { status, body } = await rest.get(path);
    expect(status, `${path}: ${JSON.stringify(body)}`).toBe(200);
    return body;
  };
  const account = (file: string, body: unknown) => samples.set(`api/v2010/account/${file}`, body);

  samples.set('api/v2010/account', await get(`${ACCOUNT_PATH}.json`));
  account('application', await made(`${ACCOUNT_PATH}/Applications.json`, { FriendlyName: 'a' }));
  account('call', await get(`${ACCOUNT_PATH}/Calls/${sid('CA', 1)}.json`));
  account('newKey', await made(`${ACCOUNT_PATH}/Keys.json`, {}));
  account('key', (await get(`${ACCOUNT_PATH}/Keys.json`)).keys[0]);
  account('newSigningKey', await made(`${ACCOUNT_PATH}/SigningKeys.json`, {}));
  account('signingKey', (await get(`${ACCOUNT_PATH}/SigningKeys.json`)).signing_keys[0]);
  account('recording', await get(`${ACCOUNT_PATH}/Recordings/${sid('RE', 1)}.json`));
  const ofCall = await get(`${ACCOUNT_PATH}/Calls/${sid('CA', 1)}/Recordings.json`);
  account('call/recording', ofCall.recordings[0]);
  for (const [file, path] of [
    ['notification', 'Notifications'],
    ['call/notification', `Calls/${sid('CA', 1)}/Notifications`],
  ] as const) {
    const [listed] = (await get(`${ACCOUNT_PATH}/${path}.json`)).notifications;
    account(file, await get(`${ACCOUNT_PATH}/${path}/${listed.sid}.json`)); // lists leave the exchange out
  }

  for (const [file, path] of [
    ['incomingPhoneNumber', 'IncomingPhoneNumbers'],
    ['incomingPhoneNumber/local', 'IncomingPhoneNumbers/Local'],
  ] as const) {
    const number = file.includes('local') ? '+15105550151' : '+15105550150';
    account(file, await made(`${ACCOUNT_PATH}/${path}.json`, { PhoneNumber: number }));
  }
  const offered = await get(`${ACCOUNT_PATH}/AvailablePhoneNumbers/US/Local.json`);
  account('availablePhoneNumberCountry/local', offered.available_phone_numbers[0]);
  const country = await get(`${ACCOUNT_PATH}/AvailablePhoneNumbers/US.json`);
  account('availablePhoneNumberCountry', country);

  const sip = `${ACCOUNT_PATH}/SIP`;
  const domain = await made(`${sip}/Domains.json`, { DomainName: 'fields.sip.twilio.com' });
  account('sip/domain', domain);
  const list = await made(`${sip}/CredentialLists.json`, { FriendlyName: 'users' });
  account('sip/credentialList', list);
  const login = { Username: 'alice', Password: 'Correct-Horse-1' };
  account(
    'sip/credentialList/credential',
    await made(`${sip}/CredentialLists/${list.sid}/Credentials.json`, login),
  );
  const acl = await made(`${sip}/IpAccessControlLists.json`, { FriendlyName: 'offices' });
  account('sip/ipAccessControlList', acl);
  const office = { FriendlyName: 'one', IpAddress: '192.0.2.1' };
  account(
    'sip/ipAccessControlList/ipAddress',
    await made(`${sip}/IpAccessControlLists/${acl.sid}/IpAddresses.json`, office),
  );
  const below = `${sip}/Domains/${domain.sid}`;
  for (const [file, path, form] of [
    ['credentialListMapping', 'CredentialListMappings', { CredentialListSid: list.sid }],
    ['ipAccessControlListMapping', 'IpAccessControlListMappings', { IpAccessControlListSid: acl.sid }],
    [
      'authTypes/authTypeCalls/authCallsCredentialListMapping',
      'Auth/Calls/CredentialListMappings',
      { CredentialListSid: list.sid },
    ],
    [
      'authTypes/authTypeCalls/authCallsIpAccessControlListMapping',
      'Auth/Calls/IpAccessControlListMappings',
      { IpAccessControlListSid: acl.sid },
    ],
    [
      'authTypes/authTypeRegistrations/authRegistrationsCredentialListMapping',
      'Auth/Registrations/CredentialListMappings',
      { CredentialListSid: list.sid },
    ],
  ] as const) {
    account(`sip/domain/${file}`, await made(`${below}/${path}.json`, form));
  }
  samples.set('routes/v2/phoneNumber', await made('/v2/PhoneNumbers/+15105550150', { VoiceRegion: 'ie1' }));
  samples.set(
    'routes/v2/sipDomain',
    await made('/v2/SipDomains/fields.sip.twilio.com', { VoiceRegion: 'us1' }),
  );
  samples.set('accounts/v1/secondaryAuthToken', await made('/v1/AuthTokens/Secondary', {}));
  samples.set('accounts/v1/authTokenPromotion', await made('/v1/AuthTokens/Promote', {}));
});

describe('what the official client reads', () => {
  it.each([
    'api/v2010/account',
    'api/v2010/account/application',
    'api/v2010/account/call',
    'api/v2010/account/newKey',
    'api/v2010/account/key',
    'api/v2010/account/newSigningKey',
    'api/v2010/account/signingKey',
    'api/v2010/account/recording',
    'api/v2010/account/call/recording',
    'api/v2010/account/notification',
    'api/v2010/account/call/notification',
    'api/v2010/account/incomingPhoneNumber',
    'api/v2010/account/incomingPhoneNumber/local',
    'api/v2010/account/availablePhoneNumberCountry',
    'api/v2010/account/availablePhoneNumberCountry/local',
    'api/v2010/account/sip/domain',
    'api/v2010/account/sip/credentialList',
    'api/v2010/account/sip/credentialList/credential',
    'api/v2010/account/sip/ipAccessControlList',
    'api/v2010/account/sip/ipAccessControlList/ipAddress',
    'api/v2010/account/sip/domain/credentialListMapping',
    'api/v2010/account/sip/domain/ipAccessControlListMapping',
    'api/v2010/account/sip/domain/authTypes/authTypeCalls/authCallsCredentialListMapping',
    'api/v2010/account/sip/domain/authTypes/authTypeCalls/authCallsIpAccessControlListMapping',
    'api/v2010/account/sip/domain/authTypes/authTypeRegistrations/authRegistrationsCredentialListMapping',
    'routes/v2/phoneNumber',
    'routes/v2/sipDomain',
    'accounts/v1/secondaryAuthToken',
    'accounts/v1/authTokenPromotion',
  ])('%s has every field, and its dates are written as it reads them', (file) => {
    const { fields, dates } = expected(file);
    const sample = new Map(Object.entries(samples.get(file) ?? {}));
    expect(fields.filter((field) => !sample.has(field))).toEqual([]);
    for (const [field, how] of dates) {
      const value = sample.get(field);
      if (value !== null) expect(value, field).toMatch(WRITTEN[how] ?? /^$/);
    }
  });
});
