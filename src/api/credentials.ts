import { createHash, timingSafeEqual } from 'node:crypto';
import type { RegionalConfig } from '../config/port.ts';
import { BoundedCache } from '../core/bounded-cache.ts';
import { isSid } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { Identity } from './account-of.ts';
import { ApiError } from './api-error.ts';

/** What a request says who it is. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Why credentials were refused; for the log alone, an answer never tells them apart. */
export type Refusal = 'no-credentials' | 'unknown-user' | 'wrong-token' | 'unknown-key' | 'wrong-secret';

/** Who has these credentials in this Region. @throws ApiError 503 when that cannot be found out */
export type CredentialCheck = (credentials: Credentials) => Promise<Identity | Refusal>;

/** Our choice: users whose secrets a process remembers for when its Redis is away. */
const REMEMBERED = 1_000;

/** SHA-256 of what nobody can say: an unknown user's secret is compared like any other. */
const NOBODY = digest('');

/** What a user may say, as digests. */
interface Secrets {
  readonly accountSid: string;
  readonly digests: readonly Buffer[];
}

/**
 * Account SIDs with one of this Region's auth tokens, and this Region's API keys with their secrets. A user is read
 * once and compared twice whether there is one or not, so neither answer nor time says who exists. Secrets are read
 * for every request: what was revoked is refused at once.
 */
export function createCredentialCheck({
  config,
  logger,
}: {
  readonly config: RegionalConfig;
  readonly logger: Logger;
}): CredentialCheck {
  const remembered = new BoundedCache<Secrets>(REMEMBERED);

  const secretsOf = async (user: string): Promise<Secrets | undefined> => {
    try {
      const found = isSid(user, 'SK') ? await keySecrets(config, user) : await accountSecrets(config, user);
      if (found) remembered.set(user, found, 1);
      else remembered.delete(user);
      return found;
    } catch (error) {
      logger.warn(
        { err: error, region: config.region },
        'credentials cannot be read: going by the last ones',
      );
      const last = remembered.get(user);
      if (last) return last;
      const message = `The credentials of ${config.region} cannot be read at the moment; try again.`;
      throw new ApiError(503, 20503, message, { 'Retry-After': '1' });
    }
  };

  return async ({ user, password }) => {
    const isKey = isSid(user, 'SK');
    if (!isKey && !isSid(user, 'AC')) return 'unknown-user';
    const secrets = await secretsOf(user);
    const given = digest(password);
    const [first = NOBODY, second = NOBODY] = secrets?.digests ?? [];
    // Both, always. An empty password is nobody's: it is what stands for an absent secret.
    const matches = [timingSafeEqual(given, first), timingSafeEqual(given, second)].includes(true);
    if (!secrets) return isKey ? 'unknown-key' : 'unknown-user';
    if (!matches || password === '') return isKey ? 'wrong-secret' : 'wrong-token';
    return { accountSid: secrets.accountSid, keySid: isKey ? user : undefined };
  };
}

async function accountSecrets({ tokens }: RegionalConfig, accountSid: string): Promise<Secrets | undefined> {
  const found = await tokens.known(accountSid);
  if (!found) return undefined;
  const { primary, secondary } = found;
  return { accountSid, digests: [primary, ...(secondary === null ? [] : [secondary])].map(digest) };
}

async function keySecrets({ records }: RegionalConfig, sid: string): Promise<Secrets | undefined> {
  const key = await records.keys.fetch(sid);
  return key && { accountSid: key.accountSid, digests: [Buffer.from(key.secretHash, 'hex')] };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** How the secret of an API key is kept: it is random, so a plain digest gives nothing away. */
export function secretHash(secret: string): string {
  return digest(secret).toString('hex');
}
