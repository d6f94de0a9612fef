import twilio, { type Twilio } from 'twilio';
import { z } from 'zod';
import { type EdgeId, edgePort } from '../../../src/region/edge.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { type RunningTrunkline, startTrunkline } from '../../support/trunkline.ts';
import { twilioClient } from '../../support/twilio-client.ts';
import { until } from '../../support/until.ts';
import { type SeenRequest, WebhookApp } from '../../support/webhook-app.ts';
import { asked } from './callbacks.ts';
import { storesWith } from './stores.ts';

export const TEST_REGIONS = ['us1', 'ie1'] as const;
export type TestRegion = (typeof TEST_REGIONS)[number];

const PLACES = { us1: {}, ie1: { edge: 'dublin', region: 'ie1' } } as const;

/** Passwords by user name. */
export type Users = Readonly<Record<string, string>>;

export interface DomainSetup {
  /** The document of its calls; silence when absent. */
  readonly twiml?: string;
  /** Who may call by address, with a prefix or without; absent: no access control list. */
  readonly addresses?: readonly string[];
  /** Who may call by password; absent: no credential list for calls. */
  readonly callers?: Users;
  /** Who may register; absent: no credential list for registrations. */
  readonly devices?: Users;
  /** Whose domain it is; the installation's own account when absent. */
  readonly client?: Twilio;
}

const registration = z.object({
  sid: z.string(),
  domain_sid: z.string(),
  domain: z.string(),
  username: z.string(),
  aor: z.string(),
  contact: z.string(),
  region: z.string(),
  edge: z.string(),
  transport: z.string(),
  source_port: z.number(),
  user_agent: z.string().nullable(),
  expires: z.number(),
});
export type Registration = z.infer<typeof registration>;

/**
 * An installation of two Regions, each with a Redis and a bucket of its own and what is global on a third Redis, and the
 * customer's application. Everything is set up as a customer does it: with the official client, by host name.
 */
export class RegionalWorld {
  readonly trunkline: RunningTrunkline;
  readonly app: WebhookApp;
  readonly redis: Readonly<Record<TestRegion | 'global', TestRedis>>;

