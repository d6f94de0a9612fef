import { Redis } from 'ioredis';
import { ACCOUNTS, type AccountStatus } from '../../../src/config/accounts.ts';
import { createRedisRecords } from '../../../src/config/records/redis.ts';
import { createRegionalConfig } from '../../../src/config/redis.ts';
import { type MappedList, type MappingUse, SIP_REALM } from '../../../src/config/sip.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { RandomIds } from '../../../src/core/ids.ts';
import { REGIONS, type RegionId } from '../../../src/region/region.ts';
import { createRouteTable } from '../../../src/routing/redis.ts';
import { passwordHash } from '../../../src/sip/digest/digest.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { type RunningTrunkline, startTrunkline } from '../../support/trunkline.ts';
import { until } from '../../support/until.ts';
import { WebhookApp } from '../../support/webhook-app.ts';

export interface User {
  readonly username: string;
  readonly password: string;
}

export interface DomainLists {
  /** Addresses, with a prefix or without; undefined: no access control list. */
  readonly addresses?: readonly string[];
  /** Undefined: no credential list. */
  readonly users?: readonly User[];
  readonly use?: MappingUse;
  /** Its users may register, too. */
  readonly registers?: true;
  readonly secure?: boolean;
  /** The installation's own account when absent. */
  readonly accountSid?: string;
}

type TestRegion = Extract<RegionId, 'us1' | 'ie1'>;

/**
 * An installation of two Regions, each with a Redis of its own, the global one in us1's, and an application. SIP domains
 * are written where the REST API writes them.
 */
export class SipDomainWorld {
  readonly trunkline: RunningTrunkline;
  readonly app: WebhookApp;
  readonly redis: Readonly<Record<TestRegion | 'global', TestRedis>>;
  readonly #clients: Readonly<Record<TestRegion | 'global', Redis>>;
  readonly #clock = new SystemClock();
  readonly #ids = new RandomIds();

  private constructor(trunkline: RunningTrunkline, app: WebhookApp, redis: SipDomainWorld['redis']) {
    this.trunkline = trunkline;
    this.app = app;
    this.redis = redis;
    const client = ({ url }: TestRedis) =>
      new Redis(url, { maxRetriesPerRequest: null }).on('error', () => {}); // a test may have stopped it
    this.#clients = { us1: client(redis.us1), ie1: client(redis.ie1), global: client(redis.global) };
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<SipDomainWorld> {
    const [us1, ie1, global] = await Promise.all([startRedis(), startRedis(), startRedis()]);
    const app = await WebhookApp.start();
    const trunkline = await startTrunkline({
      env: {
        TRUNKLINE_DEMO: 'false',
        TRUNKLINE_REGIONS: 'us1,ie1',
        REDIS_URL_US1: us1.url,
        REDIS_URL_IE1: ie1.url,
        GLOBAL_REDIS_URL: global.url,
        ...env,
      },
    });
    return new SipDomainWorld(trunkline, app, { us1, ie1, global });
  }

  /** Where the domain's document is fetched in a Region. */
  voicePath(region: TestRegion, name: string): string {
    return `/${region}/${name}`;
  }

  /** Creates a domain with its lists in a Region; resolves with its SID. */
  async domain(region: TestRegion, name: string, lists: DomainLists): Promise<string> {
    const { addresses, users, use = 'calls', secure = false, registers = false } = lists;
    const { records } = this.#config(region);
    const common = this.#common(lists.accountSid);
    const sid = this.#ids.sid('SD');
    const voiceUrl = this.app.on(this.voicePath(region, name), {
      body: '<Response><Pause length="60"/></Response>',
    });
    await records.domains.create({
      ...common,
      sid,
      domainName: `${name}.sip.twilio.com`,
      name,
      voiceUrl,
      voiceMethod: 'POST',
      voiceFallbackUrl: '',
      voiceFallbackMethod: 'POST',
      voiceStatusCallbackUrl: '',
      voiceStatusCallbackMethod: 'POST',
      sipRegistration: registers,
      secure,
      emergencyCallingEnabled: false,
      emergencyCallerSid: null,
      byocTrunkSid: null,
    });
    const map = async (list: MappedList, listSid: string, use: MappingUse) => {
      await records.mappings.create({
        ...common,
        sid: this.#ids.sid('CL'),
        domainSid: sid,
        use,
        list,
        listSid,
      });
      return listSid;
    };
    if (addresses) {
      const listSid = await map('ip-access-control-list', this.#ids.sid('AL'), use);
      for (const network of addresses) {
        const [ipAddress = '', prefix = '32'] = network.split('/');
        const address = { sid: this.#ids.sid('IP'), ipAddress, cidrPrefixLength: Number(prefix) };
        await records.addresses.create({ ...common, ...address, listSid });
      }
    }
    if (users) {
      const listSid = await map('credential-list', this.#ids.sid('CL'), use);
      if (registers) await map('credential-list', listSid, 'registrations');
      for (const user of users) {
        const secrets = {
          MD5: passwordHash('MD5', user, SIP_REALM),
          'SHA-256': passwordHash('SHA-256', user, SIP_REALM),
        };
        const { username } = user;
        await records.credentials.create({ ...common, sid: this.#ids.sid('CR'), listSid, username, secrets });
      }
    }
    return sid;
  }

  /** Makes a Region the active one of a domain. */
  async route(name: string, voiceRegion: RegionId): Promise<void> {
    const table = createRouteTable({ redis: this.#clients.global, clock: this.#clock, delayMs: 0 });
    const record = { ...this.#common(), sid: this.#ids.sid('QQ'), kind: 'sip-domain', key: name } as const;
    await table.save({ ...record, voiceRegion });
  }

  /** Another account; resolves with its SID. */
  async account(status: AccountStatus): Promise<string> {
    const accounts = createRedisRecords(this.#clients.global, 'trunkline:global:', ACCOUNTS);
    const sid = this.#ids.sid('AC');
    await accounts.create({ ...this.#common(), sid, ownerAccountSid: this.trunkline.accountSid, status });
    return sid;
  }

  /** Forms of the webhooks of a domain's calls. */
  webhooks(region: TestRegion, name: string): Readonly<Record<string, string>>[] {
    return this.app.seen.filter(({ path }) => path === this.voicePath(region, name)).map(({ form }) => form);
  }

  /** Waits until the document of a call to the domain was asked for, and gives the form. */
  webhook(region: TestRegion, name: string): Promise<Readonly<Record<string, string>>> {
    return until(`the webhook of ${name} in ${region}`, () => this.webhooks(region, name).at(-1));
  }

  async stop(): Promise<void> {
    for (const client of Object.values(this.#clients)) client.disconnect();
    await this.trunkline.stop();
    await this.app.stop();
    await Promise.all(Object.values(this.redis).map((one) => one.stop()));
  }

  #config(region: TestRegion) {
    const redis = this.#clients[region];
    return createRegionalConfig({ redis, region: REGIONS[region], clock: this.#clock, ids: this.#ids });
  }

  #common(accountSid = this.trunkline.accountSid) {
    const now = this.#clock.now();
    return { accountSid, friendlyName: '', createdAt: now, updatedAt: now };
  }
}
