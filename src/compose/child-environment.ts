import { REGIONS, type RegionId } from '../region/region.ts';
import type { Credentials } from './credentials.ts';
import type { Settings } from './settings.ts';

const STORES = /^(GLOBAL_)?REDIS_URL|^S3_|^TRUNKLINE_(AUTH_TOKEN|CONTROL_SECRET|BUCKET)/;

interface Parts {
  readonly settings: Settings;
  readonly credentials: Credentials;
  readonly redisUrls: ReadonlyMap<RegionId, string>;
  readonly role: 'edge' | 'call-worker' | 'region' | 'front';
  readonly region: RegionId | undefined;
}

/**
 * The environment of one process: of the stores and secrets it gets those it works with and no others, so that
 * one Region's processes cannot write into another's (DESIGN §2).
 */
export function childEnvironment(own: NodeJS.ProcessEnv, parts: Parts): NodeJS.ProcessEnv {
  const { settings, credentials, redisUrls, role, region } = parts;
  const environment = Object.fromEntries(Object.entries(own).filter(([name]) => !STORES.test(name)));
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) environment[name] = value;
  };
  set('TRUNKLINE_HOME', settings.home);
  set('TRUNKLINE_ACCOUNT_SID', credentials.accountSid);
  if (role === 'front') return environment;

  for (const id of role === 'edge' ? settings.regions : region ? [region] : []) {
    set(`REDIS_URL_${REGIONS[id].variable}`, redisUrls.get(id));
  }
  if (role !== 'call-worker')
    set('GLOBAL_REDIS_URL', settings.globalRedisUrl ?? redisUrls.get('us1') ?? [...redisUrls.values()][0]);
  if (role === 'edge' || role === 'call-worker') set('TRUNKLINE_CONTROL_SECRET', credentials.controlSecret);
  if (region === undefined) return environment;

  const { variable } = REGIONS[region];
  const { s3, bucket } = settings.region[region];
  set(`TRUNKLINE_AUTH_TOKEN_${variable}`, credentials.authTokens.get(region));
  if (role === 'region') {
    set(`TRUNKLINE_BUCKET_${variable}`, bucket);
    set(`S3_ENDPOINT_${variable}`, s3?.endpoint);
    set(`S3_ACCESS_KEY_ID_${variable}`, s3?.accessKeyId);
    set(`S3_SECRET_ACCESS_KEY_${variable}`, s3?.secretAccessKey);
    set(`S3_REGION_${variable}`, s3?.region);
  }
  return environment;
}
