import type { Request, RequestHandler, Response } from 'express';
import { isSid } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { RegionId } from '../region/region.ts';
import type { AccountDirectory } from './account-directory.ts';
import { assignAccount, assignIdentity, type Identity, identityOf } from './account-of.ts';
import { ApiError, missing } from './api-error.ts';
import type { CredentialCheck, Credentials, Refusal } from './credentials.ts';
import { formOf } from './parameters.ts';

export interface AuthenticationOptions {
  readonly region: RegionId;
  readonly check: CredentialCheck;
  readonly directory: AccountDirectory;
  readonly logger: Logger;
}

/**
 * HTTP Basic with an account SID and an auth token of this Region, or an API key of this Region and its secret;
 * everything else is 401 with code 20003. Another Region's credential is no different from a wrong one: a Region
 * does not know the others'.
 *
 * @see https://www.twilio.com/docs/global-infrastructure/manage-regional-api-credentials
 */
export function authenticate(options: AuthenticationOptions): RequestHandler {
  return async (req, res, next) => {
    const identity = await requireIdentity(options, req, res);
    await requireActive(options, identity.accountSid);
    assignIdentity(req, identity);
    next();
  };
}

/** @throws ApiError 401 */
export async function requireIdentity(
  { region, check, logger }: AuthenticationOptions,
  req: Request,
  res: Response,
): Promise<Identity> {
  const given = basic(req.headers.authorization);
  const found = given ? await check(given) : 'no-credentials';
  if (typeof found !== 'string') return found;
  logger.warn(
    { region, reason: found, user: nameable(given), method: req.method, path: req.path },
    `${region} refused a request: ${reasons[found]}${hint(given, region)}`,
  );
  res.setHeader('WWW-Authenticate', `Basic realm="Trunkline ${region}", charset="UTF-8"`);
  throw permissionDenied(
    `Authenticate: this request reached Region ${region}, which takes the account SID with an auth token of ${region}, or an API key of ${region} with its secret${hint(given, region)}`,
  );
}

const reasons: Readonly<Record<Refusal, string>> = {
  'no-credentials': 'no-credentials, it has no HTTP Basic authorization',
  'unknown-user': 'unknown-user, no account has that SID and tokens here',
  'wrong-token': 'wrong-token, it is none of the auth tokens of that account here',
  'unknown-key': 'unknown-key, no API key has that SID here',
  'wrong-secret': 'wrong-secret, it is not the secret of that API key',
};

/** What looks like a credential of Twilio's kind is probably one of another Region. */
function hint(given: Credentials | undefined, region: RegionId): string {
  return nameable(given) === undefined
    ? ''
    : `; credentials are per Region: those of another one are not valid in ${region}`;
}

function nameable(given: Credentials | undefined): string | undefined {
  return /^(AC|SK)[0-9a-f]{32}$/.exec(given?.user ?? '')?.[0];
}

/** 401 with code 20003. @see https://www.twilio.com/docs/api/errors/20003 */
export function permissionDenied(message: string): ApiError {
  return new ApiError(401, 20003, message);
}

/** The credentials are right, so it is 403, with the code that says why. @throws ApiError */
async function requireActive({ directory }: AuthenticationOptions, accountSid: string): Promise<void> {
  const account = await directory.known(accountSid);
  if (account?.status === 'active') return;
  throw new ApiError(403, 20005, `Account ${accountSid} is ${account?.status ?? 'not known'}, not active.`);
}

/**
 * Which account the path of a request means: that of its credentials, or with an auth token a subaccount of it. Any
 * other account is 404, as if there were none; but 401 where both are known to belong together: a subaccount asks for
 * its parent, or a key for a subaccount.
 *
 * @see https://www.twilio.com/docs/iam/api/subaccounts
 * @throws ApiError
 */
export async function requireAccess(
  { directory, region }: AuthenticationOptions,
  req: Request,
  asked: string,
): Promise<void> {
  const { accountSid, keySid } = identityOf(req);
  if (asked === accountSid) return;
  const account = isSid(asked, 'AC') ? await directory.known(asked) : undefined;
  if (account?.ownerAccountSid !== accountSid) {
    if ((await directory.known(accountSid))?.ownerAccountSid === asked) {
      throw permissionDenied(`Authenticate: a subaccount has no access to its parent account ${asked}`);
    }
    throw missing(req.originalUrl.split('?')[0] ?? '', region);
  }
  if (keySid !== undefined) {
    throw permissionDenied(`Authenticate: an API key is for its own account; ${asked} has keys of its own`);
  }
}

/**
 * What follows is for the account of the path. One that is not active can be read by its parent, and its calls ended;
 * nothing else of it can be changed.
 */
export function forAccountOfPath(options: AuthenticationOptions): RequestHandler {
  return async (req, _res, next) => {
    const asked = String(req.params['accountSid']);
    await requireAccess(options, req, asked);
    if (req.method !== 'GET' && req.method !== 'HEAD' && !endsCall(req)) await requireActive(options, asked);
    assignAccount(req, asked);
    next();
  };
}

/**
 * Calls in progress outlive the suspension of their account: its parent ends them one by one.
 *
 * @see https://www.twilio.com/docs/iam/api/subaccounts#suspending-subaccounts
 */
function endsCall(req: Request): boolean {
  const isCall = req.method === 'POST' && /^\/Calls\/[^/.]+(\.json|\.xml)?$/.test(req.path);
  return isCall && formOf(req).filled('Status') !== undefined; // with which Url and Twiml are refused
}

/**
 * Accounts, keys and auth tokens are for auth tokens alone: a key made through the API is a Standard one.
 *
 * @see https://www.twilio.com/docs/iam/api-keys/key-resource-v1
 */
export const notForKeys: RequestHandler = (req, _res, next) => {
  const { keySid } = identityOf(req);
  if (keySid === undefined) return next();
  throw permissionDenied(
    `Authenticate: ${keySid} is a Standard API key, which has no access to accounts and keys; use the auth token`,
  );
};

function basic(header: string | undefined): Credentials | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
