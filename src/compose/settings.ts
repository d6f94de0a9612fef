import { type BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { STANDARD_CHOICES, type TwimlChoices, twimlChoices, variableOf } from '../call/choices.ts';
import { REGION_IDS, REGIONS, type RegionId } from '../region/region.ts';
import {
  type Address,
  address,
  addressList,
  bucketName,
  carrierUri,
  count,
  flag,
  httpUrl,
  milliseconds,
  portRange,
  redisUrl,
  regionList,
} from './setting-fields.ts';

export type { Address };

export interface S3Settings {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** What one Region's processes need to reach its stores. */
export interface RegionSettings {
  /** Redis URL; undefined: embedded. */
  readonly redisUrl: string | undefined;
  /** undefined: filesystem buckets under the home. */
  readonly s3: S3Settings | undefined;
  readonly bucket: string;
  readonly authToken: string | undefined;
}

/** The environment, read once and checked (DESIGN §6, Environment). */
export interface Settings {
  readonly home: string;
  readonly http: Address;
  readonly publicUrl: string | undefined;
  readonly sip: Address;
  readonly advertise: string | undefined;
  readonly rtp: { readonly first: number; readonly last: number };
  readonly regions: readonly RegionId[];
  readonly region: Readonly<Record<RegionId, RegionSettings>>;
  readonly globalRedisUrl: string | undefined;
  readonly domain: string;
  readonly accountSid: string | undefined;
  readonly carrier: string | undefined;
  readonly ingressAllow: BlockList;
  readonly allowPrivate: boolean;
  readonly routeDelayMs: number;
  readonly controlSecret: string | undefined;
  readonly demo: boolean;
  /** What Twilio leaves open. */
  readonly choices: TwimlChoices;
  // Our own additions, all with working defaults.
  /** Where an edge process takes its workers' control connections, as they reach it; port 0: any. */
  readonly control: Address;
  /** Address or host name of this process's end of the inner media hop, as the other side reaches it. */
  readonly inner: string;
  /** How long a call waits for a worker before it gets 503. */
  readonly dispatchTimeoutMs: number;
  /** Calls one worker holds at once. */
  readonly capacity: number;
  /** Calls per second that an account's REST clients may start; more wait as `queued`. */
  readonly callsPerSecond: number;
  /** How long a stopping process waits for its live calls. */
  readonly drainMs: number;
  /** What recognises speech; `auto`: pocketsphinx where it is installed. */
  readonly speech: 'auto' | 'none' | 'pocketsphinx';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Where a lone edge or worker serves /healthz and /metrics; undefined: nowhere. */
  readonly metrics: Address | undefined;
  /** Base URL of a Region's service as the front reaches it, when it is on another machine. */
  readonly regionUrl: Readonly<Record<RegionId, string | undefined>>;
}

/** A start-up error: one line for each variable that cannot be used. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

const DEFAULT_INGRESS = '127.0.0.0/8,::1';

/** The variables of the contract, then our additions; those per Region are added below. */
const shared = {
  TRUNKLINE_HOME: z.string().default('./.trunkline'),
  TRUNKLINE_HTTP: address.prefault('127.0.0.1:8080'),
  TRUNKLINE_PUBLIC_URL: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'expected a URL that starts with http:// or https://')
    .optional(),
  TRUNKLINE_SIP: address.prefault('127.0.0.1:5060'),
  TRUNKLINE_ADVERTISE: z
    .string()
    .refine((text) => isIP(text) !== 0, 'expected an IP address')
    .optional(),
  TRUNKLINE_RTP: portRange.prefault('10000-60000'),
  TRUNKLINE_REGIONS: regionList.prefault('us1,ie1,au1'),
  TRUNKLINE_DOMAIN: z
    .string()
    .regex(/^[a-z0-9.-]+$/i, 'expected a domain name')
    .default('trunkline.localhost'),
  TRUNKLINE_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-f]{32}$/, 'expected AC and 32 of 0-9 a-f')
    .optional(),
  TRUNKLINE_CARRIER: carrierUri.optional(),
  TRUNKLINE_INGRESS_ALLOW: addressList.prefault(DEFAULT_INGRESS),
  TRUNKLINE_ALLOW_PRIVATE: flag.prefault('true'),
  TRUNKLINE_ROUTE_DELAY_MS: milliseconds(300_000).prefault('0'),
  TRUNKLINE_CONTROL_SECRET: z.string().min(16, 'expected at least 16 characters').optional(),
  TRUNKLINE_DEMO: flag.prefault('true'),
  REDIS_URL: redisUrl.optional(),
  GLOBAL_REDIS_URL: redisUrl.optional(),
  S3_ENDPOINT: httpUrl.optional(),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  S3_REGION: z.string().optional(),
  TRUNKLINE_CONTROL: address
    .refine(
      ({ host }) => !['0.0.0.0', '::'].includes(host),
      'expected an address that workers can connect to, not a wildcard',
    )
    .prefault('127.0.0.1:0'),
  TRUNKLINE_INNER: z
    .string()
    .regex(/^[a-z0-9.:-]+$/i, 'expected an IP address or host name of this machine')
    .default('127.0.0.1'),
  TRUNKLINE_DISPATCH_TIMEOUT_MS: milliseconds(180_000).prefault('10000'),
  TRUNKLINE_CAPACITY: count.prefault('500'),
  TRUNKLINE_CPS: count.prefault('1'),
  TRUNKLINE_DRAIN_MS: milliseconds(3_600_000).prefault('30000'),
  TRUNKLINE_SPEECH: z
    .enum(['auto', 'none', 'pocketsphinx'], 'expected auto, none or pocketsphinx')
    .default('auto'),
  TRUNKLINE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  TRUNKLINE_METRICS: address.optional(),
};

