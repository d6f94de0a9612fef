import type { RegionalConfig } from '../../src/config/port.ts';
import { SIP_REALM, type SipDomain } from '../../src/config/sip.ts';
import { passwordHash } from '../../src/sip/digest/digest.ts';
import { sipDomain } from './registrations.ts';

export const DOMAIN_SID = `SD${'1'.repeat(32)}`;
const LIST = `CL${'1'.repeat(32)}`;

type Config = Pick<RegionalConfig, 'records'>;

/** A SIP domain in one Region, whose users may register. Taken as it is where it is there already. */
export async function saveSipDomain(
  config: Config,
  options: {
    readonly accountSid: string;
    readonly name: string;
    /** Passwords by user name. */
    readonly users: Readonly<Record<string, string>>;
    readonly domain?: Partial<SipDomain>;
  },
): Promise<void> {
  const { accountSid, name, users, domain = {} } = options;
  const { records } = config;
  const kept = { accountSid, friendlyName: '', createdAt: 0, updatedAt: 0 };
  await records.domains.create(sipDomain({ ...kept, sid: DOMAIN_SID, name, ...domain }));
  await records.credentialLists.create({ ...kept, sid: LIST });
  for (const [username, password] of Object.entries(users)) {
    const secret = (algorithm: 'MD5' | 'SHA-256') =>
      passwordHash(algorithm, { username, password }, SIP_REALM);
    await records.credentials.create({
      ...kept,
      sid: `CR${Buffer.from(username).toString('hex').padStart(32, '0')}`,
      listSid: LIST,
      username,
      secrets: { MD5: secret('MD5'), 'SHA-256': secret('SHA-256') },
    });
  }
  await mapUsers(config, accountSid, 'registrations');
}

/** Maps the list of the domain's users for a use. */
export async function mapUsers(
  { records }: Config,
  accountSid: string,
  use: 'registrations' | 'calls',
  domainSid = DOMAIN_SID,
): Promise<void> {
  await records.mappings.create({
    sid: domainSid === DOMAIN_SID ? `M-${use}` : `M-${use}-${domainSid}`,
    accountSid,
    domainSid,
    use,
    list: 'credential-list',
    listSid: LIST,
    createdAt: 0,
  });
}
