import { Redis } from 'ioredis';
import { ACCOUNTS } from '../../../src/config/accounts.ts';
import type { RegionalConfig } from '../../../src/config/port.ts';
import { createRedisRecords } from '../../../src/config/records/redis.ts';
import { createRegionalConfig } from '../../../src/config/redis.ts';
import type { Binding } from '../../../src/config/registrations.ts';
import { SIP_REALM } from '../../../src/config/sip.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { type EdgeId, edgePort } from '../../../src/region/edge.ts';
import { REGIONS } from '../../../src/region/region.ts';
import { passwordHash } from '../../../src/sip/digest/digest.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { binding, sipDomain } from '../../support/registrations.ts';
import { DialWorld } from './dial-world.ts';
import type { RawCallee } from './raw-callee.ts';

type RegionName = 'us1' | 'ie1';

/** A SIP domain that is there in both Regions and active in us1. */
export const DOMAIN = 'acme';
export const PASSWORD = 'Correct1Horse';

/** A running Trunkline whose Regions us1 and ie1 have a Redis each, and devices registered with it. */
export class DeviceWorld {
  readonly dials: DialWorld;
  readonly config: Readonly<Record<RegionName, RegionalConfig>>;
  readonly #servers: readonly TestRedis[];
  readonly #connections: readonly Redis[];
  #registered = 0;

  private constructor(dials: DialWorld, servers: readonly TestRedis[], connections: readonly Redis[]) {
    this.dials = dials;
    this.#servers = servers;
    this.#connections = connections;
    const [us1, ie1] = connections;
    if (!us1 || !ie1) throw new Error('two Regions have a Redis each');
    const shared = { clock: new SystemClock(), ids: new RandomIds() };
    this.config = {
      us1: createRegionalConfig({ ...shared, redis: us1, region: REGIONS.us1 }),
      ie1: createRegionalConfig({ ...shared, redis: ie1, region: REGIONS.ie1 }),
    };
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<DeviceWorld> {
    const servers = [await startRedis(), await startRedis()] as const;
    const [us1, ie1] = servers;
    const dials = await DialWorld.start({
      TRUNKLINE_REGIONS: 'us1,ie1',
      REDIS_URL_US1: us1.url,
      REDIS_URL_IE1: ie1.url,
      ...env,
    });
    const world = new DeviceWorld(
      dials,
      servers,
      servers.map(({ url }) => new Redis(url)),
    );
    const { accountSid } = dials.trunkline;
    for (const region of ['us1', 'ie1'] as const) {
      await world.config[region].records.domains.create(sipDomain({ accountSid, name: DOMAIN }));
    }
    return world;
  }

  async stop(): Promise<void> {
    await this.dials.stop();
    for (const connection of this.#connections) connection.disconnect();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  /** What nobody is registered under yet. */
  user(): string {
    return `user-${++this.#registered}`;
  }

  address(user: string): string {
    return `sip:${user}@${DOMAIN}.sip.twilio.com`;
  }

  portOf(edge: EdgeId): number {
    return edgePort(edge, this.dials.trunkline.sip.port);
  }

  /** As if these had registered over UDP, each through the edge beside it. */
  async bind(
    user: string,
    devices: readonly (readonly [RawCallee, EdgeId])[],
    region: RegionName = 'us1',
    domain = DOMAIN,
  ): Promise<readonly Binding[]> {
    const aor = `${user}@${domain}`;
    const { accountSid } = this.dials.trunkline;
    const bindings = devices.map(([{ port }, edge]) =>
      binding({
        aor,
        accountSid,
        contact: `sip:${user}@192.0.2.1:${port}`, // behind its NAT: nobody is there
        flow: { edge, process: 'edge', address: '127.0.0.1', port },
      }),
    );
    return await this.config[region].registrations.change(aor, () => bindings);
  }

  /** Creates an account that this one owns, or that owns itself, with a SIP domain in us1. */
  async otherDomain(name: string, owner: 'this account' | 'itself'): Promise<void> {
    const [us1] = this.#connections;
    if (!us1) throw new Error('us1 has a Redis, which is the global one too');
    const now = Date.now();
    const sid = new RandomIds().sid('AC');
    const ownerAccountSid = owner === 'itself' ? sid : this.dials.trunkline.accountSid;
    const dates = { createdAt: now, updatedAt: now };
    const accounts = createRedisRecords(us1, 'trunkline:global:', ACCOUNTS);
    await accounts.create({ sid, ownerAccountSid, friendlyName: name, status: 'active', ...dates });
    await this.config.us1.records.domains.create(sipDomain({ accountSid: sid, name }));
  }

  /** Lets somebody register with this password in us1. */
  async admit(user: string): Promise<void> {
    const { records } = this.config.us1;
    const domain = await records.domains.find(DOMAIN);
    if (!domain) throw new Error('the domain is there from the start');
    const { accountSid } = this.dials.trunkline;
    const ids = new RandomIds();
    const now = Date.now();
    const dates = { createdAt: now, updatedAt: now };
    const listSid = ids.sid('CL');
    await records.credentialLists.create({ sid: listSid, accountSid, friendlyName: user, ...dates });
    const login = { username: user, password: PASSWORD };
    await records.credentials.create({
      sid: ids.sid('CR'),
      accountSid,
      listSid,
      username: user,
      secrets: {
        MD5: passwordHash('MD5', login, SIP_REALM),
        'SHA-256': passwordHash('SHA-256', login, SIP_REALM),
      },
      ...dates,
    });
    await records.mappings.create({
      sid: ids.sid('CL'),
      accountSid,
      domainSid: domain.sid,
      use: 'registrations',
      list: 'credential-list',
      listSid,
      createdAt: now,
    });
  }
}
