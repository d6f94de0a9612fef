import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { composeFile, exampleEnvironment } from '../../support/compose-file.ts';
import type { TestRedis } from '../../support/redis.ts';
import type { S3Key, TestS3 } from '../../support/rgw.ts';

export const REGIONS = ['us1', 'ie1'] as const;
export type Region = (typeof REGIONS)[number];
export const ACCOUNT = `AC${'7'.repeat(32)}`;
export const token = (region: Region) => `token-of-${region}`.padEnd(32, '0');

/** An installation as docker-compose.yml describes it, on 127.0.0.1: two of its Regions, two edge processes. */
export interface Installation {
  readonly redis: Readonly<Record<Region | 'global', TestRedis>>;
  readonly s3: TestS3;
  readonly keys: Readonly<Record<Region, S3Key>>;
  readonly ports: Ports;
  /** Holds the volumes. */
  readonly folder: string;
}

/** How many consecutive ports an installation takes. */
export const PORTS = 16;

type Ports = ReturnType<typeof portsFrom>;

/** Where the roles listen: one block of ports, laid out as on one host. */
export function portsFrom(first: number) {
  return {
    sip: first, // ashburn here, dublin at + 4
    http: first + 6,
    region: { us1: first + 7, ie1: first + 8 },
    control: { ashburn: first + 9, dublin: first + 10 },
    metrics: { ashburn: first + 11, dublin: first + 12, us1: first + 13, ie1: first + 14 },
    spare: first + 15,
  };
}

/**
 * The environment of a service's container, with the addresses of its network replaced by those of this
 * installation.
 * @param edge which of the two edge processes, for the service `edge`
 */
export function containerEnvironment(
  installation: Installation,
  service: string,
  edge?: 'ashburn' | 'dublin',
): Record<string, string> {
  const own = composeFile(envFile(installation)).services[service];
  if (!own) throw new Error(`docker-compose.yml has no service ${service}`);
  const { folder, ports, s3 } = installation;
  const region = REGIONS.find((id) => service.endsWith(id));
  const here: Readonly<Record<string, string>> = {
    TRUNKLINE_REGIONS: REGIONS.join(','),
    TRUNKLINE_HTTP: `127.0.0.1:${ports.http}`,
    TRUNKLINE_SIP: `127.0.0.1:${ports.sip}`,
    TRUNKLINE_INNER: '127.0.0.1',
    TRUNKLINE_RTP: edge === 'dublin' ? '40000-40199' : '40200-40399',
    TRUNKLINE_CONTROL: `127.0.0.1:${ports.control[edge ?? 'ashburn']}`,
    TRUNKLINE_METRICS: `127.0.0.1:${ports.metrics[region ?? edge ?? 'ashburn']}`,
    TRUNKLINE_PUBLIC_URL: `http://127.0.0.1:${ports.region[region ?? 'us1']}`,
    TRUNKLINE_REGION_URL_US1: `http://127.0.0.1:${ports.region.us1}`,
    TRUNKLINE_REGION_URL_IE1: `http://127.0.0.1:${ports.region.ie1}`,
    S3_ENDPOINT_US1: s3.endpoint,
    S3_ENDPOINT_IE1: s3.endpoint,
    GLOBAL_REDIS_URL: installation.redis.global.url,
    REDIS_URL_US1: installation.redis.us1.url,
    REDIS_URL_IE1: installation.redis.ie1.url,
  };
  const [volume = ''] = (own.volumes[0] ?? '').split(':');
  const home = join(folder, edge ? `${volume}-${edge}` : volume);
  mkdirSync(home, { recursive: true });
  const variables = Object.entries(own.environment)
    .filter(([name]) => !name.endsWith('_AU1')) // there is no third Region here
    .map(([name, value]) => [name, here[name] ?? value] as const);
  return { NODE_ENV: 'production', TRUNKLINE_HOME: home, ...Object.fromEntries(variables) };
}

/** `.env` as whoever runs this installation would fill it in. */
function envFile({ keys }: Installation): Record<string, string> {
  const perRegion = REGIONS.flatMap((region) => {
    const suffix = region.toUpperCase();
    return [
      [`TRUNKLINE_AUTH_TOKEN_${suffix}`, token(region)],
      [`S3_ACCESS_KEY_ID_${suffix}`, keys[region].accessKeyId],
      [`S3_SECRET_ACCESS_KEY_${suffix}`, keys[region].secretAccessKey],
    ];
  });
  return {
    ...exampleEnvironment(),
    TRUNKLINE_ACCOUNT_SID: ACCOUNT,
    TRUNKLINE_ADVERTISE: '127.0.0.1',
    ...Object.fromEntries(perRegion),
  };
}
