import type { Twilio } from 'twilio';

/** Our choice: credentials that are created at once. */
const AT_ONCE = 16;

/** Whom the domain takes: passwords are by user name. */
export interface DomainSetup {
  readonly name: string;
  readonly voiceUrl: string;
  /** Addresses with a prefix that may call. */
  readonly addresses?: readonly string[];
  readonly callers?: Readonly<Record<string, string>>;
  readonly devices?: Readonly<Record<string, string>>;
}

/** Creates a SIP domain through the REST API as a customer does. */
export async function createDomain(client: Twilio, setup: DomainSetup): Promise<void> {
  const { name, voiceUrl, addresses, callers, devices } = setup;
  const domainName = `${name}.sip.twilio.com`;
  const { sid } = await client.sip.domains.create({
    domainName,
    voiceUrl,
    sipRegistration: devices !== undefined,
  });
  const { auth } = client.sip.domains(sid);
  if (addresses) {
    const list = await client.sip.ipAccessControlLists.create({ friendlyName: name });
    for (const address of addresses) {
      const [ipAddress = '', prefix = '32'] = address.split('/');
      const entry = { friendlyName: address, ipAddress, cidrPrefixLength: Number(prefix) };
      await client.sip.ipAccessControlLists(list.sid).ipAddresses.create(entry);
    }
    await auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid: list.sid });
  }
  if (callers) {
    const credentialListSid = await credentialList(client, `${name} callers`, callers);
    await auth.calls.credentialListMappings.create({ credentialListSid });
  }
  if (devices) {
    const credentialListSid = await credentialList(client, `${name} devices`, devices);
    await auth.registrations.credentialListMappings.create({ credentialListSid });
  }
}

async function credentialList(
  client: Twilio,
  friendlyName: string,
  users: Readonly<Record<string, string>>,
): Promise<string> {
  const { sid } = await client.sip.credentialLists.create({ friendlyName });
  const waiting = Object.entries(users).values();
  const worker = async () => {
    for (const [username, password] of waiting)
      await client.sip.credentialLists(sid).credentials.create({ username, password });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return sid;
}
