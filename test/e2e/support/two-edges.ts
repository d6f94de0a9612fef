import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Twilio } from 'twilio';
import { edgePort } from '../../../src/region/edge.ts';
import { freePorts } from '../../support/free-port.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { twilioClient } from '../../support/twilio-client.ts';
import { LoneRole } from './lone-role.ts';

const ACCOUNT = `AC${'7'.repeat(32)}`;
const TOKEN = 'token-of-ie1'.padEnd(32, '0');
const PORTS = 20;

/** Two of the edges, each a process with media ports of its own: above those that systems hand out on their own. */
const MEDIA = { dublin: [61_000, 61_099], tokyo: [61_100, 61_199] } as const;
export type LoneEdge = keyof typeof MEDIA;

/** The edge whose process owns a media port. */
export function edgeOfMedia(port: number): string {
  const found = Object.entries(MEDIA).find(([, [first, last]]) => port >= first && port <= last);
  return found?.[0] ?? `nobody's port ${port}`;
}

/** The Region ie1 behind two edge processes, every role on its own. */
export class TwoEdges {
  readonly client: Twilio;
  readonly #sip: number;
  readonly #folder: string;
  readonly #redis: TestRedis;
  readonly #roles: readonly LoneRole[];

  private constructor(first: number, folder: string, redis: TestRedis, roles: readonly LoneRole[]) {
    this.#sip = first;
    this.#folder = folder;
    this.#redis = redis;
    this.#roles = roles;
    this.client = twilioClient(first + 17, ACCOUNT, TOKEN);
  }

  static async start(): Promise<TwoEdges> {
    const [first, redis] = [await freePorts(PORTS), await startRedis()];
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-edges-'));
    const common = {
      TRUNKLINE_ACCOUNT_SID: ACCOUNT,
      TRUNKLINE_REGIONS: 'ie1',
      TRUNKLINE_DEMO: 'false',
      TRUNKLINE_CONTROL_SECRET: 'a secret of two edges',
      TRUNKLINE_SIP: `127.0.0.1:${first}`,
      TRUNKLINE_INNER: '127.0.0.1',
      TRUNKLINE_PUBLIC_URL: `http://127.0.0.1:${first + 17}`,
      GLOBAL_REDIS_URL: redis.url,
      REDIS_URL_IE1: redis.url,
    };
    const run = (home: string, args: string[], metrics: number, env: Record<string, string>) => {
      const path = join(folder, home);
      mkdirSync(path, { recursive: true });
      const own = { TRUNKLINE_HOME: path, TRUNKLINE_METRICS: `127.0.0.1:${first + metrics}` };
      return new LoneRole(args, { ...common, ...own, ...env });
    };
    const edge = (name: LoneEdge, n: number) =>
      run(name, ['edge', '--edge', name], 12 + n, {
        TRUNKLINE_RTP: MEDIA[name].join('-'),
        TRUNKLINE_CONTROL: `127.0.0.1:${first + 14 + n}`,
      });
    // The Region's service listens on the port after the front's.
    const region = { TRUNKLINE_AUTH_TOKEN_IE1: TOKEN, TRUNKLINE_HTTP: `127.0.0.1:${first + 16}` };
    const roles = [
      edge('dublin', 0),
      edge('tokyo', 1),
      run('ie1', ['worker', '--region', 'ie1'], 18, region),
      run('ie1', ['region', '--region', 'ie1'], 19, region),
    ];
    await Promise.all(roles.map((role) => role.ready()));
    return new TwoEdges(first, folder, redis, roles);
  }

  portOf(edge: LoneEdge): number {
    return edgePort(edge, this.#sip);
  }

  async stop(): Promise<void> {
    for (const role of this.#roles) role.kill();
    await Promise.all(this.#roles.map(({ ended }) => ended));
    await this.#redis.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