const perRegion = {
  REDIS_URL: redisUrl.optional(),
  S3_ENDPOINT: httpUrl.optional(),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  S3_REGION: z.string().optional(),
  TRUNKLINE_AUTH_TOKEN: z.string().min(16, 'expected at least 16 characters').optional(),
  TRUNKLINE_BUCKET: bucketName.optional(),
  TRUNKLINE_REGION_URL: httpUrl.optional(),
};

const schema = z.object(shared);
const regionSchema = z.object(perRegion);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the environment.
 * @throws SettingsError with one line per variable that cannot be used
 * @returns the settings, and the `TRUNKLINE_…` names nobody knows
 */
export function readSettings(environment: Environment): { settings: Settings; unknown: string[] } {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const problems: string[] = [];
  const complain = (issues: readonly { path: PropertyKey[]; message: string }[], suffix: string) => {
    for (const issue of issues) {
      const name = `${String(issue.path[0])}${suffix}`;
      problems.push(`${name} is "${present[name]}": ${issue.message}`);
    }
  };

  const parsed = schema.safeParse(present);
  if (!parsed.success) complain(parsed.error.issues, '');

  const chosen = readChoices(present);
  problems.push(...chosen.problems);

  const regional = REGION_IDS.map((id) => {
    const suffix = `_${REGIONS[id].variable}`;
    const own = Object.fromEntries(Object.keys(perRegion).map((name) => [name, present[`${name}${suffix}`]]));
    const result = regionSchema.safeParse(own);
    if (!result.success) complain(result.error.issues, suffix);
    return { id, values: result.data };
  });
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems.join('\n'));

  const known = new Set([...Object.keys(shared), ...Object.keys(twimlChoices.shape).map(variableOf)]);
  for (const id of REGION_IDS)
    for (const name of Object.keys(perRegion)) known.add(`${name}_${REGIONS[id].variable}`);
  const unknown = Object.keys(present).filter((name) => name.startsWith('TRUNKLINE_') && !known.has(name));

  const values = parsed.data;
  const region = Object.fromEntries(
    regional.map(({ id, values: own }) => [id, regionSettings(id, values, own ?? {}, problems)]),
  ) as Record<RegionId, RegionSettings>; // one entry per REGION_IDS by construction
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));

  return {
    unknown,
    settings: {
      home: resolve(values.TRUNKLINE_HOME),
      http: values.TRUNKLINE_HTTP,
      publicUrl: values.TRUNKLINE_PUBLIC_URL,
      sip: values.TRUNKLINE_SIP,
      advertise: values.TRUNKLINE_ADVERTISE,
      rtp: values.TRUNKLINE_RTP,
      regions: values.TRUNKLINE_REGIONS,
      region,
      globalRedisUrl: values.GLOBAL_REDIS_URL ?? values.REDIS_URL ?? region.us1.redisUrl,
      domain: values.TRUNKLINE_DOMAIN,
      accountSid: values.TRUNKLINE_ACCOUNT_SID,
      carrier: values.TRUNKLINE_CARRIER,
      ingressAllow: values.TRUNKLINE_INGRESS_ALLOW,
      allowPrivate: values.TRUNKLINE_ALLOW_PRIVATE,
      routeDelayMs: values.TRUNKLINE_ROUTE_DELAY_MS,
      controlSecret: values.TRUNKLINE_CONTROL_SECRET,
      demo: values.TRUNKLINE_DEMO,
      choices: chosen.choices,
      control: values.TRUNKLINE_CONTROL,
      inner: values.TRUNKLINE_INNER,
      dispatchTimeoutMs: values.TRUNKLINE_DISPATCH_TIMEOUT_MS,
      capacity: values.TRUNKLINE_CAPACITY,
      callsPerSecond: values.TRUNKLINE_CPS,
      drainMs: values.TRUNKLINE_DRAIN_MS,
      speech: values.TRUNKLINE_SPEECH,
      logLevel: values.TRUNKLINE_LOG_LEVEL,
      metrics: values.TRUNKLINE_METRICS,
      regionUrl: Object.fromEntries(
        regional.map(({ id, values: own }) => [id, own?.TRUNKLINE_REGION_URL]),
      ) as Record<RegionId, string | undefined>,
    },
  };
}