  private constructor(trunkline: RunningTrunkline, app: WebhookApp, redis: RegionalWorld['redis']) {
    this.trunkline = trunkline;
    this.app = app;
    this.redis = redis;
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<RegionalWorld> {
    const [us1, ie1, global] = await Promise.all([startRedis(), startRedis(), startRedis()]);
    const app = await WebhookApp.start();
    const trunkline = await startTrunkline({
      env: {
        TRUNKLINE_DEMO: 'false',
        TRUNKLINE_CPS: '100',
        TRUNKLINE_REGIONS: TEST_REGIONS.join(','),
        REDIS_URL_US1: us1.url,
        REDIS_URL_IE1: ie1.url,
        GLOBAL_REDIS_URL: global.url,
        ...env,
      },
    });
    return new RegionalWorld(trunkline, app, { us1, ie1, global });
  }

  async stop(): Promise<void> {
    await this.trunkline.stop();
    await this.app.stop();
    await Promise.all(Object.values(this.redis).map((one) => one.stop()));
  }

  /** The official client at a Region's host name, through the front. */
  client(
    region: TestRegion,
    user = this.trunkline.accountSid,
    password = this.trunkline.tokens[region] ?? '',
  ): Twilio {
    return twilioClient(this.trunkline.httpPort, user, password, PLACES[region]);
  }

  portOf(edge: EdgeId): number {
    return edgePort(edge, this.trunkline.sip.port);
  }

  /** `sip:<user>@<name>.sip.twilio.com`, by way of an edge where one is named. */
  uri(name: string, user = 'desk', edge?: string): string {
    return `sip:${user}@${name}.sip.${edge === undefined ? '' : `${edge}.`}twilio.com`;
  }

  /** Creates a domain in a Region, with lists of its own; resolves with its SID. */
  async domain(region: TestRegion, name: string, setup: DomainSetup = {}): Promise<string> {
    const { client = this.client(region), addresses, callers, devices } = setup;
    const path = `/${region}/${name}`;
    const body = setup.twiml ?? '<Response><Pause length="120"/></Response>';
    const domainName = `${name}.sip.twilio.com`;
    const { sid } = await client.sip.domains.create({
      domainName,
      friendlyName: name,
      voiceUrl: this.app.on(path, { body }),
      voiceStatusCallbackUrl: this.app.on(`${path}/status`, {}),
      sipRegistration: devices !== undefined,
    });
    const { auth } = client.sip.domains(sid);
    if (addresses) {
      const ipAccessControlListSid = await addressList(client, name, addresses);
      await auth.calls.ipAccessControlListMappings.create({ ipAccessControlListSid });
    }
    if (callers) {
      const credentialListSid = await credentialList(client, `${name} callers`, callers);
      await auth.calls.credentialListMappings.create({ credentialListSid });
    }
    if (devices) {
      const credentialListSid = await credentialList(client, `${name} devices`, devices);
      await auth.registrations.credentialListMappings.create({ credentialListSid });
    }
    return sid;
  }

  /** A subaccount; resolves with its SID and with a client of its own for a Region. */
  async subaccount(friendlyName: string) {
    const { sid } = await this.client('us1').api.accounts.create({ friendlyName });
    const client = async (region: TestRegion) => {
      const { authToken } = await this.client(region).api.accounts(sid).fetch();
      return this.client(region, sid, authToken);
    };
    return { sid, client };
  }

  /** Makes a Region the active one of a domain, through a Region's API. */
  async route(name: string, voiceRegion: TestRegion, through: TestRegion = voiceRegion): Promise<void> {
    const { v2 } = this.client(through).routes;
    await v2.sipDomains(`${name}.sip.twilio.com`).update({ voiceRegion });
  }

  /** The devices that a Region says are registered with a domain. */
  async registrations(region: TestRegion, name: string): Promise<Registration[]> {
    const answer = await this.own(region, `/trunkline/v1/Registrations?Domain=${name}`);
    return z.object({ registrations: z.array(registration) }).parse(await answer.json()).registrations;
  }

  /** Opens or closes the private connection of a Region at an exchange. */
  async setConnection(region: TestRegion, exchange: string, status: 'active' | 'inactive'): Promise<void> {
    const answer = await this.own(region, '/trunkline/v1/Connections');
    const connection = z.object({ sid: z.string(), exchange: z.string() });
    const { connections } = z.object({ connections: z.array(connection) }).parse(await answer.json());
    const sid = connections.find((one) => one.exchange === exchange)?.sid;
    const body = new URLSearchParams({ Status: status });
    const { ok } = await this.own(region, `/trunkline/v1/Connections/${sid}`, { method: 'POST', body });
    if (!ok) throw new Error(`the connection at ${exchange} could not be made ${status}`);
  }

  /** Asks a Region for one of our own resources, at its own port. */
  own(region: TestRegion, path: string, init: RequestInit = {}): Promise<Response> {
    const { httpPort, accountSid, tokens } = this.trunkline;
    const login = Buffer.from(`${accountSid}:${tokens[region]}`).toString('base64');
    const port = httpPort + 1 + TEST_REGIONS.indexOf(region);
    const headers = { authorization: `Basic ${login}` };
    return fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
  }

  /** Webhooks of the calls of a domain that a Region made. */
  webhooks(region: TestRegion, name: string): SeenRequest[] {
    return asked(this.app, `/${region}/${name}`);
  }

  /** Waits for the webhook of one call, and gives its form. */
  async webhook(region: TestRegion, name: string, sipCallId: string): Promise<Record<string, string>> {
    const isMeant = ({ form }: SeenRequest) => form['SipCallId'] === sipCallId;
    const what = `the webhook of ${sipCallId} to ${name} in ${region}`;
    return (await until(what, () => this.webhooks(region, name).find(isMeant))).form;
  }

  /** Waits until a call is at an end for the API of a Region, and gives it. */
  async endedCall(region: TestRegion, callSid: string) {
    const over: readonly string[] = ['completed', 'busy', 'failed', 'no-answer', 'canceled'];
    return until(`the end of ${callSid} in ${region}`, async () => {
      // A live record is written a little late.
      const [call] = await known(this.client(region).calls(callSid).fetch());
      return call && over.includes(call.status) && call;
    });
  }

  /** Codes of the notifications of a call, as the client lists them; waits for the first. */
  async notedCodes(region: TestRegion, callSid: string): Promise<string[]> {
    const { notifications } = this.client(region).calls(callSid);
    const found = await until(`a notification of ${callSid}`, async () => {
      const all = await notifications.list();
      return all.length > 0 && all;
    });
    return found.map(({ errorCode }) => errorCode);
  }

  /** The stores that hold a text: `ie1 redis`, `ie1 bucket`, `global redis` … */
  storesWith(text: string): Promise<string[]> {
    return storesWith(this, text);
  }
}

/** What was asked for, or nothing where a Region does not know it. */
async function known<T>(asking: Promise<T>): Promise<[T] | []> {
  try {
    return [await asking];
  } catch (error) {
    if (error instanceof twilio.RestException && error.code === 20404) return [];
    throw error;
  }
}

/** Whether something is unknown to a Region. */
export async function isUnknown(asking: Promise<unknown>): Promise<boolean> {
  return (await known(asking)).length === 0;
}

async function addressList(client: Twilio, friendlyName: string, addresses: readonly string[]) {
  const { sid } = await client.sip.ipAccessControlLists.create({ friendlyName });
  for (const address of addresses) {
    const [ipAddress = '', prefix = '32'] = address.split('/');
    const entry = { friendlyName: address, ipAddress, cidrPrefixLength: Number(prefix) };
    await client.sip.ipAccessControlLists(sid).ipAddresses.create(entry);
  }
  return sid;
}

async function credentialList(client: Twilio, friendlyName: string, users: Users): Promise<string> {
  const { sid } = await client.sip.credentialLists.create({ friendlyName });
  for (const [username, password] of Object.entries(users)) {
    await client.sip.credentialLists(sid).credentials.create({ username, password });
  }
  return sid;
}