/** What Twilio leaves open: words, and numbers in digits. */
function readChoices(present: Environment): { choices: TwimlChoices; problems: readonly string[] } {
  const names = Object.keys(twimlChoices.shape).filter((name) => present[variableOf(name)] !== undefined);
  const written = names.map((name) => {
    const text = present[variableOf(name)] ?? '';
    return [name, /^\d{1,9}$/.test(text) ? Number(text) : text] as const;
  });
  const parsed = twimlChoices.safeParse(Object.fromEntries(written));
  if (parsed.success) return { choices: parsed.data, problems: [] };
  const problems = parsed.error.issues.map(({ path, message }) => {
    const variable = variableOf(String(path[0]));
    return `${variable} is "${present[variable]}": ${message}`;
  });
  return { choices: STANDARD_CHOICES, problems };
}

type Shared = z.infer<typeof schema>;
type PerRegion = z.infer<typeof regionSchema>;

function regionSettings(id: RegionId, all: Shared, own: PerRegion, problems: string[]): RegionSettings {
  const endpoint = own.S3_ENDPOINT ?? all.S3_ENDPOINT;
  const accessKeyId = own.S3_ACCESS_KEY_ID ?? all.S3_ACCESS_KEY_ID;
  const secretAccessKey = own.S3_SECRET_ACCESS_KEY ?? all.S3_SECRET_ACCESS_KEY;
  let s3: S3Settings | undefined;
  if (endpoint !== undefined) {
    if (!accessKeyId || !secretAccessKey) {
      const suffix = own.S3_ENDPOINT ? `_${REGIONS[id].variable}` : '';
      problems.push(
        `S3_ENDPOINT${suffix} is set but S3_ACCESS_KEY_ID${suffix} or S3_SECRET_ACCESS_KEY${suffix} is not: set both`,
      );
    } else {
      s3 = { endpoint, accessKeyId, secretAccessKey, region: own.S3_REGION ?? all.S3_REGION ?? 'us-east-1' };
    }
  }
  return {
    redisUrl: own.REDIS_URL ?? all.REDIS_URL,
    s3,
    bucket: own.TRUNKLINE_BUCKET ?? REGIONS[id].bucket,
    authToken: own.TRUNKLINE_AUTH_TOKEN,
  };
}

/** `TRUNKLINE_SIP` as the caller on the command line uses it. @throws SettingsError */
export function firstSipAddress(): string {
  return reachable(readSettings(process.env).settings.sip);
}

/** The edges use 32 ports from the first one up; the telephone of the demo listens a little above. Our choice. */
const DEMO_PHONE_OFFSET = 39;

/** Where the demo calls and `trunkline answer` listens when it is told nothing else: 127.0.0.1:5099 by default. */
export function demoPhone({ host, port }: Address = readSettings(process.env).settings.sip): string {
  return reachable({ host, port: port + DEMO_PHONE_OFFSET });
}

function reachable({ host, port }: Address): string {
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host;
  return reached.includes(':') ? `[${reached}]:${port}` : `${reached}:${port}`;
}
